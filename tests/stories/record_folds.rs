//! What a record was, how it differs, who made it so, and how to get back: folded from its events, over HTTP.

use logbook_tests::{Client, on_both, server::sample};
use serde_json::{Value, json};

const RECORD: &str = "/workspaces/clinic/records/patient/92";

/// An event of the record in minute `n`, by the user with that number.
fn event(n: i64, action: &str, changes: Value) -> Value {
    let mut event = sample("application", n);
    event["action"] = action.into();
    event["record_id"] = "92".into();
    event["record_name"] = format!("Patient {n}").into();
    event["changes"] = changes;
    event["actor"] = json!({"type": "user", "id": n.to_string(), "name": format!("User {n}")});
    event
}

fn append(admin: &Client, events: Vec<Value>) -> Vec<String> {
    let answer = admin.post("/workspaces/clinic/logs/application", events.into()).expect(201);
    let results = answer.json["results"].as_array().expect("results").clone();
    results.iter().map(|result| result["id"].as_str().expect("an id").to_owned()).collect()
}

/// The values of a state or blame, by field.
fn values(answer: &Value) -> Value {
    let fields = answer["fields"].as_array().expect("fields");
    Value::Object(
        fields
            .iter()
            .map(|field| (field["field"].as_str().expect("a name").to_owned(), field["value"].clone()))
            .collect(),
    )
}

/// A life with a set, labels, a failure, a deletion and a restoration.
fn life() -> Vec<Value> {
    let doctor = json!({"field": "doctor", "label": "Doctor", "old": 7, "old_label": "Asha Rao", "new": 9,
        "new_label": "Ben Kim"});
    let mut failed = event(3, "update", json!([{"field": "status", "old": "open", "new": "lost"}]));
    failed["status"] = "failure".into();
    vec![
        event(
            1,
            "create",
            json!([
                {"field": "status", "old": null, "new": "open"},
                {"field": "doctor", "label": "Doctor", "old": null, "new": 7, "new_label": "Asha Rao"},
                {"field": "roles", "added": ["Nurse"], "removed": []},
            ]),
        ),
        event(
            2,
            "update",
            json!([doctor, {"field": "roles", "added": ["Admin", "Clerk"], "removed": ["Nurse"]}]),
        ),
        failed,
        event(4, "view", json!([])),
        event(
            5,
            "update",
            json!([{"field": "status", "old": "open", "new": null},
            {"field": "phone", "old": null, "new": "1"}]),
        ),
        event(6, "delete", json!([])),
        event(7, "update", json!([{"field": "status", "old": null, "new": "closed"}])),
    ]
}

on_both!(the_state_at_a_time_is_folded_from_the_changes, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(&admin, life());
    let state = |n: usize| admin.query(&format!("{RECORD}/state"), &[("at", &ids[n])]).expect(200).json;
    let first = json!({"doctor": 7, "roles": ["Nurse"], "status": "open"});
    let second = json!({"doctor": 9, "roles": ["Admin", "Clerk"], "status": "open"});
    let fifth = json!({"doctor": 9, "phone": "1", "roles": ["Admin", "Clerk"], "status": null});
    let mut last = fifth.clone();
    last["status"] = "closed".into();
    let expected = [&first, &second, &second, &second, &fifth, &fifth, &last];
    for (n, expected) in expected.into_iter().enumerate() {
        let state = state(n);
        assert_eq!(&values(&state), expected, "{n}");
        assert_eq!((&state["deleted"], &state["exists"]), (&json!(n == 5), &json!(n != 5)));
        assert_eq!((&state["complete"], &state["gap_count"]), (&json!(true), &json!(0)));
        assert_eq!((&state["version"], &state["event_id"]), (&json!(n + 1), &json!(ids[n])));
    }
    let state = state(1);
    let doctor = json!({"field": "doctor", "label": "Doctor", "value": 9, "value_label": "Ben Kim", "inferred": false});
    assert_eq!(state["fields"][0], doctor);
    assert_eq!((&state["record_name"], &state["record_id"]), (&json!("Patient 2"), &json!("92")));
});

on_both!(the_blame_names_who_last_set_each_field, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(&admin, life());
    let blame = |n: usize| admin.query(&format!("{RECORD}/blame"), &[("at", &ids[n])]).expect(200).json;
    let who = |blame: &Value| {
        let fields = blame["fields"].as_array().expect("fields");
        let who =
            |field: &Value| (field["field"].clone(), field["set_by"]["id"].clone(), field["old"].clone());
        fields.iter().map(who).collect::<Vec<_>>()
    };
    assert_eq!(
        who(&blame(3)),
        [
            (json!("doctor"), json!("2"), json!(7)),
            (json!("roles"), json!("2"), json!(["Nurse"])),
            (json!("status"), json!("1"), Value::Null),
        ]
    );
    let last = blame(6);
    assert_eq!(values(&last), values(&admin.get(&format!("{RECORD}/state")).expect(200).json));
    assert_eq!(last["fields"][3]["set_by"], json!({"type": "user", "id": "7", "name": "User 7"}));
    assert_eq!(last["fields"][3]["set_at"], "2026-10-01T00:07:00.000000Z");
    assert_eq!(
        (&last["fields"][3]["event_id"], &last["fields"][3]["action"]),
        (&json!(ids[6]), &json!("update"))
    );
    assert_eq!(
        (&last["fields"][0]["old_label"], &last["fields"][0]["set_in_version"]),
        (&json!("Asha Rao"), &json!(2))
    );
});

on_both!(the_diff_of_two_times_has_what_was_added_removed_and_changed, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(&admin, life());
    let diff = |from: &str, to: &str| {
        let answer = admin.query(&format!("{RECORD}/diff"), &[("from", from), ("to", to)]).expect(200).json;
        let changes = answer["changes"].as_array().expect("changes").clone();
        let short = |change: &Value| json!([change["field"], change["kind"], change["old"], change["new"]]);
        changes.iter().map(short).collect::<Value>()
    };
    assert_eq!(
        diff(&ids[0], &ids[4]),
        json!([
            ["doctor", "changed", 7, 9],
            ["phone", "added", null, "1"],
            ["roles", "changed", ["Nurse"], ["Admin", "Clerk"]],
            ["status", "removed", "open", null],
        ])
    );
    assert_eq!(diff(&ids[1], &ids[3]), json!([]));
    assert_eq!(diff(&ids[2], &ids[2]), json!([]));
    let created = diff("2026-09-01", &ids[0]);
    assert_eq!(created.as_array().map(Vec::len), Some(3));
    let deleted = diff(&ids[4], &ids[5]);
    assert_eq!(deleted[0], json!(["doctor", "removed", 9, null]));
    assert_eq!(deleted.as_array().map(Vec::len), Some(3));
    let whole = admin.get(&format!("{RECORD}/diff?from=2026-09-01")).expect(200).json;
    assert_eq!((&whole["from"]["exists"], &whole["to"]["version"]), (&json!(false), &json!(7)));
    assert_eq!(whole["changes"][0]["new_label"], "Ben Kim");
});

on_both!(the_patch_leads_back_to_what_the_record_was, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(&admin, life());
    let restore = |to: &str, fields: &[&str]| {
        let query: Vec<_> =
            [("to", to)].into_iter().chain(fields.iter().map(|field| ("field", *field))).collect();
        admin.query(&format!("{RECORD}/restore"), &query).expect(200).json
    };
    let back = restore(&ids[0], &[]);
    assert_eq!(back["patch"], json!({"doctor": 7, "phone": null, "roles": ["Nurse"], "status": "open"}));
    assert_eq!((&back["left_out"], &back["to"]["version"]), (&json!([]), &json!(1)));
    assert_eq!(restore(&ids[0], &["phone", "status"])["patch"], json!({"phone": null, "status": "open"}));
    assert_eq!(restore(&ids[6], &[])["patch"], json!({}));
    let deleted = admin.query(&format!("{RECORD}/restore"), &[("to", &ids[5])]).expect(400);
    assert_eq!(deleted.places(), ["to"]);
    // Of a record that is gone, everything has to be written.
    append(&admin, vec![event(8, "delete", json!([]))]);
    let back = restore(&ids[1], &[]);
    assert_eq!(back["patch"], json!({"doctor": 9, "roles": ["Admin", "Clerk"], "status": "open"}));
    assert_eq!(back["from"]["deleted"], true);
});

on_both!(a_write_that_the_log_missed_is_a_gap, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(
        &admin,
        vec![
            event(
                1,
                "create",
                json!([{"field": "status", "new": "open"}, {"field": "token", "new": "hunter2-hunter2"}]),
            ),
            event(2, "update", json!([{"field": "status", "old": "parked", "new": "closed"}])),
            event(3, "update", json!([{"field": "password", "old": "one", "new": "two"}])),
            event(4, "update", json!([{"field": "password", "old": "two", "new": "three"}])),
            event(5, "update", json!([{"field": "password", "old": "other", "new": "four"}])),
        ],
    );
    let status = json!({"field": "status", "event_id": ids[1], "occurred_at": "2026-10-01T00:02:00.000000Z",
        "expected": "open", "found": "parked"});
    for what in ["state", "blame"] {
        let answer = admin.query(&format!("{RECORD}/{what}"), &[("at", &ids[1])]).expect(200).json;
        assert_eq!((&answer["gaps"], &answer["gap_count"]), (&json!([status]), &json!(1)), "{what}");
        let first = admin.query(&format!("{RECORD}/{what}"), &[("at", &ids[0])]).expect(200).json;
        assert_eq!(first["gaps"], json!([]));
    }
    // A field that the creation did not name had no value; of masked ones the fingerprint tells.
    let all = admin.get(&format!("{RECORD}/state")).expect(200).json;
    let gaps: Vec<_> =
        all["gaps"].as_array().expect("gaps").iter().map(|gap| gap["event_id"].clone()).collect();
    assert_eq!(gaps, [json!(ids[1]), json!(ids[2]), json!(ids[4])]);
    let query = [("from", ids[1].as_str()), ("to", ids[3].as_str())];
    let diff = admin.query(&format!("{RECORD}/diff"), &query).expect(200).json;
    assert_eq!(diff["gaps"][0]["event_id"], json!(ids[2]));
    assert_eq!(diff["gaps"].as_array().map(Vec::len), Some(1));
    let restore = admin.query(&format!("{RECORD}/restore"), &[("to", &ids[3])]).expect(200).json;
    assert_eq!(
        (&restore["patch"], &restore["left_out"]),
        (&json!({}), &json!([{"field": "password", "reason": "masked"}]))
    );
});

on_both!(a_record_from_before_the_log_is_not_complete, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let ids = append(
        &admin,
        vec![
            event(1, "update", json!([{"field": "status", "old": "open", "new": "closed"}])),
            event(
                2,
                "update",
                json!([{"field": "name", "old": "Ann", "new": "Anne"},
            {"field": "roles", "added": ["Nurse"], "removed": ["Clerk"]}]),
            ),
        ],
    );
    let state = |at: &str| admin.query(&format!("{RECORD}/state"), &[("at", at)]).expect(200).json;
    let before = state("2026-09-01");
    assert_eq!(
        (&before["exists"], &before["complete"], &before["version"]),
        (&Value::Null, &json!(false), &json!(0))
    );
    let first = state(&ids[0]);
    assert_eq!(
        (values(&first), &first["complete"]),
        (json!({"name": "Ann", "status": "closed"}), &json!(false))
    );
    assert_eq!(
        (&first["fields"][0]["inferred"], &first["fields"][1]["inferred"]),
        (&json!(true), &json!(false))
    );
    let second = state(&ids[1]);
    assert_eq!(values(&second), json!({"name": "Anne", "roles": ["Nurse"], "status": "closed"}));
    assert_eq!(second["gap_count"], 0);
    let restore = admin.query(&format!("{RECORD}/restore"), &[("to", &ids[0])]).expect(200).json;
    assert_eq!(restore["patch"], json!({"name": "Ann"}));
    assert_eq!(
        restore["left_out"],
        json!([{"field": "roles", "reason": "unknown"}]),
        "it may have had further roles"
    );
});

on_both!(a_record_with_too_much_history_is_refused_and_a_long_one_is_not, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let many = |from: i64, count: i64| -> Vec<Value> {
        (from..from + count)
            .map(|n| event(n / 100, "update", json!([{"field": "n", "old": n, "new": n + 1}])))
            .collect()
    };
    append(&admin, many(0, 9000));
    let state = admin.get(&format!("{RECORD}/state")).expect(200).json;
    assert_eq!(
        (&state["version"], &state["fields"][0]["value"], &state["gap_count"]),
        (&json!(9000), &json!(9000), &json!(0))
    );
    append(&admin, many(9000, 1001));
    for what in ["state", "blame", "diff?from=2026-01-01", "restore?to=2026-10-01"] {
        assert_eq!(admin.get(&format!("{RECORD}/{what}")).expect(422).code(), "record_too_large", "{what}");
    }
    // Its versions can still be read page by page; those far from the first have no number.
    let page = admin.get(&format!("{RECORD}/history?limit=1")).expect(200);
    assert_eq!(page.data()[0]["version"], Value::Null);
    let page = admin.get(&format!("{RECORD}/history?limit=1&order=asc")).expect(200);
    assert_eq!(page.data()[0]["version"], 1);
});
