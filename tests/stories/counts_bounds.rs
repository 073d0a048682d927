//! What a producer sends cannot make the kept counts large or slow: values and combinations beyond a bound count as
//! `(other)`, and nothing is called exact that is not.

use diesel::prelude::*;
use logbook_engine::{
    counts::{
        check::{self, Checked},
        compact,
        keys::{MOST_KEYS, MOST_VALUES, OTHER},
        packed::PackedCells,
    },
    db::schema::event_counts,
};
use logbook_tests::{Client, TestServer, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

fn event(action: usize, role: usize, time: &str) -> Value {
    json!({"event_type": format!("e{action}"), "role": format!("r{role}"), "occurred_at": time})
}

fn counted(admin: &Client, query: &str) -> (u64, bool) {
    let answer = admin.get(&format!("{PATH}/metrics?{query}")).expect(200).json;
    (answer["total"].as_u64().expect("a count"), answer["exact"].as_bool().expect("exact"))
}

/// The counts of a facet, by value.
fn facet(admin: &Client, field: &str, query: &str) -> (Vec<(String, u64)>, bool) {
    let answer = admin.get(&format!("{PATH}/facets?{query}")).expect(200).json;
    let facets = answer["data"].as_array().expect("facets");
    let facet = facets.iter().find(|facet| facet["field"] == field).expect("the facet");
    let value = |value: &Value| {
        (value["value"].as_str().expect("a text").to_owned(), value["count"].as_u64().expect("a count"))
    };
    let values = facet["values"].as_array().expect("values").iter().map(value).collect();
    (values, answer["exact"].as_bool().expect("exact"))
}

fn differences(server: &TestServer, id: i32, repair: bool) -> usize {
    match check::check(&mut server.own_connection(), id, repair, |_, _| {}).expect("an answer") {
        Checked::Compared(found) => found.len(),
        Checked::Unbuilt => panic!("it is built"),
    }
}

/// The rows of a grain: how many keys each has, and how many bytes.
fn stored(server: &TestServer, grain: i16) -> Vec<(usize, usize)> {
    let rows: Vec<Vec<u8>> = event_counts::table
        .filter(event_counts::grain.eq(grain))
        .order(event_counts::bucket)
        .select(event_counts::cells)
        .load(&mut server.own_connection())
        .expect("rows");
    let size = |bytes: Vec<u8>| (bytes.len(), PackedCells::parse(bytes).expect("cells").keys().len());
    rows.into_iter().map(size).map(|(bytes, keys)| (keys, bytes)).collect()
}

on_both!(
    values_beyond_the_bound_count_as_other_and_are_never_wrong,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let (admin, beside) = (server.admin(), server.beside());
        const OVER: usize = 50;
        let times = ["2026-10-01T08:01:00Z", "2026-10-02T09:01:00Z"];
        // The same values twice, the second time through another server.
        for (admin, time) in [(&admin, times[0]), (&beside.admin(), times[1])] {
            let events: Vec<Value> = (0..MOST_VALUES + OVER).map(|n| event(n, n, time)).collect();
            admin.post(PATH, events.into()).expect(201);
        }
        let all = 2 * (MOST_VALUES + OVER) as u64;
        let question = |admin: &Client| {
            assert_eq!(
                counted(admin, ""),
                (all, false),
                "the total is complete, the counts by action are not"
            );
            assert_eq!(counted(admin, "event_type=e0"), (2, true), "what came first is counted by itself");
            let last = format!("event_type=e{}", MOST_VALUES + OVER - 1);
            assert_eq!(counted(admin, &last), (2, true), "what is not is looked up");
            assert_eq!(counted(admin, "not_event_type=e0").0, all - 2);
            let (values, exact) = facet(admin, "event_type", "");
            assert_eq!((&values[0], exact), (&(OTHER.to_owned(), 2 * OVER as u64), false));
            assert_eq!(facet(admin, "role", "event_type=e7"), (vec![("r7".to_owned(), 2)], false));
            let path = format!("{PATH}/histogram?interval=1d&by=event_type&tz=UTC");
            let histogram = admin.get(&path).expect(200).json;
            assert_eq!(
                (&histogram["data"][0]["total"], &histogram["exact"]),
                (&json!(all / 2), &json!(false))
            );
            let one = admin.get(&format!("{path}&event_type=e0")).expect(200).json;
            assert_eq!((&one["data"][1]["counts"], &one["exact"]), (&json!({"e0": 1}), &json!(true)));
        };
        question(&admin);
        assert_eq!(differences(&server, workspace.id, false), 0);
        compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
        question(&admin);
        question(&beside.admin());
        assert_eq!(differences(&server, workspace.id, false), 0);
        assert!(stored(&server, 1).iter().all(|(keys, _)| *keys == MOST_VALUES + 1));
        // Another log has values of its own.
        let other = json!([{"action": "create", "model": "patient", "record_id": "1"}]);
        admin.post("/workspaces/clinic/logs/application", other).expect(201);
        let answer = admin.get("/workspaces/clinic/logs/application/metrics").expect(200).json;
        assert_eq!((&answer["created"], &answer["exact"]), (&json!(1), &json!(true)));
    }
);

on_both!(
    combinations_beyond_the_bound_keep_their_action,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let admin = server.admin();
        const ACTIONS: usize = 150;
        const ROLES: usize = 150;
        const { assert!(ACTIONS * ROLES > MOST_KEYS) };
        for roles in [0..50, 50..100, 100..ROLES] {
            let event = |role| (0..ACTIONS).map(move |action| event(action, role, "2026-10-01T08:01:00Z"));
            let events: Vec<Value> = roles.flat_map(event).collect();
            admin.post(PATH, events.into()).expect(201);
        }
        compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
        assert_eq!(counted(&admin, ""), ((ACTIONS * ROLES) as u64, true));
        assert_eq!(counted(&admin, "event_type=e149"), (ROLES as u64, true));
        assert_eq!(counted(&admin, "role=r0"), (ACTIONS as u64, true), "what is open is looked up");
        assert_eq!(counted(&admin, "role=r149&event_type=e3"), (1, true));
        assert_eq!(facet(&admin, "role", "event_type=e3").0[0].0, OTHER);
        assert!(!facet(&admin, "role", "").1);
        let keys: Vec<usize> = stored(&server, 2).into_iter().map(|(keys, _)| keys).collect();
        assert_eq!(keys, [MOST_KEYS + ACTIONS]);
        assert_eq!(differences(&server, workspace.id, false), 0);
    }
);

on_both!(
    a_row_of_counts_has_no_values_of_other_rows,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let admin = server.admin();
        const DAYS: usize = 28;
        const EACH: usize = 20;
        let role = "x".repeat(200);
        let events: Vec<Value> = (0..DAYS * EACH)
            .map(|n| {
                let mut event = event(n, n, &format!("2026-09-{:02}T08:00:00Z", n % DAYS + 1));
                event["role"] = format!("{role}{n}").into();
                event
            })
            .collect();
        admin.post(PATH, events.into()).expect(201);
        compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
        let days = stored(&server, 1);
        assert_eq!(days.len(), DAYS);
        let bytes: usize = days.iter().map(|(_, bytes)| bytes).sum();
        assert!(days.iter().all(|(keys, _)| *keys == EACH), "{days:?}");
        let months = stored(&server, 2);
        assert!(bytes < months[0].1 * 2, "{bytes} bytes of days, {months:?}");
    }
);

on_both!(
    values_that_were_lost_are_registered_again,
    |config| { config.no_background_jobs = true },
    |server| {
        let workspace = server.workspace("clinic");
        let admin = server.admin();
        let events: Vec<Value> = (0..20).map(|n| event(n, n, "2026-10-01T08:01:00Z")).collect();
        admin.post(PATH, events.into()).expect(201);
        compact::compact_all(&mut server.own_connection(), workspace.id).expect("it compacts");
        server.sql("DELETE FROM count_keys");
        assert!(differences(&server, workspace.id, true) > 0);
        assert_eq!(differences(&server, workspace.id, false), 0);
        assert_eq!(counted(&admin, "event_type=e3"), (1, true));
        assert_eq!(counted(&admin, ""), (20, true));
    }
);
