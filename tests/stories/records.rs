//! A record's history: its versions, who may read them, and which record a path names.

use logbook::accounts::{
    api_keys::{self, NewApiKey},
    role::Role,
};
use logbook_tests::{Client, audit_events::audit_events, on_both, pagination, server::sample};
use serde_json::{Value, json};

const RECORD: &str = "/workspaces/clinic/records/patient/92";

/// An event of the record, minutes after the start of October.
fn event(minute: i64, action: &str, changes: &Value) -> Value {
    let mut event = sample("application", minute);
    event["action"] = action.into();
    event["record_id"] = "92".into();
    event["changes"] = changes.clone();
    event
}

fn append(admin: &Client, events: Vec<Value>) -> Vec<String> {
    let answer = admin.post("/workspaces/clinic/logs/application", events.into()).expect(201);
    let results = answer.json["results"].as_array().expect("results").clone();
    results.iter().map(|result| result["id"].as_str().expect("an id").to_owned()).collect()
}

fn numbers(versions: &[Value]) -> Vec<i64> {
    versions.iter().map(|version| version["version"].as_i64().expect("a number")).collect()
}

on_both!(the_versions_of_a_record_are_numbered_in_the_order_in_which_they_happened, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let none = json!([]);
    // Late ones, equal times, reads, and what failed.
    let mut denied = event(3, "update", &json!([{"field": "status", "old": "a", "new": "b"}]));
    denied["status"] = "denied".into();
    let minutes = [5, 1, 3, 3, 9, 2, 7];
    let mut events: Vec<Value> = minutes.iter().map(|minute| event(*minute, "view", &none)).collect();
    events[2] = denied;
    append(&admin, events);
    // Others: another record, another model, another log.
    let mut other = event(4, "view", &none);
    other["model"] = "doctor".into();
    append(&admin, vec![other, sample("application", 4)]);
    let component = json!({"type": "patient", "id": "92"});
    let framework = json!([{"action": "policy_synced", "component": component}]);
    admin.post("/workspaces/clinic/logs/framework", framework).expect(201);

    let path = format!("{RECORD}/history");
    for limit in ["1", "3", "7", "1000"] {
        let up = pagination::pages(&admin, &path, &[("order", "asc"), ("limit", limit)]);
        assert_eq!(pagination::seqs(&up), [2, 6, 3, 4, 1, 7, 5]);
        assert_eq!(numbers(&up), [1, 2, 3, 4, 5, 6, 7]);
        let down = pagination::pages(&admin, &path, &[("limit", limit)]);
        assert_eq!(numbers(&down), [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(pagination::seqs(&down), [5, 7, 1, 4, 3, 6, 2]);
    }
    let first = admin.get(&format!("{path}?limit=2")).expect(200);
    assert!(first.headers["link"].contains("cursor="));
    let in_log =
        admin.get("/workspaces/clinic/logs/application?record_id=92&model=patient&limit=1").expect(200);
    let mut version = first.data()[0].clone();
    version.as_object_mut().expect("an object").remove("version");
    assert_eq!(version, in_log.data()[0], "a version is its event");
    // A cursor belongs to its record.
    let cursor = first.json["next_cursor"].as_str().expect("a cursor");
    let other = format!("/workspaces/clinic/records/doctor/92/history?cursor={cursor}");
    assert_eq!(admin.get(&other).expect(400).code(), "cursor_mismatch");
});

on_both!(a_record_is_found_by_any_model_and_id, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let records = [
        ("patient", "92"),
        ("app:patient", "a:b.c!~"),
        ("Ärzte", "李雷 100%"),
        ("a+b", "x?y#z"),
        ("%2F", "%252F"),
        ("-", "-"),
        // No part of a path can be these.
        ("app/patient", "2026/92"),
        ("back\\slash", "tab\tline\nbreak"),
        (".", ".."),
    ];
    for (n, (model, id)) in records.iter().enumerate() {
        let mut new = event(n as i64, "create", &json!([{"field": "n", "new": n}]));
        new["model"] = (*model).into();
        new["record_id"] = (*id).into();
        append(&admin, vec![new]);
    }
    for (n, (model, id)) in records.iter().enumerate() {
        let query = [("model", *model), ("record_id", *id)];
        for what in ["history", "state", "blame"] {
            let answer = admin.query(&format!("/workspaces/clinic/records/-/-/{what}"), &query).expect(200);
            if what == "history" {
                assert_eq!(answer.data()[0]["changes"][0]["new"], n, "{model} {id}");
            } else {
                assert_eq!(answer.json["fields"][0]["value"], n, "{model} {id}");
                assert_eq!((&answer.json["model"], &answer.json["record_id"]), (&json!(model), &json!(id)));
            }
        }
        if n < 6 {
            let encode =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            // As a path has it: a blank is %20, and what need not be encoded is not.
            let [model, id] = [model, id].map(|text| encode(text).replace('+', "%20").replace("%7E", "~"));
            let state = admin.get(&format!("/workspaces/clinic/records/{model}/{id}/state")).expect(200);
            assert_eq!(state.json["fields"][0]["value"], n, "{model} {id}");
        }
    }
    for path in ["a%2Fb/1", "a/b%5Cc", "a/%0A"] {
        let answer = admin.get(&format!("/workspaces/clinic/records/{path}/state")).expect(400);
        assert_eq!(answer.code(), "invalid_path");
    }
    for (query, place) in [
        ("model=doctor", "model"),
        ("record_id=1", "record_id"),
        ("model=", "model"),
        ("id=1", "id"),
        ("record_id=a%00b", "record_id"),
    ] {
        for what in ["history", "state"] {
            let answer = admin.get(&format!("{RECORD}/{what}?{query}")).expect(400);
            assert_eq!(answer.places(), [place], "{query}");
        }
    }
});

on_both!(
    a_record_without_events_is_unknown_and_what_is_read_is_on_record,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        server.workspace("shop");
        let admin = server.admin();
        append(&admin, (0..5).map(|n| event(n, "view", &json!([]))).collect());
        for what in ["history", "state", "blame", "diff?from=2026-01-01", "restore?to=2026-11-01"] {
            for record in ["clinic/records/patient/93", "clinic/records/doctor/92", "shop/records/patient/92"]
            {
                let answer = admin.get(&format!("/workspaces/{record}/{what}")).expect(404);
                assert_eq!(answer.code(), "not_found", "{record} {what}");
            }
        }
        let new = NewApiKey { name: "reader".into(), role: Role::Viewer, source: None, expires_at: None };
        let created =
            api_keys::create(&mut server.db.conn().expect("a connection"), clinic.id, &new, "test", None);
        server.bearer(&created.expect("a key").text).get(&format!("{RECORD}/state")).expect(200);
        let events = audit_events(&server, "clinic");
        let read: Vec<_> = events.iter().filter(|event| event["action"] == "log_read").collect();
        assert_eq!(read.len(), 1, "{events:?}");
        assert_eq!(
            (&read[0]["metadata"]["log"], &read[0]["metadata"]["events"]),
            (&json!("record"), &json!(5))
        );
    }
);

on_both!(a_moment_is_a_time_a_date_or_an_event_of_the_record, |server| {
    server.workspace_in("clinic", "Asia/Kolkata");
    let admin = server.admin();
    let change = |old: &str, new: &str| json!([{"field": "status", "old": old, "new": new}]);
    let mut events = vec![
        event(0, "create", &json!([{"field": "status", "new": "a"}])),
        event(0, "update", &change("a", "b")),
        event(0, "update", &change("b", "c")),
    ];
    // Midnight in Kolkata.
    events[1]["occurred_at"] = "2026-10-01T18:30:00Z".into();
    events[2]["occurred_at"] = "2026-10-01T18:30:00Z".into();
    let ids = append(&admin, events);
    let other = append(&admin, vec![sample("application", 1)]).remove(0);
    for (at, value, version) in [
        ("2026-09-30T23:59:59Z", Value::Null, 0),
        ("2026-10-01T00:00:00Z", json!("a"), 1),
        ("2026-10-01T18:29:59.999999Z", json!("a"), 1),
        ("2026-10-02", json!("c"), 3),
        ("2026-10-02T00:00:00+05:30", json!("c"), 3),
        (ids[1].as_str(), json!("b"), 2),
        (ids[2].as_str(), json!("c"), 3),
        ("2030-01-01", json!("c"), 3),
    ] {
        let state = admin.query(&format!("{RECORD}/state"), &[("at", at)]).expect(200).json;
        assert_eq!((&state["fields"][0]["value"], &state["version"]), (&value, &json!(version)), "{at}");
        assert_eq!(state["exists"], version > 0);
    }
    assert_eq!(admin.get(&format!("{RECORD}/state")).expect(200).json["version"], 3);
    for (path, place) in [
        (format!("state?at={other}"), "at"),
        (format!("blame?at={}", ids[0].replace('0', "1")), "at"),
        ("state?at=yesterday".into(), "at"),
        ("state?at=2026-10-01&at=2026-10-02".into(), "at"),
        ("state?since=2026-10-01".into(), "since"),
        ("diff".into(), "from"),
        ("diff?from=2026-10-02&to=2026-10-01".into(), "to"),
        (format!("diff?from={}&to={}", ids[2], ids[1]), "to"),
        ("restore".into(), "to"),
        ("restore?to=2026-09-01".into(), "to"),
        ("restore?to=2026-10-01T00:00:00Z&field=nothing".into(), "field"),
        (format!("restore?to=2026-10-02{}", "&field=status".repeat(101)), "field"),
    ] {
        let answer = admin.get(&format!("{RECORD}/{path}")).expect(400);
        assert_eq!(answer.places(), [place], "{path}: {}", answer.text);
    }
});
