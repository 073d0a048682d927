//! Events come back as they were sent: texts byte for byte, JSON value for value.

use logbook_tests::{on_both, pagination};
use serde_json::{Value, json};

const TEXTS: &[&str] = &[
    "O'Brien \"Jo\"",
    "José Núñez",
    "Jose\u{301} Nu\u{301}n\u{303}ez",
    "李雷",
    "👩‍👩‍👧‍👦",
    "\u{feff}bom",
    "\u{202e}right to left",
    "tab\tline\nreturn\r",
    "\u{1}\u{1f}\u{7f}\u{85}\u{2028}",
    "\u{fffe}\u{ffff}\u{10ffff}",
    "'; DROP TABLE events; --",
    "100% _ \\ \\\\ $1 ? :x",
    "  spaces  ",
    "ﬁ Å ①",
];

on_both!(texts_come_back_byte_for_byte, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let path = "/workspaces/clinic/logs/application";
    let events: Vec<Value> = TEXTS
        .iter()
        .map(|text| {
            json!({
                "occurred_at": "2026-10-01T00:00:00.000001Z", "action": "update", "role": text, "model": text, "record_id": text,
                "record_name": text, "actor": {"type": "user", "id": text, "name": text}, "user_agent": text,
                "session_id": text, "correlation_id": text, "changes": [{"field": text, "old": text, "new": [text, {*text: text}]}],
                "metadata": {*text: text},
            })
        })
        .collect();
    admin.post(path, events.clone().into()).expect(201);
    let found = pagination::pages(&admin, path, &[("order", "asc")]);
    assert_eq!(found.len(), events.len());
    for (sent, found) in events.iter().zip(&found) {
        for (name, value) in sent.as_object().expect("an object") {
            assert_eq!(&found[name], value, "{name}");
        }
        let feed = admin.get(&format!(
            "/workspaces/clinic/logs/feed?after={}&limit=1",
            found["seq"].as_i64().expect("seq") - 1
        ));
        let feed = feed.expect(200).data()[0].clone();
        let target = json!({"type": sent["model"], "id": sent["record_id"], "name": sent["record_name"]});
        assert_eq!(
            (&feed["target"], &feed["changes"], &feed["id"]),
            (&target, &sent["changes"], &found["id"])
        );
    }
});

on_both!(json_comes_back_value_for_value, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let value = json!({
        "null": null, "true": true, "false": false, "zero": 0, "int": 42, "negative": -17, "large": 9_007_199_254_740_992_i64,
        "tenth": 0.1, "small": 5e-324, "tiny": 1.25e-7, "list": [1, [2, [3, []]], {}], "nul": "a\u{0}b", "": {"": ""}, "a/b~c": [null],
    });
    let changes = json!([
        {"field": "a", "old": null, "new": value}, {"field": "b", "old": value, "new": null},
        {"field": "roles", "added": [value, 1, "x"], "removed": []}, {"field": "a", "old": "twice", "new": "the same field"},
    ]);
    let event =
        json!({"action": "create", "model": "m", "record_id": "1", "changes": changes, "metadata": value});
    let answer = admin.post("/workspaces/clinic/logs/application", json!([event])).expect(201);
    let id = answer.json["results"][0]["id"].as_str().expect("an id");
    let found = admin.get(&format!("/workspaces/clinic/logs/application/{id}")).expect(200).json;
    assert_eq!((&found["changes"], &found["metadata"]), (&changes, &value));
    assert_eq!(found["masked"], json!([]));
});

on_both!(each_log_fills_in_defaults, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let at = "2026-10-01T12:00:00+05:30";
    let body = json!([
        {"log": "access", "event_type": "login_failed", "occurred_at": at, "username": "asha@clinic.test"},
        {"log": "application", "action": "create", "occurred_at": at, "model": "patient", "record_id": "92"},
        {"log": "framework", "action": "app_updated", "occurred_at": at, "component": {"type": "app"}, "error": "no space"},
    ]);
    let answer = admin.post("/workspaces/clinic/logs/ingest", body).expect(201);
    let mut found = Vec::new();
    for (i, log) in ["access", "application", "framework"].into_iter().enumerate() {
        let id = answer.json["results"][i]["id"].as_str().expect("an id");
        let mut event = admin.get(&format!("/workspaces/clinic/logs/{log}/{id}")).expect(200).json;
        assert!(
            event["received_at"].as_str().is_some_and(|at| at.len() == 27 && at.ends_with('Z')),
            "{event}"
        );
        let map = event.as_object_mut().expect("an object");
        map.remove("received_at");
        map.remove("id");
        found.push(event);
    }
    let at = "2026-10-01T06:30:00.000000Z";
    let mut expected = json!([
        {"seq": 1, "occurred_at": at, "event_type": "login_failed", "status": "failure", "status_reason": null, "user": null,
         "username": "asha@clinic.test", "role": null, "ip_address": null, "user_agent": null, "session_id": null,
         "correlation_id": null, "metadata": {}, "masked": []},
        {"seq": 2, "occurred_at": at, "action": "create", "actor": {"type": "system", "id": null, "name": null}, "role": null,
         "model": "patient", "record_id": "92", "record_name": null, "status": "success", "status_reason": null, "changes": [], "ip_address": null, "user_agent": null,
         "session_id": null, "correlation_id": null, "metadata": {}, "masked": []},
        {"seq": 3, "occurred_at": at, "action": "app_updated", "component": {"type": "app", "id": null, "name": null},
         "actor": {"type": "system", "id": null, "name": null}, "role": null, "status": "failure", "error": "no space",
         "changes": [], "ip_address": null, "user_agent": null, "session_id": null, "correlation_id": null, "metadata": {},
         "masked": []},
    ]);
    let everywhere = json!({
        "source": "test", "on_behalf_of": null, "purpose": null, "targets": [], "epoch": null, "sequence": null,
    });
    for event in expected.as_array_mut().expect("events") {
        event.as_object_mut().expect("an object").extend(everywhere.as_object().expect("an object").clone());
    }
    assert_eq!(Value::from(found), expected);
    let feed = pagination::feed(&admin, "clinic", "0".into(), 2);
    let words: Vec<_> = feed
        .iter()
        .map(|e| json!([e["log"], e["action"], e["outcome"], e["outcome_reason"], e["actor"], e["target"]]))
        .collect();
    let system = json!({"type": "system", "id": null, "name": null});
    let expected = json!([
        ["access", "login_failed", "failure", null, null, {"type": null, "id": null, "name": "asha@clinic.test"}],
        ["application", "create", "success", null, system, {"type": "patient", "id": "92", "name": null}],
        ["framework", "app_updated", "failure", "no space", system, {"type": "app", "id": null, "name": null}],
    ]);
    assert_eq!(Value::from(words), expected);
});
