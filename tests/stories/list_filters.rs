//! Every filter of every log, alone and together, and what is refused.

use logbook_tests::{Client, on_both, pagination, server::sample};
use serde_json::{Value, json};

/// Appends events, each marked by its correlation id.
fn given(admin: &Client, log: &str, events: &[(&str, Value)]) {
    let marked = events.iter().enumerate().map(|(i, (mark, event))| {
        let mut event = event.clone();
        event["correlation_id"] = (*mark).into();
        event["occurred_at"] = format!("2026-10-01T00:00:{i:02}Z").into();
        event
    });
    let body = Value::from(marked.collect::<Vec<_>>());
    admin.post(&format!("/workspaces/clinic/logs/{log}"), body).expect(201);
}

/// The marks of the events that a query string shows, oldest first.
#[track_caller]
fn shown(admin: &Client, log: &str, query: &str) -> String {
    let page = admin.get(&format!("/workspaces/clinic/logs/{log}?order=asc&{query}")).expect(200);
    let marks: Vec<_> =
        page.data().iter().map(|e| e["correlation_id"].as_str().expect("a mark").to_owned()).collect();
    marks.join(" ")
}

on_both!(the_access_log_has_these_filters, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    given(
        &admin,
        "access",
        &[
            (
                "a",
                json!({"event_type": "login", "user": {"id": "17"}, "role": "Nurse", "ip_address": "198.51.100.4"}),
            ),
            ("b", json!({"event_type": "login_failed", "username": "17", "ip_address": "::1"})),
            ("c", json!({"event_type": "logout", "user": {"id": "7"}, "role": "nurse", "session_id": "s1"})),
            (
                "d",
                json!({"event_type": "role_switched", "user": {"id": "17"}, "role": "", "session_id": "S1"}),
            ),
            (
                "e",
                json!({"event_type": "login", "status": "failure", "role": "Front desk, night", "user": {"name": "x"}}),
            ),
        ],
    );
    for (query, expected) in [
        ("", "a b c d e"),
        ("event_type=login", "a e"),
        ("event_type=login&event_type=logout", "a c e"),
        ("event_type=LOGIN", ""),
        ("status=failure", "b e"),
        ("status=success&status=failure", "a b c d e"),
        ("role=Nurse", "a"),
        ("role=", "d"),
        ("role=Front%20desk,%20night&role=nurse", "c e"),
        ("user_id=17", "a d"),
        ("user_id=1", ""),
        ("user_id=17&user_id=7", "a c d"),
        ("ip_address=::1", "b"),
        ("ip_address=198.51.100.4&ip_address=%3A%3A1", "a b"),
        ("session_id=s1", "c"),
        ("session_id=s1&session_id=S1&event_type=logout", "c"),
        ("user_id=17&status=success&role=Nurse", "a"),
        ("user_id=17&status=failure", ""),
        ("event_type=login&q=desk", "e"),
    ] {
        assert_eq!(shown(&admin, "access", query), expected, "{query}");
    }
});

on_both!(the_application_log_has_these_filters, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let changes =
        |names: &[&str]| Value::from(names.iter().map(|name| json!({"field": name})).collect::<Vec<_>>());
    given(
        &admin,
        "application",
        &[
            (
                "a",
                json!({"action": "create", "model": "patient", "record_id": "1", "changes": [
                    {"field": "status", "new": "open"}, {"field": "name", "new": "Asha: Rao"}, {"field": "age", "new": 7}]}),
            ),
            (
                "b",
                json!({"action": "update", "model": "patient", "record_id": "2", "actor": {"type": "user", "id": "1"}}),
            ),
            (
                "c",
                json!({"action": "update", "model": "doctor", "record_id": "1", "changes": [
                    {"field": "Status"}, {"field": "status", "old": "open", "new": "closed", "new_label": "Done"},
                    {"field": "roles", "added": ["Nurse", 9], "removed": ["Physician"]}]}),
            ),
            (
                "d",
                json!({"action": "delete", "model": "Patient", "record_id": "92", "actor": {"type": "admin", "id": "1"}}),
            ),
            (
                "e",
                json!({"action": "exported", "model": "patient", "record_id": "a:b", "changes": changes(&["größe"]),
                "actor": {"type": "service", "id": "sync"}}),
            ),
        ],
    );
    for (query, expected) in [
        ("action=update", "b c"),
        ("action=create&action=delete", "a d"),
        ("model=patient", "a b e"),
        ("model=patient&model=doctor", "a b c e"),
        ("record_id=1", "a c"),
        ("record_id=1&model=doctor", "c"),
        ("record_id=a:b&record_id=92", "d e"),
        ("record=patient:1", "a"),
        ("record=patient:1&record=doctor:1", "a c"),
        ("record=patient:a:b", "e"),
        ("record=patient:1&model=doctor", ""),
        ("model=patient&not_record=patient:1", "b e"),
        ("actor_id=1", "b d"),
        ("actor_type=system", "a c"),
        ("actor_type=user&actor_type=service", "b e"),
        ("actor_type=admin&actor_id=1", "d"),
        ("field=age", "a"),
        ("field=age&field=gr%C3%B6%C3%9Fe", "a e"),
        ("field=stat", ""),
        ("field=name&action=update", ""),
        (&format!("changed=a{}", ":".repeat(30_000)), ""),
        (&format!("target=a{}", ":".repeat(30_000)), ""),
        ("changed=status:closed", "c"),
        ("changed=status:open", "a"),
        ("changed=status:open&changed=status:closed", "a c"),
        ("changed=status:Closed", ""),
        ("changed=status:Done", "c"),
        ("changed=age:7", "a"),
        ("changed=name:Asha:%20Rao", "a"),
        ("changed=Status:null", "c"),
        ("changed=gr%C3%B6%C3%9Fe:null", "e"),
        ("changed=roles:Nurse", "c"),
        ("changed=roles:9&field=status", "c"),
        ("changed=roles:Physician", ""),
        ("not_changed=status:closed", "a b d e"),
        ("field=status&not_changed=status:open", "c"),
    ] {
        assert_eq!(shown(&admin, "application", query), expected, "{query}");
    }
});

on_both!(the_framework_log_has_these_filters, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    given(
        &admin,
        "framework",
        &[
            ("a", json!({"action": "policy_synced", "component": {"type": "policy", "id": "2"}})),
            (
                "b",
                json!({"action": "policy_synced", "component": {"type": "policy", "id": "22"}, "error": "no such role"}),
            ),
            (
                "c",
                json!({"action": "package_installed", "component": {"type": "package", "id": "a:b"}, "actor": {"type": "admin", "id": "9"}}),
            ),
            (
                "d",
                json!({"action": "app_updated", "component": {"type": "app"}, "error": "slow", "status": "success"}),
            ),
        ],
    );
    for (query, expected) in [
        ("action=policy_synced", "a b"),
        ("component=policy", "a b"),
        ("component=policy:2", "a"),
        ("component=policy:2&component=app", "a d"),
        ("component=package:a:b", "c"),
        ("component=app:", ""),
        ("component=Policy", ""),
        ("actor_id=9", "c"),
        ("actor_type=system", "a b d"),
        ("status=failure", "b"),
        ("status=success&component=policy&component=app", "a d"),
    ] {
        assert_eq!(shown(&admin, "framework", query), expected, "{query}");
    }
});

on_both!(a_wrong_or_unknown_parameter_is_named, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post("/workspaces/clinic/logs/access", json!([sample("access", 1)])).expect(201);
    let many = (0..101).map(|n| format!("role={n}")).collect::<Vec<_>>().join("&");
    let long = format!("q={}", "x".repeat(201));
    let colons = ":".repeat(30_000);
    for (path, code, place) in [
        ("access?limit=0", "invalid_parameter", "limit"),
        ("access?limit=1001", "invalid_parameter", "limit"),
        ("access?limit=-1", "invalid_parameter", "limit"),
        ("access?limit=ten", "invalid_parameter", "limit"),
        ("access?limit=", "invalid_parameter", "limit"),
        ("access?limit=5&limit=6", "invalid_parameter", "limit"),
        ("access?order=up", "invalid_parameter", "order"),
        ("access?status=maybe", "invalid_parameter", "status"),
        (&format!("application?record=a{colons}"), "invalid_parameter", "record"),
        ("application?changed=status", "invalid_parameter", "changed"),
        ("application?changed=:closed", "invalid_parameter", "changed"),
        ("framework?not_changed=", "invalid_parameter", "not_changed"),
        ("access?changed=status:closed", "unknown_parameter", "changed"),
        ("access?status=failure&status=", "invalid_parameter", "status"),
        ("access?q=", "invalid_parameter", "q"),
        (&format!("access?{long}"), "invalid_parameter", "q"),
        (&format!("access?{many}"), "invalid_parameter", "role"),
        ("access?since=yesterday", "invalid_parameter", "since"),
        ("access?since=", "invalid_parameter", "since"),
        ("access?since=2026-13-01", "invalid_parameter", "since"),
        ("access?since=2026-2-30", "invalid_parameter", "since"),
        ("access?since=2026-1-5", "invalid_parameter", "since"),
        ("access?since=01/02/2026", "invalid_parameter", "since"),
        ("access?since=2026-11-22T20:48:59", "invalid_parameter", "since"),
        ("access?until=1763840939", "invalid_parameter", "until"),
        ("access?since=2026-02-02&until=2026-02-01", "invalid_parameter", "until"),
        ("access?tz=Mars/Olympus", "invalid_parameter", "tz"),
        ("access?tz=", "invalid_parameter", "tz"),
        ("access?cursor=", "cursor_invalid", "cursor"),
        ("access?cursor=abc", "cursor_invalid", "cursor"),
        ("access?cursor=%20", "cursor_invalid", "cursor"),
        ("access?model=patient", "unknown_parameter", "model"),
        ("access?Status=failure", "unknown_parameter", "Status"),
        ("access?page=2", "unknown_parameter", "page"),
        ("access?=2", "unknown_parameter", ""),
        ("application?user_id=7", "unknown_parameter", "user_id"),
        ("application?not_status=gone", "invalid_parameter", "not_status"),
        ("access?not_user=7", "unknown_parameter", "not_user"),
        ("access?not_since=2026-11-22", "unknown_parameter", "not_since"),
        ("access?not_q=a", "unknown_parameter", "not_q"),
        ("access?metadata=a", "unknown_parameter", "metadata"),
        ("access?metadata.=a", "unknown_parameter", "metadata."),
        ("access?metadatax.y=a", "unknown_parameter", "metadatax.y"),
        ("access?ip_address=10.0.0.0/33", "invalid_parameter", "ip_address"),
        ("access?ip_address=clinic", "invalid_parameter", "ip_address"),
        ("access?not_ip_address=10.0.0", "invalid_parameter", "not_ip_address"),
        ("framework?not_component=:2", "invalid_parameter", "not_component"),
        ("application?actor_type=robot", "invalid_parameter", "actor_type"),
        ("framework?component=:2", "invalid_parameter", "component"),
        ("framework?event_type=login", "unknown_parameter", "event_type"),
        ("access/metrics?limit=5", "unknown_parameter", "limit"),
        ("access/metrics?interval=1d", "unknown_parameter", "interval"),
        ("access/facets?order=asc", "unknown_parameter", "order"),
        ("access/histogram?interval=2h", "invalid_parameter", "interval"),
        ("access/histogram?by=model", "invalid_parameter", "by"),
        ("application/histogram?by=actor_id", "invalid_parameter", "by"),
        ("feed?after=-1", "invalid_parameter", "after"),
        ("feed?after=x", "invalid_parameter", "after"),
        ("feed?after=99999999999999999999", "invalid_parameter", "after"),
        ("feed?limit=1001", "invalid_parameter", "limit"),
        ("feed?log=access", "unknown_parameter", "log"),
        ("access/01935fb2-8e31-8000-8000-040000000029?x=1", "unknown_parameter", "x"),
        ("access?user_id=%00", "invalid_parameter", "user_id"),
        ("application?model=a%00", "invalid_parameter", "model"),
        ("framework?component=a:%00", "invalid_parameter", "component"),
        ("access?q=%00", "invalid_parameter", "q"),
    ] {
        let answer = admin.get(&format!("/workspaces/clinic/logs/{path}"));
        assert_eq!((answer.status, answer.code()), (400, code), "{path}: {}", answer.text);
        assert_eq!(answer.places(), [place], "{path}: {}", answer.text);
    }
    let both = admin.get("/workspaces/clinic/logs/access?page=2&per_page=3").expect(400);
    assert_eq!(both.places(), ["page", "per_page"]);
});

on_both!(late_events_appear_in_their_place, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let at = |minute: i64| json!([sample("access", minute)]);
    for minute in [10, 30, 20, 40, 5, 20] {
        admin.post("/workspaces/clinic/logs/access", at(minute)).expect(201);
    }
    let users = |events: &[Value]| {
        events.iter().map(|e| e["user"]["id"].as_str().expect("id").to_owned()).collect::<Vec<_>>()
    };
    let listed = pagination::pages(&admin, "/workspaces/clinic/logs/access", &[("limit", "2")]);
    assert_eq!(users(&listed), ["40", "30", "20", "20", "10", "5"]);
    assert_eq!(pagination::seqs(&listed), [4, 2, 6, 3, 1, 5], "of equal times the later one comes first");
    let feed = pagination::feed(&admin, "clinic", "0".into(), 4);
    assert_eq!(pagination::seqs(&feed), [1, 2, 3, 4, 5, 6]);
});
