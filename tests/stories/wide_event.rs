//! What real producers say fits the columns: nothing is in `metadata` that has one, and all of it is found by filter and
//! search. Each story maps a producer's payload as a connector for it would.

use logbook_tests::{TestServer, on_both, server::sample};
use serde_json::{Value, json};

/// An event of a log, and what finds it and no other.
struct Wide {
    log: &'static str,
    event: Value,
    filters: &'static [(&'static str, &'static str)],
    searches: &'static [&'static str],
}

/// The texts and numbers of a value, without empty ones.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map.values().flat_map(leaves).collect(),
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Null | Value::Bool(_) => Vec::new(),
    }
}

/// Everything that was sent is in what came back. What comes back may have more: nulls, and defaults.
fn assert_contains(found: &Value, sent: &Value, place: &str) {
    match (found, sent) {
        (Value::Object(found), Value::Object(sent)) => {
            for (name, sent) in sent {
                assert_contains(found.get(name).unwrap_or(&Value::Null), sent, &format!("{place}/{name}"));
            }
        }
        (Value::Array(found), Value::Array(sent)) => {
            assert_eq!(found.len(), sent.len(), "{place}");
            for (n, (found, sent)) in found.iter().zip(sent).enumerate() {
                assert_contains(found, sent, &format!("{place}/{n}"));
            }
        }
        _ => assert_eq!(found, sent, "{place}"),
    }
}

/// Posts it among others, then looks for it with everything that it has.
fn check(server: &TestServer, wide: Wide) {
    let Wide { log, mut event, filters, searches } = wide;
    server.workspace("clinic");
    let admin = server.admin();
    let path = format!("/workspaces/clinic/logs/{log}");
    let events = json!([sample(log, 1), event, sample(log, 2)]);
    let stored = admin.post(&path, events).expect(201).json;
    let id = |n: usize| stored["results"][n]["id"].as_str().expect("an id").to_owned();
    let found = admin.get(&format!("{path}/{}", id(1))).expect(200).json;
    event.as_object_mut().expect("an object").remove("dedupe_key");
    assert_contains(&found, &event, "");
    assert_eq!(found["metadata"], event["metadata"]);
    assert_eq!(found["masked"], json!([]));

    let mut columns = found.clone();
    let metadata = columns.as_object_mut().expect("an object").remove("metadata").unwrap_or_default();
    let columns = leaves(&columns);
    let twice: Vec<_> = leaves(&metadata).into_iter().filter(|leaf| columns.contains(leaf)).collect();
    assert!(twice.is_empty(), "in the metadata and in a column: {twice:?}");

    let ids = |parameters: &[(&str, &str)]| {
        let answer = admin.query(&path, parameters).expect(200);
        answer.data().iter().map(|event| event["id"].clone()).collect::<Vec<_>>()
    };
    // At once, when the index may not have them yet, and when it has.
    for _ in 0..2 {
        for (name, value) in filters {
            assert_eq!(ids(&[(name, value)]), [id(1)], "{name}={value}");
            assert_eq!(
                ids(&[(&format!("not_{name}"), value), ("order", "asc")]),
                [id(0), id(2)],
                "not_{name}={value}"
            );
            let counted = admin.query(&format!("{path}/metrics"), &[(name, value)]).expect(200);
            assert_eq!(counted.json["total"], 1, "{name}={value}");
        }
        for text in searches {
            assert_eq!(ids(&[("q", text)]), [id(1)], "q={text}");
        }
        admin.wait_for_index();
    }
}

/// A column's text from a producer's `CamelCase` or `dotted.words`.
fn snake(text: &Value) -> String {
    let mut snake = String::new();
    for c in text.as_str().expect("a text").chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    snake
}

fn okta(log_event: &Value) -> Value {
    let target = |n: usize| {
        let target = &log_event["target"][n];
        json!({"type": snake(&target["type"]), "id": target["id"], "name": target["displayName"]})
    };
    let first = target(0);
    json!({
        "occurred_at": "2026-11-25T02:00:00.000000Z", "dedupe_key": log_event["uuid"],
        "action": snake(&log_event["eventType"]),
        "actor": {"type": "user", "id": log_event["actor"]["id"], "name": log_event["actor"]["displayName"]},
        "model": first["type"], "record_id": first["id"], "record_name": first["name"],
        "targets": [target(1), target(2)],
        "status": if log_event["outcome"]["result"] == "SUCCESS" { "success" } else { "failure" },
        "ip_address": log_event["client"]["ipAddress"],
        "user_agent": log_event["client"]["userAgent"]["rawUserAgent"],
        "session_id": log_event["authenticationContext"]["externalSessionId"],
        "correlation_id": log_event["transaction"]["id"],
        "metadata": {
            "severity": log_event["severity"], "display_message": log_event["displayMessage"],
            "actor_login": log_event["actor"]["alternateId"],
            "geo": log_event["client"]["geographicalContext"], "request": log_event["debugContext"]["debugData"],
        },
    })
}

on_both!(an_okta_event_with_three_targets, |server| {
    let payload = json!({
        "uuid": "b1f0c7aa-1d3e-11f0-9c66-0242ac120002", "published": "2026-11-25T02:00:00.000Z",
        "eventType": "group.user_membership.add", "version": "0", "severity": "INFO",
        "displayMessage": "Add user to group membership",
        "actor": {"id": "00u1admin", "type": "User", "alternateId": "bob@acme.test", "displayName": "Bob Admin"},
        "client": {
            "userAgent": {"rawUserAgent": "Mozilla/5.0 (Macintosh)", "os": "Mac OS X", "browser": "CHROME"},
            "zone": "null", "device": "Computer", "ipAddress": "203.0.113.9",
            "geographicalContext": {"city": "Oslo", "country": "Norway", "geolocation": {"lat": 59.9, "lon": 10.7}}
        },
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": [
            {"id": "00u2nora", "type": "User", "alternateId": "nora@acme.test", "displayName": "Nora Lind"},
            {"id": "00g7night", "type": "UserGroup", "alternateId": "unknown", "displayName": "Night shift"},
            {"id": "0oa9pharm", "type": "AppInstance", "alternateId": "Pharmacy", "displayName": "Pharmacy portal"}
        ],
        "transaction": {"id": "ZTXn4711", "type": "WEB"},
        "authenticationContext": {"externalSessionId": "trs8Vq2"},
        "debugContext": {"debugData": {"requestUri": "/api/v1/groups/00g7/users/00u2"}}
    });
    check(
        &server,
        Wide {
            log: "application",
            event: okta(&payload),
            filters: &[
                ("action", "group_user_membership_add"),
                ("actor_id", "00u1admin"),
                ("model", "user"),
                ("record_id", "00u2nora"),
                ("target", "user:00u2nora"),
                ("target", "user_group:00g7night"),
                ("target", "app_instance"),
                ("ip_address", "203.0.113.0/24"),
                ("session_id", "trs8Vq2"),
                ("correlation_id", "ZTXn4711"),
                ("metadata.geo.city", "Oslo"),
                ("metadata.actor_login", "bob@acme.test"),
            ],
            searches: &[
                "Bob Admin",
                "nora lind",
                "Night shift",
                "0oa9pharm",
                "pharmacy portal",
                "Macintosh",
                "ZTXn4711",
                "norway",
            ],
        },
    );
});

/// An item of the Kubernetes audit webhook.
fn kubernetes(item: &Value) -> Value {
    let person = |who: &Value| {
        let name = who["username"].as_str().expect("a name");
        let kind = if name.starts_with("system:serviceaccount:") { "service" } else { "user" };
        json!({"type": kind, "id": name})
    };
    let object = &item["objectRef"];
    let is_denied = item["annotations"]["authorization.k8s.io/decision"] == "forbid";
    let mut event = json!({
        "occurred_at": item["requestReceivedTimestamp"], "dedupe_key": item["auditID"],
        "action": format!("{}_{}", item["verb"].as_str().expect("a verb"), object["resource"].as_str().expect("a resource")),
        "component": {
            "type": object["resource"],
            "id": format!("{}/{}", object["namespace"].as_str().expect("a namespace"), object["name"].as_str().expect("a name")),
        },
        "actor": person(&item["user"]),
        "status": if is_denied { "denied" } else { "success" },
        "ip_address": item["sourceIPs"][0], "user_agent": item["userAgent"],
        "metadata": {"request_uri": item["requestURI"], "groups": item["user"]["groups"], "code": item["responseStatus"]["code"]},
    });
    if is_denied {
        event["error"] = item["responseStatus"]["message"].clone();
    }
    if item["impersonatedUser"].is_object() {
        event["on_behalf_of"] = person(&item["impersonatedUser"]);
    }
    event
}

on_both!(an_impersonation, |server| {
    let payload = json!({
        "level": "RequestResponse", "auditID": "7e0c1d52-93c5-4a6e-9d7f-5c1b2f0a1111", "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/billing/secrets", "verb": "delete",
        "user": {"username": "bob", "uid": "u-1", "groups": ["system:authenticated"]},
        "impersonatedUser": {"username": "system:serviceaccount:billing:deployer"},
        "sourceIPs": ["203.0.113.9"], "userAgent": "kubectl/v1.34",
        "objectRef": {"resource": "secrets", "namespace": "billing", "name": "stripe", "apiVersion": "v1"},
        "responseStatus": {"code": 200}, "requestReceivedTimestamp": "2026-11-25T02:00:00.000000Z",
        "annotations": {"authorization.k8s.io/decision": "allow"}
    });
    check(
        &server,
        Wide {
            log: "framework",
            event: kubernetes(&payload),
            filters: &[
                ("action", "delete_secrets"),
                ("actor_type", "user"),
                ("actor_id", "bob"),
                ("on_behalf_of", "system:serviceaccount:billing:deployer"),
                ("component", "secrets:billing/stripe"),
                ("target", "secrets"),
                ("ip_address", "203.0.113.9"),
                ("metadata.code", "200"),
                ("metadata.groups", "system:authenticated"),
            ],
            searches: &[
                "serviceaccount:billing:deployer",
                "billing/stripe",
                "kubectl/v1.34",
                "namespaces/billing/secrets",
            ],
        },
    );
});

on_both!(a_denied_request, |server| {
    let payload = json!({
        "level": "Metadata", "auditID": "0f9b3a44-52a1-4b0e-8a55-7f2d9c3e2222", "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/payroll/secrets", "verb": "get",
        "user": {"username": "system:serviceaccount:ci:runner", "uid": "u-2", "groups": ["system:serviceaccounts"]},
        "sourceIPs": ["2001:db8::17"], "userAgent": "runner/2.1",
        "objectRef": {"resource": "secrets", "namespace": "payroll", "name": "salaries", "apiVersion": "v1"},
        "responseStatus": {"code": 403, "reason": "Forbidden", "message": "no role binding for secrets in payroll"},
        "requestReceivedTimestamp": "2026-11-25T02:00:01.000000Z",
        "annotations": {"authorization.k8s.io/decision": "forbid"}
    });
    check(
        &server,
        Wide {
            log: "framework",
            event: kubernetes(&payload),
            filters: &[
                ("status", "denied"),
                ("actor_type", "service"),
                ("actor_id", "system:serviceaccount:ci:runner"),
                ("component", "secrets:payroll/salaries"),
                ("ip_address", "2001:db8::/32"),
                ("metadata.code", "403"),
            ],
            searches: &["no role binding", "payroll/salaries", "2001:db8::17"],
        },
    );
    let metrics = server.admin().get("/workspaces/clinic/logs/framework/metrics").expect(200).json;
    assert_eq!(
        (&metrics["total"], &metrics["failed"], &metrics["denied"]),
        (&json!(3), &json!(0), &json!(1))
    );
});

/// A tool call that an agent makes for a person, with the fields of Zango's record of a model's invocation. Its `tokens` are
/// counted words; under that name they would be masked.
fn tool_call(call: &Value) -> Value {
    json!({
        "occurred_at": call["created_at"], "dedupe_key": format!("{}/{}", call["run_id"], call["step"]),
        "action": "tool_called",
        "component": {"type": "tool", "id": call["tool"]["name"], "name": call["tool"]["title"]},
        "actor": {"type": "agent", "id": call["agent_id"], "name": call["agent_name"]},
        "on_behalf_of": {"id": call["triggered_by"]["id"], "name": call["triggered_by"]["name"]},
        "role": call["triggered_by"]["role"], "purpose": call["reason"],
        "targets": [{"type": "patient", "id": call["tool"]["arguments"]["patient"]}],
        "session_id": call["session_id"], "correlation_id": call["run_id"],
        "epoch": call["process"], "sequence": call["step"],
        "status": if call["status"] == "ok" { "success" } else { "failure" },
        "metadata": {"provider": call["provider"], "model": call["model"], "usage": call["tokens"]},
    })
}

on_both!(an_agents_tool_call, |server| {
    let payload = json!({
        "provider": "in-house", "model": "large-3", "agent_id": "triage-1", "agent_name": "Triage agent",
        "run_id": "run-88f1", "session_id": "chat-51", "step": 31, "process": "worker-7", "status": "ok",
        "triggered_by": {"id": "user-17", "name": "Asha Rao Menon", "role": "Charge nurse"},
        "reason": "Find open slots for the follow-up",
        "tool": {"name": "read_record", "title": "Read a record", "arguments": {"patient": "P-9200"}},
        "tokens": {"in": 812, "out": 64}, "created_at": "2026-11-25T02:00:02.000000Z"
    });
    check(
        &server,
        Wide {
            log: "framework",
            event: tool_call(&payload),
            filters: &[
                ("action", "tool_called"),
                ("actor_type", "agent"),
                ("actor_id", "triage-1"),
                ("on_behalf_of", "user-17"),
                ("role", "Charge nurse"),
                ("component", "tool:read_record"),
                ("target", "patient:P-9200"),
                ("session_id", "chat-51"),
                ("correlation_id", "run-88f1"),
                ("metadata.usage.in", "812"),
            ],
            searches: &[
                "triage agent",
                "asha rao menon",
                "charge nurse",
                "open slots",
                "P-9200",
                "Read a record",
                "chat-51",
                "large-3",
            ],
        },
    );
});

on_both!(a_change_with_labels, |server| {
    // What django-auditlog stores as text, with the names that the app shows beside its ids.
    let event = json!({
        "occurred_at": "2026-11-25T02:00:03.000000Z", "action": "reassigned",
        "actor": {"type": "user", "id": "user-17", "name": "Asha Rao Menon"}, "role": "Charge nurse",
        "model": "appointment", "record_id": "A-5531", "record_name": "Follow-up",
        "purpose": "CHG-2207",
        "changes": [
            {"field": "doctor_id", "old": 3, "new": 7, "label": "Doctor", "old_label": "Dr. Okafor", "new_label": "Dr. Lindqvist"},
            {"field": "room_ids", "added": [12], "removed": [], "label": "Rooms", "new_label": "Ward north"}
        ],
        "metadata": {}
    });
    check(
        &server,
        Wide {
            log: "application",
            event,
            filters: &[
                ("action", "reassigned"),
                ("field", "doctor_id"),
                ("field", "room_ids"),
                ("model", "appointment"),
                ("record_id", "A-5531"),
                ("target", "appointment:A-5531"),
                ("role", "Charge nurse"),
            ],
            searches: &[
                "okafor",
                "Dr. Lindqvist",
                "Rooms",
                "ward north",
                "doctor_id",
                "CHG-2207",
                "Follow-up",
            ],
        },
    );
});

on_both!(a_label_of_a_secret_is_masked, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let secret =
        json!([{"field": "password", "old": "", "new": "x", "new_label": "hunter2", "label": "Password"}]);
    let event = json!({"action": "update", "model": "user", "record_id": "1", "changes": secret});
    admin.post("/workspaces/clinic/logs/application", json!([event])).expect(201);
    let found = admin.get("/workspaces/clinic/logs/application").expect(200);
    assert!(!found.text.contains("hunter2"));
    assert_eq!(found.data()[0]["masked"], json!(["/changes/0/new", "/changes/0/new_label"]));
    assert_eq!(found.data()[0]["changes"][0]["label"], "Password");
});
