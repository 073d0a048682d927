//! The most frequent values of a field.

use std::collections::BTreeMap;

use logbook_tests::{on_both, server::sample};
use serde_json::{Value, json};

const ACCESS: &str = "/workspaces/clinic/logs/access";

/// Value and count of each.
fn counts(answer: &Value) -> Vec<(&str, u64)> {
    let data = answer["data"].as_array().expect("values");
    data.iter()
        .map(|value| (value["value"].as_str().expect("a text"), value["count"].as_u64().expect("a count")))
        .collect()
}

fn login(n: usize, user: &str, status: &str) -> Value {
    let mut event = sample("access", n as i64);
    event["user"] = json!({"id": user, "name": format!("{user} {n}")});
    event["status"] = status.into();
    event["ip_address"] = format!("10.0.0.{}", n % 2).into();
    event["status_reason"] = json!(if status == "failure" { Some("wrong_password") } else { None });
    event
}

on_both!(values_are_ranked_with_all_filters_and_the_newest_name, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let users = ["asha", "ben", "asha", "carl", "asha", "ben"];
    let events: Vec<Value> = users
        .iter()
        .enumerate()
        .map(|(n, user)| login(n, user, if n % 2 == 0 { "failure" } else { "success" }))
        .collect();
    admin.post(ACCESS, events.into()).expect(201);
    let top =
        |parameters: &[(&str, &str)]| admin.query(&format!("{ACCESS}/top"), parameters).expect(200).json;

    let all = top(&[("field", "user_id")]);
    assert_eq!(counts(&all), [("asha", 3), ("ben", 2), ("carl", 1)]);
    assert_eq!((&all["exact"], &all["counted"], &all["since"]), (&json!(true), &json!(6), &Value::Null));
    assert_eq!(all["data"][0]["name"], "asha 4", "the newest");
    assert_eq!(counts(&top(&[("field", "user_id"), ("limit", "1")])), [("asha", 3)]);
    assert_eq!(counts(&top(&[("field", "user_id"), ("status", "success")])), [("ben", 2), ("carl", 1)]);
    assert_eq!(counts(&top(&[("field", "user_id"), ("q", "WRONG_")])), [("asha", 3)]);
    assert_eq!(
        counts(&top(&[("field", "user_id"), ("until", "2026-10-01T00:02:00Z")])),
        [("asha", 1), ("ben", 1)]
    );
    assert_eq!(counts(&top(&[("field", "ip_address")])), [("10.0.0.0", 3), ("10.0.0.1", 3)]);
    assert_eq!(counts(&top(&[("field", "status_reason")])), [("wrong_password", 3)]);
    // With rollups, and with a filter that has none.
    assert_eq!(counts(&top(&[("field", "status")])), [("failure", 3), ("success", 3)]);
    assert_eq!(counts(&top(&[("field", "status"), ("user_id", "asha")])), [("failure", 3)]);
    assert_eq!(counts(&top(&[("field", "status"), ("status", "success")])), [("success", 3)], "all filters");
    assert_eq!(top(&[("field", "role")])["data"], json!([]));
});

on_both!(records_and_changed_fields_are_ranked_too, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/application";
    let event = |n: i64, record: &str, name: &str| {
        let mut event = sample("application", n);
        event["record_id"] = record.into();
        event["record_name"] = name.into();
        // Twice in one event counts once.
        event["changes"] = json!([
            {"field": "status", "label": "Status", "old": 1, "new": 2}, {"field": "status", "old": 2, "new": 3},
        ]);
        event
    };
    let mut other = event(3, "92", "李雷");
    other["model"] = "visit".into();
    admin.post(path, json!([event(1, "92", "Old name"), event(2, "92", "李雷"), other])).expect(201);
    let top = |field: &str| admin.query(&format!("{path}/top"), &[("field", field)]).expect(200).json;
    assert_eq!(
        top("record")["data"],
        json!([{"value": "patient:92", "name": "李雷", "count": 2}, {"value": "visit:92", "name": "李雷", "count": 1}])
    );
    assert_eq!(top("field")["data"], json!([{"value": "status", "name": "Status", "count": 3}]));
    // A changed field is a filter too, under another name.
    let with = |name: &str, value: &str| {
        let parameters = [("field", "model"), (name, value)];
        counts(&admin.query(&format!("{path}/top"), &parameters).expect(200).json).len()
    };
    assert_eq!((with("changed_field", "status"), with("changed_field", "other")), (2, 0));
    assert_eq!((with("not_changed_field", "status"), with("not_changed_field", "other")), (0, 2));
    let both = admin.get(&format!("{path}/top?field=model&field=status")).expect(400);
    assert_eq!(both.places(), ["field"]);
    assert_eq!(counts(&top("model")), [("patient", 2), ("visit", 1)]);
    let framework = "/workspaces/clinic/logs/framework";
    admin
        .post(
            framework,
            json!([{"action": "policy_synced", "component": {"type": "policy"}, "error": "no such role"}]),
        )
        .expect(201);
    let top = |field: &str| admin.query(&format!("{framework}/top"), &[("field", field)]).expect(200).json;
    assert_eq!(counts(&top("error")), [("no such role", 1)]);
    assert_eq!(counts(&top("component")), [("policy", 1)]);
});

on_both!(more_events_than_are_counted_are_said_to_be, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let events: Vec<Value> = (0..2500).map(|n| login(n, ["asha", "ben"][n % 2], "success")).collect();
    admin.post(ACCESS, events.into()).expect(201);
    let top =
        |parameters: &[(&str, &str)]| admin.query(&format!("{ACCESS}/top"), parameters).expect(200).json;
    let newest = top(&[("field", "user_id")]);
    assert_eq!(counts(&newest), [("asha", 500), ("ben", 500)]);
    let oldest = admin.query(ACCESS, &[("limit", "1000")]).expect(200).data()[999].clone();
    assert_eq!((&newest["exact"], &newest["counted"]), (&json!(false), &json!(1000)));
    assert_eq!(newest["since"], oldest["occurred_at"]);
    assert_eq!(counts(&top(&[("field", "user_id"), ("user_id", "ben")])), [("ben", 1000)]);
    let kept = top(&[("field", "event_type")]);
    assert_eq!((counts(&kept), &kept["exact"]), (vec![("login", 2500)], &json!(true)));
});

on_both!(a_field_that_a_log_does_not_have_is_refused, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let logs = BTreeMap::from([("access", "actor_id"), ("application", "user_id"), ("framework", "record")]);
    for (log, field) in logs {
        let path = format!("/workspaces/clinic/logs/{log}/top");
        for parameters in [&[("field", field)][..], &[], &[("field", "status"), ("status", "no")]] {
            admin.query(&path, parameters).expect(400);
        }
        for limit in ["0", "101", "x"] {
            assert_eq!(
                admin.query(&path, &[("field", "status"), ("limit", limit)]).expect(400).places(),
                ["limit"]
            );
        }
        assert_eq!(admin.query(&path, &[("field", field)]).expect(400).places(), ["field"]);
    }
});
