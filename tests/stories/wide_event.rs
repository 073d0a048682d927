//! Events as other systems have them: what has a column is in it, comes back, and is found by filter and by search.

use logbook_tests::{Client, on_both};
use serde_json::{Value, json};

const LOGS: &str = "/workspaces/clinic/logs";

/// Appends an event and returns it as the log has it.
fn round_trip(admin: &Client, log: &str, event: Value) -> Value {
    let answer = admin.post(&format!("{LOGS}/{log}"), json!([event])).expect(201);
    let id = answer.json["results"][0]["id"].as_str().expect("an id").to_owned();
    let found = admin.get(&format!("{LOGS}/{log}/{id}")).expect(200).json;
    for (field, sent) in event.as_object().expect("an object") {
        assert_eq!(&found[field], sent, "{field}");
    }
    found
}

/// Each question finds the event, and its exclusion does not.
fn found_by(admin: &Client, log: &str, event: &Value, filters: &[(&str, &str)], texts: &[&str]) {
    let ids = |parameters: &[(&str, &str)]| -> Vec<Value> {
        let found = admin.query(&format!("{LOGS}/{log}"), parameters).expect(200);
        found.data().iter().map(|event| event["id"].clone()).collect()
    };
    for (name, value) in filters {
        assert!(ids(&[(name, value)]).contains(&event["id"]), "{name}={value}");
        assert!(!ids(&[(&format!("not_{name}"), value)]).contains(&event["id"]), "not_{name}={value}");
    }
    for text in texts {
        assert!(ids(&[("q", text)]).contains(&event["id"]), "{text}");
    }
}

/// The same, before and after the events are indexed.
fn found_before_and_after_indexing(
    admin: &Client,
    log: &str,
    event: &Value,
    filters: &[(&str, &str)],
    texts: &[&str],
) {
    found_by(admin, log, event, filters, texts);
    admin.wait_for_index();
    found_by(admin, log, event, filters, texts);
}

on_both!(an_okta_event_with_three_targets, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    // A System Log event `application.user_membership.add`, mapped as its shape says.
    let event = round_trip(
        &admin,
        "access",
        json!({
            "event_type": "application_user_membership_add", "status": "success",
            "user": {"type": "user", "id": "00u1", "name": "Bob"}, "username": "bob@acme.io",
            "targets": [
                {"type": "AppUser", "id": "0ua7", "name": "Asha Rao"},
                {"type": "AppInstance", "id": "0oa9", "name": "Payroll"},
                {"type": "UserGroup", "id": "00g3", "name": "Night shift"},
            ],
            "ip_address": "203.0.113.9", "session_id": "102-ext", "correlation_id": "txn-WEB-1",
            "user_agent": "Mozilla/5.0",
        }),
    );
    assert_eq!(event["metadata"], json!({}));
    let filters = [
        ("target", "AppInstance:0oa9"),
        ("target", "UserGroup:00g3"),
        ("target", "AppUser"),
        ("correlation_id", "txn-WEB-1"),
        ("ip_address", "203.0.113.0/24"),
    ];
    found_before_and_after_indexing(&admin, "access", &event, &filters, &["payroll", "night SHIFT", "0ua7"]);
});

on_both!(an_impersonation, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = round_trip(
        &admin,
        "access",
        json!({
            "event_type": "impersonation_started", "user": {"type": "admin", "id": "1", "name": "Support Sam"},
            "on_behalf_of": {"type": "user", "id": "17", "name": "Asha Rao"}, "purpose": "ticket INC-4711",
        }),
    );
    let filters = [("on_behalf_of", "17"), ("user_type", "admin")];
    found_before_and_after_indexing(&admin, "access", &event, &filters, &["asha rao", "inc-47"]);
    // Of whom the type is not said, is a user.
    let event = json!({"event_type": "login", "on_behalf_of": {"id": "18"}});
    let answer = admin.post(&format!("{LOGS}/access"), json!([event])).expect(201);
    let id = answer.json["results"][0]["id"].as_str().expect("an id");
    let found = admin.get(&format!("{LOGS}/access/{id}")).expect(200).json;
    assert_eq!(found["on_behalf_of"], json!({"type": "user", "id": "18", "name": null}));
});

on_both!(an_agents_tool_call, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event = round_trip(
        &admin,
        "application",
        json!({
            "action": "tool_called", "status": "success", "model": "tool", "record_id": "refund", "record_name": "Refund",
            "actor": {"type": "agent", "id": "triage-2", "name": "Triage assistant"},
            "on_behalf_of": {"type": "user", "id": "17", "name": "Asha Rao"},
            "targets": [{"type": "invoice", "id": "INV-9", "name": null}],
            "epoch": "run-5f", "sequence": 41,
            "metadata": {"arguments": {"amount": 12.5, "currency": "INR", "tags": ["late", "vip"], "dry_run": false}},
        }),
    );
    let filters = [
        ("actor_type", "agent"),
        ("on_behalf_of", "17"),
        ("target", "invoice:INV-9"),
        ("target", "tool:refund"),
        ("metadata.arguments.currency", "INR"),
        ("metadata.arguments.amount", "12.5"),
        ("metadata.arguments.tags", "vip"),
        ("metadata.arguments.dry_run", "false"),
    ];
    found_before_and_after_indexing(&admin, "application", &event, &filters, &["triage", "currency", "late"]);
});

on_both!(a_denied_request, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    // As a Kubernetes audit event has it.
    let event = round_trip(
        &admin,
        "framework",
        json!({
            "action": "secrets_delete", "status": "denied", "error": "secrets \"x\" is forbidden",
            "component": {"type": "secrets", "id": "a/x", "name": "x"},
            "actor": {"type": "user", "id": "bob", "name": null},
            "on_behalf_of": {"type": "service", "id": "svc", "name": null}, "ip_address": "203.0.113.9",
        }),
    );
    found_before_and_after_indexing(&admin, "framework", &event, &[("status", "denied")], &["is forbidden"]);
    let record = json!({
        "action": "view", "status": "denied", "status_reason": "not the patient's ward", "model": "patient", "record_id": "9",
    });
    let event = round_trip(&admin, "application", record);
    found_before_and_after_indexing(
        &admin,
        "application",
        &event,
        &[("status", "denied")],
        &["patient's ward"],
    );
    for log in ["application", "framework"] {
        let metrics = admin.get(&format!("{LOGS}/{log}/metrics")).expect(200).json;
        assert_eq!((&metrics["denied"], &metrics["failed"]), (&json!(1), &json!(0)), "{log}");
        let facets = admin.get(&format!("{LOGS}/{log}/facets")).expect(200).json;
        let statuses =
            facets["data"].as_array().expect("facets").iter().find(|facet| facet["field"] == "status");
        assert_eq!(statuses.expect("a facet")["values"], json!([{"value": "denied", "count": 1}]), "{log}");
    }
});

on_both!(a_change_with_labels, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let changes = json!([
        {"field": "doctor_id", "old": 7, "new": 9, "label": "Doctor", "old_label": "Asha Rao", "new_label": "Ben Kim"},
        {"field": "roles", "added": [3], "removed": [], "label": "Roles", "new_label": "Head nurse"},
        {"field": "note", "old": null, "new": "fine"},
    ]);
    let event = json!({"action": "update", "model": "patient", "record_id": "92", "changes": changes});
    let event = round_trip(&admin, "application", event);
    let filters = [("field", "doctor_id")];
    found_before_and_after_indexing(
        &admin,
        "application",
        &event,
        &filters,
        &["ben kim", "head nurse", "Doctor"],
    );
    // A label of a secret tells the secret.
    let secret =
        json!([{"field": "password", "old": "", "new": "x", "new_label": "hunter2", "label": "Password"}]);
    let event = json!({"action": "update", "model": "user", "record_id": "1", "changes": secret});
    let answer = admin.post(&format!("{LOGS}/application"), json!([event])).expect(201);
    let id = answer.json["results"][0]["id"].as_str().expect("an id");
    let found = admin.get(&format!("{LOGS}/application/{id}")).expect(200);
    assert!(!found.text.contains("hunter2"));
    assert_eq!(found.json["masked"], json!(["/changes/0/new", "/changes/0/new_label"]));
    assert_eq!(found.json["changes"][0]["label"], "Password");
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
        let refused = admin.post(&format!("{LOGS}/access"), json!([event])).expect(422);
        assert_eq!(refused.places(), [place], "{}", refused.text);
    }
    let label = json!([{"field": "a", "old": 1, "new": 2, "old_label": "x".repeat(1001)}]);
    let event = json!({"action": "update", "model": "m", "record_id": "1", "changes": label});
    let refused = admin.post(&format!("{LOGS}/application"), json!([event])).expect(422);
    assert_eq!(refused.places(), ["/0/changes/0/old_label"]);
});
