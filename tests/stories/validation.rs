//! Errors in an event are answered with their places, and nothing of the batch is stored.

use logbook_tests::{Answer, Client, on_both, server::sample};
use serde_json::{Value, json};

fn path(log: &str) -> String {
    format!("/workspaces/clinic/logs/{log}")
}

/// Sends two valid events and an invalid one. Returns the answer.
#[track_caller]
fn refused(client: &Client, log: &str, bad: Value) -> Answer {
    let answer = client.post(&path(log), json!([sample(log, 1), sample(log, 2), bad])).expect(422);
    assert_eq!(answer.code(), "validation_failed");
    answer
}

/// A valid event with another value at a JSON pointer.
fn with(log: &str, pointer: &str, value: Value) -> Value {
    let mut event = sample(log, 1);
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = event.pointer_mut(parent).unwrap_or_else(|| panic!("{log} has {pointer}"));
    parent[name] = value;
    event
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |inner, _| json!([inner]))
}

on_both!(each_kind_of_error_names_the_element_and_the_field, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let long = |n: usize| Value::from("x".repeat(n));
    let cases = [
        ("access", "/event_type", json!("Login"), "/2/event_type"),
        ("access", "/event_type", json!(""), "/2/event_type"),
        ("access", "/event_type", json!("login\n"), "/2/event_type"),
        ("access", "/event_type", long(65), "/2/event_type"),
        ("access", "/event_type", json!(7), "/2/event_type"),
        ("access", "/event_type", json!(null), "/2/event_type"),
        ("access", "/status", json!("maybe"), "/2/status"),
        ("access", "/occurred_at", json!("yesterday"), "/2/occurred_at"),
        ("access", "/occurred_at", json!("1969-12-31T23:59:59Z"), "/2/occurred_at"),
        ("access", "/occurred_at", json!("9999-12-31T23:59:59Z"), "/2/occurred_at"),
        ("access", "/occurred_at", json!(1_700_000_000), "/2/occurred_at"),
        ("access", "/user/id", long(256), "/2/user/id"),
        ("access", "/user/id", json!(17), "/2/user/id"),
        ("access", "/user/name", json!("a\u{0}b"), "/2/user/name"),
        ("access", "/user/nick", json!("x"), "/2/user/nick"),
        ("access", "/user", json!("17"), "/2/user"),
        ("access", "/ip_address", json!("300.1.1.1"), "/2/ip_address"),
        ("access", "/ip_address", json!(""), "/2/ip_address"),
        ("access", "/user_agent", long(2001), "/2/user_agent"),
        ("access", "/username", json!("\u{0}"), "/2/username"),
        ("access", "/dedupe_key", json!(""), "/2/dedupe_key"),
        ("access", "/dedupe_key", json!("k\u{0}"), "/2/dedupe_key"),
        ("access", "/metadata", json!([]), "/2/metadata"),
        ("access", "/metadata", json!({"a/b": 9_007_199_254_740_993_i64}), "/2/metadata/a~1b"),
        ("access", "/metadata", json!({"a": nested(40)}), "/2/metadata/a"),
        ("access", "/metadata", json!({"a": "x".repeat(65_536)}), "/2/metadata"),
        ("access", "/log", json!("application"), "/2/log"),
        ("access", "/log", json!("other"), "/2/log"),
        ("access", "/surprise", json!(1), "/2/surprise"),
        ("access", "/model", json!("patient"), "/2/model"),
        ("application", "/model", json!(""), "/2/model"),
        ("application", "/record_id", json!(92), "/2/record_id"),
        ("application", "/record_id", json!("\u{0}"), "/2/record_id"),
        ("application", "/actor", json!({"type": "robot"}), "/2/actor/type"),
        ("application", "/actor", json!({"type": "user", "name": "x".repeat(501)}), "/2/actor/name"),
        ("application", "/changes/0/field", json!(""), "/2/changes/0/field"),
        ("application", "/changes/0/field", long(256), "/2/changes/0/field"),
        ("application", "/changes/0/field", json!(3), "/2/changes/0/field"),
        ("application", "/changes/0/newer", json!(3), "/2/changes/0/newer"),
        ("application", "/changes/0/new", long(65_536), "/2/changes/0/new"),
        ("application", "/changes/0/old", json!(1e300), "/2/changes/0/old"),
        ("application", "/changes/0/old", json!(-9_007_199_254_740_993_i64), "/2/changes/0/old"),
        ("application", "/changes/0/new", json!({"deep": [u64::MAX]}), "/2/changes/0/new"),
        ("application", "/changes/0/added", json!([]), "/2/changes/0"),
        ("application", "/changes", json!(vec![json!({"field": "a"}); 1001]), "/2/changes"),
        (
            "application",
            "/changes",
            json!([{"field": "a", "added": [1, nested(33)]}]),
            "/2/changes/0/added/1",
        ),
        ("framework", "/component/type", json!(""), "/2/component/type"),
        ("framework", "/component/type", json!("a:b"), "/2/component/type"),
        ("framework", "/component/id", long(256), "/2/component/id"),
        ("framework", "/component", json!("policy:2"), "/2/component"),
        ("framework", "/error", long(20_001), "/2/error"),
        ("framework", "/status", json!(true), "/2/status"),
    ];
    let mut wrong = Vec::new();
    for (log, pointer, value, place) in cases {
        let answer = admin
            .post(&path(log), json!([sample(log, 1), sample(log, 2), with(log, pointer, value.clone())]));
        let places = answer.places();
        if answer.status != 422 || places.is_empty() || places.iter().any(|found| *found != place) {
            let shown: String = value.to_string().chars().take(60).collect();
            wrong.push(format!("{log} {pointer} = {shown}: {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for log in ["access", "application", "framework"] {
        assert_eq!(
            admin.get(&path(log)).expect(200).data().len(),
            0,
            "a batch is stored whole or not at all"
        );
    }
    assert!(admin.get("/workspaces/clinic/logs/feed").expect(200).data().is_empty());
});

on_both!(each_missing_field_is_named, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for (log, event, place) in [
        ("access", json!({}), "/2/event_type"),
        ("application", json!({"action": "create", "record_id": "1"}), "/2/model"),
        ("application", json!({"action": "create", "model": "patient"}), "/2/record_id"),
        ("framework", json!({"action": "policy_synced"}), "/2/component"),
        ("framework", json!({"action": "policy_synced", "component": {}}), "/2/component/type"),
        (
            "application",
            json!({"action": "a", "model": "m", "record_id": "1", "changes": [{}]}),
            "/2/changes/0/field",
        ),
    ] {
        let answer = refused(&admin, log, event);
        assert_eq!(answer.places(), [place], "{}", answer.text);
        assert_eq!(answer.json["errors"][0]["code"], "missing");
    }
});

on_both!(an_array_never_stands_for_an_object, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    for (log, event, place) in [
        ("access", json!([null, null, null, "login"]), "/2"),
        ("access", json!(with("access", "/user", json!(["17", "Asha Rao"]))), "/2/user"),
        ("application", with("application", "/actor", json!(["user", "1", "x"])), "/2/actor"),
        ("application", with("application", "/changes", json!([["status", "a", "b"]])), "/2/changes/0"),
        ("framework", with("framework", "/component", json!(["policy"])), "/2/component"),
        ("access", json!("login"), "/2"),
        ("access", json!(null), "/2"),
    ] {
        let answer = refused(&admin, log, event);
        assert_eq!(answer.places(), [place], "{}", answer.text);
    }
});

on_both!(many_errors_are_named_together_up_to_a_limit, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let bad = json!({"event_type": "Login", "ip_address": "x", "user": {"id": "y".repeat(300)}});
    let answer = admin.post(&path("access"), json!([sample("access", 1), bad])).expect(422);
    assert_eq!(answer.places(), ["/1/event_type", "/1/ip_address", "/1/user/id"]);
    let answer = admin.post(&path("access"), json!(vec![bad; 1000])).expect(422);
    assert_eq!(answer.places().len(), 20);
});

on_both!(the_largest_allowed_event_is_accepted, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = json!({
        "action": "u".repeat(64), "model": "ß".repeat(255), "record_id": "李".repeat(255), "record_name": "n".repeat(1000),
        "actor": {"type": "user", "id": "i".repeat(255), "name": "é".repeat(500)}, "role": "r".repeat(255),
        "user_agent": "a".repeat(2000), "session_id": "s".repeat(255), "correlation_id": "c".repeat(255),
        "changes": vec![json!({"field": "f".repeat(100), "old": 9_007_199_254_740_992_i64, "new": -9_007_199_254_740_992_i64}); 1000],
        "metadata": {"deep": nested(31), "text": "x".repeat(65_000)},
    });
    let answer = admin.post(&path("application"), json!([event])).expect(201);
    let longest = with("application", "/changes/0/field", "f".repeat(255).into());
    admin.post(&path("application"), json!([longest])).expect(201);
    let one = admin.get(&format!(
        "{}/{}",
        path("application"),
        answer.json["results"][0]["id"].as_str().expect("id")
    ));
    assert_eq!(one.expect(200).json["changes"], event["changes"]);
});

on_both!(the_time_of_an_event_may_lie_a_day_ahead_but_not_more, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let now = logbook_engine::db::timestamp::Timestamp::now;
    let began = now();
    let at = |seconds: i64| json!([{"event_type": "login", "occurred_at": now().plus_seconds(seconds)}]);
    admin.post(&path("access"), at(86_400)).expect(201);
    // The clock goes on until the event arrives.
    admin.post(&path("access"), at(86_400 + 600)).expect(422);
    admin
        .post(&path("access"), json!([{"event_type": "login", "occurred_at": "1970-01-01T00:00:00Z"}]))
        .expect(201);
    let unsaid = admin.post(
        &path("access"),
        json!([{"event_type": "login"}, {"event_type": "login", "occurred_at": null}]),
    );
    assert_eq!(unsaid.expect(201).json["accepted"], 2);
    let page = admin.get(&path("access")).expect(200);
    let at = page.data()[1]["occurred_at"].as_str().expect("a time");
    assert!(at >= began.to_string().as_str(), "left out means now: {at}");
});

on_both!(what_is_wrong_with_the_wider_event_is_named, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let many = vec![json!({"type": "x"}); 51];
    for (wrong, place) in [
        (json!({"targets": [{"type": "a"}, {"id": "7"}]}), "/0/targets/1/type"),
        (json!({"targets": [{"type": ""}]}), "/0/targets/0/type"),
        (json!({"targets": [["a"]]}), "/0/targets/0"),
        (json!({"targets": many}), "/0/targets"),
        (json!({"on_behalf_of": {"type": "robot"}}), "/0/on_behalf_of/type"),
        (json!({"on_behalf_of": {"id": "x".repeat(256)}}), "/0/on_behalf_of/id"),
        (json!({"sequence": -1}), "/0/sequence"),
        (json!({"sequence": 1_u64 << 54}), "/0/sequence"),
        (json!({"epoch": ""}), "/0/epoch"),
        (json!({"purpose": "x".repeat(1001)}), "/0/purpose"),
        (json!({"status": "gone"}), "/0/status"),
        (json!({"ip_address": "10.0.0.0/8"}), "/0/ip_address"),
    ] {
        let mut event = json!({"event_type": "login"});
        event.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        let refused = admin.post("/workspaces/clinic/logs/access", json!([event])).expect(422);
        assert_eq!(refused.places(), [place], "{}", refused.text);
    }
    let label = json!([{"field": "a", "old": 1, "new": 2, "old_label": "x".repeat(1001)}]);
    let event = json!({"action": "update", "model": "m", "record_id": "1", "changes": label});
    let refused = admin.post("/workspaces/clinic/logs/application", json!([event])).expect(422);
    assert_eq!(refused.places(), ["/0/changes/0/old_label"]);
});
