//! The mappings of the kinds, on payloads as the vendors document them; and what a mapping may not be.

use actix_web::web::Bytes;
use logbook_engine::event::{Actor, ActorType, Log, NewEvent, Outcome, limits::DedupeKey};
use serde_json::{Value, json};

use super::*;

pub(super) fn element(kind: Kind, value: &Value) -> Element {
    Element { kind, raw: Bytes::from(value.to_string()), context: None }
}

/// What the mapping of a kind makes of a payload.
fn mapped(kind: Kind, value: &Value) -> NewEvent {
    let with = |mapping: &Mapping| match mapping.event(&element(kind, value)) {
        Ok(Mapped::Event(event)) => *event,
        Ok(Mapped::Skipped) => panic!("{value} is skipped"),
        Err(errors) => panic!("{value}: {errors:?}"),
    };
    let event = with(Mapping::of(kind));
    let text = Mapping::text_of(kind).replace("metadata = \"rest\"", "metadata = \"event\"");
    let with_all = with(&Mapping::compile(&text).expect("a mapping"));
    assert_eq!(event.common, with_all.common);
    let fields = format!("{:?}", event.common);
    let taken = taken(&json!(with_all.metadata), Some(&json!(event.metadata)));
    for leaf in taken {
        let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
        let is_time = event::time_of(&leaf).is_some_and(|(time, _)| time == event.occurred_at.timestamp());
        assert!(fields.contains(&text) || is_time, "{leaf} is nowhere in {event:?}");
    }
    event
}

/// The leaves of an object that are not in what is left of it.
fn taken(all: &Value, left: Option<&Value>) -> Vec<Value> {
    match (all, left) {
        (Value::Object(all), left) if !all.is_empty() => {
            all.iter().flat_map(|(name, value)| taken(value, left.and_then(|left| left.get(name)))).collect()
        }
        (all, Some(left)) => {
            assert_eq!(all, left, "what is left is as it was");
            Vec::new()
        }
        (all, None) => vec![all.clone()],
    }
}

/// What a mapping found, in few words: log, action, outcome, actor, target, and the others.
fn summary(event: &NewEvent) -> Value {
    let common = &event.common;
    let text = |text: &Option<_>| text.as_ref().map(ToString::to_string);
    let actor = |actor: &Actor| {
        format!(
            "{}:{}:{}",
            actor.kind,
            actor.id.as_deref().unwrap_or("-"),
            actor.name.as_deref().unwrap_or("-")
        )
    };
    let target = |target: &logbook_engine::event::Target| {
        [target.kind.as_deref(), target.id.as_deref(), target.name.as_deref()]
            .map(|it| it.unwrap_or("-"))
            .join(":")
    };
    let mut found = json!({
        "log": common.log, "action": common.action.as_str(), "outcome": common.outcome,
        "actor": common.actor.as_ref().map(actor), "target": target(&common.target),
    });
    for (name, value) in [
        ("reason", common.outcome_reason.as_ref().map(ToString::to_string)),
        ("ip", common.ip_address.as_deref().map(str::to_owned)),
        ("session", text(&common.session_id)),
        ("correlation", text(&common.correlation_id)),
        ("for", common.on_behalf_of.as_ref().map(actor)),
        ("key", event.dedupe_key.clone().map(DedupeKey::into_string)),
    ] {
        if let Some(value) = value {
            found[name] = value.into();
        }
    }
    if !common.targets.is_empty() {
        found["targets"] = common.targets.iter().map(target).collect();
    }
    if !event.changes.is_empty() {
        found["changes"] = json!(event.changes);
    }
    assert!(event.occurred_at.is_given(), "the time is that of the payload");
    found
}

#[test]
fn keycloak_has_user_events_and_admin_events() {
    let user = json!({
        "id": "0b1c", "time": 1_732_500_000_000_i64, "type": "LOGIN_ERROR", "realmId": "r", "realmName": "acme",
        "clientId": "account-console", "userId": "5f0e", "sessionId": "aa12", "ipAddress": "203.0.113.9",
        "error": "invalid_user_credentials", "details": {"auth_method": "openid-connect", "username": "bob"},
    });
    assert_eq!(
        summary(&mapped(Kind::Keycloak, &user)),
        json!({
            "log": "access", "action": "login", "outcome": "failure", "actor": "user:5f0e:bob",
            "target": "client:account-console:-", "reason": "invalid_user_credentials", "ip": "203.0.113.9",
            "session": "aa12", "key": "kc:r:0b1c",
        })
    );
    let admin = json!({
        "id": "a1", "time": 1_732_500_000_000_i64, "realmId": "r",
        "authDetails": {"realmId": "r", "clientId": "c", "userId": "u9", "ipAddress": "203.0.113.9"},
        "operationType": "UPDATE", "resourceType": "USER", "resourcePath": "users/5f0e",
        "representation": "{\"username\":\"bob\"}", "error": null, "details": null,
    });
    assert_eq!(
        summary(&mapped(Kind::Keycloak, &admin)),
        json!({
            "log": "framework", "action": "user_update", "outcome": "success", "actor": "user:u9:-",
            "target": "user:5f0e:bob", "ip": "203.0.113.9", "key": "kc:r:a1",
        })
    );
    let profile = json!({
        "id": "p", "time": 1, "type": "UPDATE_PROFILE", "realmId": "r", "userId": "u",
        "details": {"previous_email": "a@x", "updated_email": "b@x", "context": "ACCOUNT"},
    });
    let changes = json!([{"field": "email", "old": "a@x", "new": "b@x"}]);
    assert_eq!(summary(&mapped(Kind::Keycloak, &profile))["changes"], changes);
}

#[test]
fn okta_has_several_targets() {
    let event = json!({
        "uuid": "u1", "published": "2026-11-25T02:00:00.000Z", "eventType": "application.user_membership.add",
        "actor": {"id": "00u", "type": "User", "alternateId": "bob@acme.io", "displayName": "Bob"},
        "client": {"userAgent": {"rawUserAgent": "UA"}, "ipAddress": "203.0.113.9"},
        "outcome": {"result": "DENY", "reason": "policy"},
        "target": [
            {"id": "0oa", "type": "AppInstance", "alternateId": "a", "displayName": "Payroll"},
            {"id": "00x", "type": "User", "alternateId": "b", "displayName": "Ann"},
        ],
        "transaction": {"id": "t1", "type": "WEB"}, "authenticationContext": {"externalSessionId": "s1"},
    });
    let found = mapped(Kind::Okta, &event);
    assert_eq!(
        summary(&found),
        json!({
            "log": "application", "action": "application_user_membership_add", "outcome": "denied",
            "actor": "user:00u:Bob", "target": "AppInstance:0oa:Payroll", "targets": ["User:00x:Ann"],
            "reason": "policy", "ip": "203.0.113.9", "session": "s1", "correlation": "t1", "key": "u1",
        })
    );
    // The time, the texts and the addresses are in their fields; the rest is what they do not have.
    assert_eq!(
        json!(found.metadata),
        json!({
            "uuid": "u1", "eventType": "application.user_membership.add", "target": event["target"],
            "actor": {"type": "User", "alternateId": "bob@acme.io"},
            "outcome": {"result": "DENY"}, "transaction": {"type": "WEB"},
        })
    );
}

#[test]
fn a_longer_text_than_its_field_stays_in_the_rest() {
    let mut event = json!({"id": "p", "time": 1, "type": "LOGIN_ERROR", "realmId": "r", "userId": "u"});
    for (length, stays) in [(1, false), (20_000, false), (20_001, true), (50_000, true)] {
        event["error"] = "e".repeat(length).into();
        let metadata = mapped(Kind::Keycloak, &event).metadata;
        assert_eq!(metadata.get("error").is_some_and(|error| *error == event["error"]), stays, "{length}");
    }
}

#[test]
fn kubernetes_keeps_the_end_of_a_request_alone() {
    let mut event = json!({
        "level": "RequestResponse", "auditID": "7e0c", "stage": "ResponseComplete", "requestURI": "/x", "verb": "delete",
        "user": {"username": "bob", "groups": ["g"]}, "impersonatedUser": {"username": "svc"},
        "sourceIPs": ["203.0.113.9", "10.0.0.1"], "userAgent": "kubectl",
        "objectRef": {"resource": "secrets", "namespace": "a", "name": "x"},
        "responseStatus": {"code": 403, "reason": "Forbidden", "message": "no"},
        "requestReceivedTimestamp": "2026-11-25T02:00:00.000000Z",
        "annotations": {"authorization.k8s.io/decision": "forbid"},
    });
    assert_eq!(
        summary(&mapped(Kind::Kubernetes, &event)),
        json!({
            "log": "framework", "action": "delete_secrets", "outcome": "denied", "actor": "user:bob:bob",
            "target": "secrets:a/x:a/x", "for": "user:svc:svc", "reason": "no", "ip": "203.0.113.9",
            "correlation": "7e0c", "key": "7e0c:ResponseComplete",
        })
    );
    event["stage"] = "RequestReceived".into();
    let skipped = Mapping::of(Kind::Kubernetes).event(&element(Kind::Kubernetes, &event));
    assert!(matches!(skipped, Ok(Mapped::Skipped)));
}

#[test]
fn auth0_github_retraced_and_workos_are_read() {
    let auth0 = json!({"log_id": "90", "data": {
        "date": "2026-11-25T02:00:00.000Z", "type": "fp", "description": "Wrong email or password.", "client_id": "c1",
        "client_name": "All Applications", "ip": "203.0.113.9", "user_id": "auth0|64", "user_name": "bob@acme.io",
        "details": {"session_id": "s"}, "log_id": "90",
    }});
    assert_eq!(
        summary(&mapped(Kind::Auth0, &auth0)),
        json!({
            "log": "access", "action": "login_failed", "outcome": "failure", "actor": "user:auth0|64:bob@acme.io",
            "target": "client:c1:All Applications", "reason": "Wrong email or password.", "ip": "203.0.113.9",
            "session": "s", "key": "90",
        })
    );
    let github = json!({
        "@timestamp": 1_732_500_000_000_i64, "_document_id": "xJ", "action": "org.update_member", "actor": "bob",
        "actor_id": 1, "actor_ip": "203.0.113.9", "actor_is_bot": false, "user": "alice", "user_id": 2, "org": "acme",
        "org_id": 3, "operation_type": "modify", "permission": "admin", "permission_was": "read", "request_id": "q",
    });
    assert_eq!(
        summary(&mapped(Kind::Github, &github)),
        json!({
            "log": "framework", "action": "org_update_member", "outcome": "success", "actor": "user:1:bob",
            "target": "user:2:alice", "targets": ["org:acme:acme"], "ip": "203.0.113.9", "correlation": "q", "key": "xJ",
            "changes": [{"field": "permission", "old": "read", "new": "admin"}],
        })
    );
    let retraced = json!({
        "action": "spline.reticulate", "group": {"id": "g", "name": "Acme"}, "actor": {"id": "a", "name": "Bob"},
        "target": {"id": "t", "name": "Doc", "type": "document"}, "crud": "u", "source_ip": "203.0.113.9",
        "created": "2026-11-25T02:00:00Z", "description": "it broke", "is_failure": true, "external_id": "e",
    });
    assert_eq!(
        summary(&mapped(Kind::Retraced, &retraced)),
        json!({
            "log": "application", "action": "spline_reticulate", "outcome": "failure", "actor": "user:a:Bob",
            "target": "document:t:Doc", "targets": ["group:g:Acme"], "reason": "it broke", "ip": "203.0.113.9", "key": "e",
        })
    );
    let workos = json!({"organization_id": "org_1", "event": {
        "action": "user.signed_in", "occurred_at": "2026-11-25T02:00:00Z", "version": 1,
        "actor": {"id": "u", "type": "user", "name": "Bob"},
        "targets": [{"id": "t", "type": "team"}], "context": {"location": "localhost", "user_agent": "UA"},
    }});
    assert_eq!(
        summary(&mapped(Kind::Workos, &workos)),
        json!({"log": "access", "action": "user_signed_in", "outcome": "success", "actor": "user:u:Bob", "target": "team:t:-"})
    );
}

#[test]
fn open_formats_are_read() {
    let cloudevent = json!({
        "specversion": "1.0", "id": "A234", "source": "/billing", "type": "io.acme.invoice.deleted",
        "subject": "invoice/77", "time": "2026-11-25T02:00:00Z", "data": {"actor": {"id": "u1"}}, "traceparent": "00-a",
    });
    let mut found = summary(&mapped(Kind::Cloudevents, &cloudevent));
    let key = found["key"].take();
    assert_eq!(key.as_str().map(str::len), Some(32));
    assert_eq!(
        found,
        json!({
            "log": "application", "action": "io_acme_invoice_deleted", "outcome": "success", "actor": "user:u1:-",
            "target": "invoice:77:-", "correlation": "00-a", "key": null,
        })
    );
    let hec = json!({"time": 1_732_500_000.123, "host": "h", "event": {
        "action": "login", "user": "asha", "src_ip": "203.0.113.9", "status": "failed", "reason": "bad password",
    }});
    assert_eq!(
        summary(&mapped(Kind::Hec, &hec)),
        json!({
            "log": "access", "action": "login", "outcome": "failure", "actor": "user:asha:-", "target": "-:-:-",
            "reason": "bad password", "ip": "203.0.113.9",
        })
    );
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let record = json!({
        "timeUnixNano": "1732500000000000000", "eventName": "invoice.delete", "traceId": "5b8e",
        "attributes": [
            attribute("audit.actor.id", "u1"), attribute("audit.actor.type", "agent"), attribute("audit.outcome", "denied"),
            attribute("audit.resource.type", "invoice"), attribute("audit.resource.id", "77"),
            attribute("client.address", "203.0.113.9"), attribute("audit.record.id", "r1"),
        ],
    });
    let found = mapped(Kind::Otlp, &record);
    assert_eq!(
        summary(&found),
        json!({
            "log": "application", "action": "invoice_delete", "outcome": "denied", "actor": "agent:u1:-",
            "target": "invoice:77:-", "ip": "203.0.113.9", "correlation": "5b8e", "key": "r1",
        })
    );
    assert_eq!(found.common.actor.map(|actor| actor.kind), Some(ActorType::Agent));
    let own = json!({"action": "update", "model": "patient", "record_id": 7, "changes": [{"field": "a", "old": 1, "new": 2}], "occurred_at": "2026-11-25T02:00:00Z"});
    let found = mapped(Kind::Api, &own);
    assert_eq!((found.common.log, found.common.outcome), (Log::Application, Outcome::Success));
    assert_eq!(summary(&found)["target"], "patient:7:-");
}
