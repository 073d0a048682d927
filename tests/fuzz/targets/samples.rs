//! Valid events of each log, which other inputs are made from.

use logbook_engine::event::Event;
use serde_json::{Value, json};

pub(crate) const LOGS: [&str; 3] = ["access", "application", "framework"];

/// Names and values of events, for mutations.
pub(crate) const WORDS: &[&str] = &[
    "log",
    "occurred_at",
    "dedupe_key",
    "event_type",
    "status",
    "status_reason",
    "user",
    "username",
    "action",
    "actor",
    "type",
    "id",
    "name",
    "model",
    "record_id",
    "record_name",
    "component",
    "error",
    "changes",
    "field",
    "old",
    "new",
    "added",
    "removed",
    "label",
    "old_label",
    "new_label",
    "role",
    "on_behalf_of",
    "purpose",
    "targets",
    "ip_address",
    "user_agent",
    "session_id",
    "correlation_id",
    "epoch",
    "sequence",
    "metadata",
    "access",
    "application",
    "framework",
    "activity",
    "success",
    "failure",
    "denied",
    "service",
    "agent",
    "password",
    "token",
    "authorization",
    "cookie",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "10.0.0.0/8",
];

/// An event with everything that its log has.
pub(crate) fn full(log: &str) -> Value {
    let mut event = json!({
        "log": log, "occurred_at": "2026-11-22T20:48:58.323338Z", "dedupe_key": "k-1", "status": "denied",
        "role": "Nurse", "on_behalf_of": {"type": "user", "id": "17", "name": "Asha Rao"}, "purpose": "INC-4711",
        "targets": [{"type": "group", "id": "7", "name": "Night shift"}, {"type": "app"}],
        "ip_address": "198.51.100.4", "user_agent": "Mozilla/5.0", "session_id": "s-1", "correlation_id": "c-1",
        "epoch": "run-1", "sequence": 41,
        "metadata": {"request": {"region": "eu", "size": 1.5}, "list": [1, true, null, "x"], "config": "{\"api_key\": \"x\"}"},
    });
    let own = match log {
        "access" => json!({
            "event_type": "login", "status_reason": "why", "username": "asha@clinic.test",
            "user": {"type": "user", "id": "17", "name": "Asha Rao"},
        }),
        "application" => json!({
            "action": "update", "status_reason": "why", "model": "patient", "record_id": "92", "record_name": "R. Iyer",
            "actor": {"type": "agent", "id": "a-1", "name": "Scribe"},
            "changes": [
                {"field": "status", "old": "open", "new": {"a": [1, 2.5]}, "label": "Status", "old_label": "a", "new_label": "b"},
                {"field": "roles", "added": ["a", 1], "removed": [null]},
                {"field": "password", "old": null, "new": "hunter2"},
            ],
        }),
        _ => json!({
            "action": "policy_synced", "component": {"type": "policy", "id": "2", "name": "Ops"}, "error": "no role",
            "actor": {"type": "service", "id": "s"}, "changes": [{"field": "a", "old": 1, "new": 2}],
        }),
    };
    merge(&mut event, own);
    event
}

/// An event with nothing that may be absent.
pub(crate) fn short(log: &str) -> Value {
    let mut event = json!({"log": log});
    merge(
        &mut event,
        match log {
            "access" => json!({"event_type": "login"}),
            "application" => json!({"action": "create", "model": "patient", "record_id": "1"}),
            _ => json!({"action": "task_failed", "component": {"type": "task"}}),
        },
    );
    event
}

fn merge(event: &mut Value, more: Value) {
    if let (Value::Object(event), Value::Object(more)) = (event, more) {
        event.extend(more);
    }
}

/// The events as they are stored.
pub(crate) fn stored() -> Vec<Event> {
    use logbook::routes::logs::{
        append::{elements, prepare_all},
        ingest::parse_mixed,
    };
    use logbook_engine::event::masking::Masker;

    let all: Vec<Value> = LOGS.into_iter().flat_map(|log| [full(log), short(log)]).collect();
    let body = Value::from(all).to_string();
    let elements = elements(body.as_bytes()).expect("JSON");
    let source = "clinic producer".try_into().expect("within the limits");
    let events = prepare_all(&elements, parse_mixed, &source, &Masker::default(), |_| Ok(()));
    (1..)
        .zip(events.expect("valid"))
        .map(|(seq, prepared)| {
            let mut event = Event::try_from(prepared.row).expect("a valid row");
            (event.workspace_id, event.seq) = (1, seq);
            event
        })
        .collect()
}
