//! Doors: what shippers and vendors send, in their own shapes and by their own rules.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use logbook_tests::{Answer, Client, TestServer, on_both};
use serde_json::{Value, json};

use crate::sources::{PATH, how, source};

/// Registers a source, and returns its key.
pub(crate) fn key(server: &TestServer, name: &str, kind: &str) -> String {
    let made = server.admin().post(PATH, json!({"name": name, "kind": kind})).expect(201);
    made.json["key"].as_str().expect("a key").to_owned()
}

/// Sends to an address outside of `/api/v1`.
pub(crate) fn send_to(
    server: &TestServer,
    path: &str,
    authorization: &str,
    content_type: &str,
    body: &[u8],
) -> Answer {
    let client = server.nobody().with_header("authorization", authorization);
    client.send("POST", path, content_type, body)
}

pub(crate) fn events(server: &TestServer, log: &str) -> Vec<Value> {
    server
        .admin()
        .query(&format!("/workspaces/clinic/logs/{log}"), &[("order", "asc")])
        .expect(200)
        .data()
        .clone()
}

/// The records in quarantine, as texts.
fn quarantine(server: &TestServer, name: &str) -> Vec<(String, String)> {
    let page = server.admin().get(&format!("{PATH}/{name}/rejected")).expect(200);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let decoded = |record: &Value| {
        let bytes = STANDARD.decode(text(&record["record"])).expect("base64");
        (text(&record["code"]), String::from_utf8_lossy(&bytes).into_owned())
    };
    page.data().iter().map(decoded).collect()
}

on_both!(a_poison_element_costs_only_itself_and_is_an_event_after_the_mapping_was_mended, |server| {
    server.workspace("clinic");
    let key = key(&server, "vector", "hec");
    let admin = server.admin();
    let poison = r#"{"time": 1764000002, "event": {"what": "door opened", "who": "asha"}}"#;
    let body = format!(
        "{}\n{poison}{}\n{{\"time\": 1764000004, \"event\": {{\"action\": \"cut",
        r#"{"time": 1764000001, "event": {"action": "login", "user": "asha"}}"#,
        r#"{"time": 1764000003, "event": {"log": "framework", "action": "policy_synced", "component": {"type": "policy", "id": "1"}}}"#,
    );
    send_to(&server, "/services/collector", &format!("Splunk {key}"), "application/json", body.as_bytes())
        .expect(200);
    let rejected = quarantine(&server, "vector");
    assert_eq!(rejected.len(), 2, "{rejected:?}");
    assert_eq!(rejected[0].1, poison);
    assert!(rejected[1].1.ends_with("\"cut"), "{rejected:?}");
    let now = how(&server, "vector");
    assert_eq!(
        (&now["events"], &now["rejected"], &now["problems"]),
        (&json!(2), &json!(2), &json!(["rejected"]))
    );
    let synced = events(&server, "framework");
    assert!(
        synced.iter().any(|event| event["action"] == "policy_synced" && event["source"] == "vector"),
        "{synced:?}"
    );

    // The mapping is mended, tried, saved, and what waited is replayed with its first receive time.
    let path = format!("{PATH}/vector");
    let mapping =
        admin.get(&format!("{path}/mapping")).expect(200).json["mapping"].as_str().expect("TOML").to_owned();
    let mended = "log = '\"access\"'\naction = 'event.event.what'\nactor.name = 'event.event.who'\noccurred_at = 'event.time'\n";
    assert_ne!(mapping, mended);
    let first = admin.get(&format!("{path}/rejected")).expect(200).data()[0].clone();
    let trial = json!({"mapping": mended, "rejected": first["id"]});
    let preview = admin.post(&format!("{path}/mapping/preview"), trial).expect(200);
    let result = &preview.json["results"][0];
    assert_eq!(
        (&result["event"]["action"], &result["errors"]),
        (&json!("door_opened"), &json!([])),
        "{result}"
    );
    admin.put(&format!("{path}/mapping"), json!({"mapping": mended})).expect(200);
    let replayed = admin.post(&format!("{path}/rejected/replay"), json!({})).expect(200);
    assert_eq!(
        (&replayed.json["replayed"], &replayed.json["rejected"]),
        (&json!(1), &json!(1)),
        "{}",
        replayed.text
    );
    let opened = admin.query("/workspaces/clinic/logs/access", &[("event_type", "door_opened")]).expect(200);
    assert_eq!(opened.data()[0]["received_at"], first["received_at"]);
    assert_eq!(opened.data()[0]["user"]["name"], "asha");
    let now = how(&server, "vector");
    assert_eq!(
        (&now["events"], &now["rejected"], &now["has_own_mapping"]),
        (&json!(3), &json!(1), &json!(true))
    );
    // A second replay finds nothing of it.
    let again = admin.post(&format!("{path}/rejected/replay"), json!({"ids": [first["id"]]})).expect(200);
    assert_eq!(again.json["replayed"], 0);
    // What is of no use is discarded.
    let rest = admin.get(&format!("{path}/rejected")).expect(200).data()[0]["id"].clone();
    admin.delete(&path).expect(409);
    let gone = admin.post(&format!("{path}/rejected/discard"), json!({"ids": [rest]})).expect(200);
    assert_eq!(gone.json["discarded"], 1);
    assert_eq!(how(&server, "vector")["problems"], json!([]));
    admin.delete(&path).expect(204);
});

on_both!(otlp_takes_json_and_never_says_that_records_are_lost, |server| {
    server.workspace("clinic");
    let key = key(&server, "collector", "otlp");
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let record = |n: i64| {
        json!({
            "timeUnixNano": format!("{}", 1_764_000_000_000_000_000_i64 + n),
            "eventName": "invoice.delete",
            "traceId": "5b8efff798038103d269b633813fc60c",
            "body": {"stringValue": "deleted"},
            "attributes": [attribute("audit.actor.id", "u1"), attribute("audit.outcome", "success"), attribute("client.address", "203.0.113.9")],
        })
    };
    let body = |records: Value| {
        json!({"resourceLogs": [{"resource": {"attributes": [attribute("service.name", "billing")]}, "scopeLogs": [{"scope": {"name": "audit"}, "logRecords": records}]}]})
            .to_string()
    };
    let bearer = format!("Bearer {key}");
    let send = |body: &str| send_to(&server, "/v1/logs", &bearer, "application/json", body.as_bytes());
    assert_eq!(send(&body(json!([record(1000), record(2000)]))).expect(200).json, json!({}));
    let warned = send(&body(json!([record(3000), 7]))).expect(200);
    assert_eq!(warned.json["partialSuccess"]["rejectedLogRecords"], "0");
    let now = how(&server, "collector");
    assert_eq!((&now["events"], &now["rejected"]), (&json!(3), &json!(1)), "{now}");
    assert_eq!(quarantine(&server, "collector")[0].1, "7");
    // A retry of the first request, whose answer was lost.
    send(&body(json!([record(1000), record(2000)]))).expect(200);
    assert_eq!(how(&server, "collector")["duplicates"], 2);
    // The empty message of protobuf, and something that is none.
    let empty = send_to(&server, "/v1/logs", &bearer, "application/x-protobuf", b"").expect(200);
    assert_eq!(empty.text, "");
    send_to(&server, "/v1/logs", &bearer, "application/x-protobuf", &[0xff; 40]).expect(200);
    assert_eq!(how(&server, "collector")["rejected"], 2);
    send_to(&server, "/v1/logs", "Bearer nonsense", "application/json", b"{}").expect(401);
});

on_both!(each_kind_has_a_door_at_its_own_address, |server| {
    server.workspace("clinic");
    let login = json!({"event_type": "login", "log": "access", "occurred_at": "2026-11-20T00:00:00Z"});
    let okta = json!({
        "uuid": "u-1", "published": "2026-11-25T02:00:00.000Z", "eventType": "user.session.start",
        "actor": {"id": "00u1", "type": "User", "alternateId": "bob@acme.io", "displayName": "Bob"},
        "client": {"ipAddress": "203.0.113.9"}, "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
        "target": [{"id": "0oa", "type": "AppInstance", "displayName": "App"}],
    });
    let k8s = json!({
        "level": "Metadata", "auditID": "7e0c", "stage": "ResponseComplete", "verb": "delete", "requestURI": "/x",
        "user": {"username": "bob"}, "sourceIPs": ["203.0.113.9"],
        "objectRef": {"resource": "secrets", "namespace": "a", "name": "x"}, "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-25T02:00:00.000000Z", "stageTimestamp": "2026-11-25T02:00:00.010000Z",
    });
    let keycloak = json!({
        "id": "k1", "time": 1_764_000_000_000_i64, "type": "LOGIN_ERROR", "realmId": "acme", "clientId": "console",
        "userId": "5f0e", "ipAddress": "203.0.113.9", "error": "invalid_user_credentials", "details": {"username": "bob"},
    });
    let auth0 = json!({"log_id": "9", "data": {
        "date": "2026-11-25T02:00:00.000Z", "type": "fp", "description": "Wrong email or password.", "ip": "203.0.113.9",
        "user_id": "auth0|64", "user_name": "bob@acme.io", "log_id": "9",
    }});
    let github = json!({
        "@timestamp": 1_764_000_000_000_i64, "_document_id": "xJ", "action": "org.update_member", "actor": "bob", "actor_id": 1,
        "actor_ip": "203.0.113.9", "user": "alice", "org": "acme", "operation_type": "modify", "permission": "admin", "permission_was": "read",
    });
    let cloudevent = json!({
        "specversion": "1.0", "id": "A234", "source": "/billing", "type": "io.acme.invoice.deleted", "subject": "invoice/77",
        "time": "2026-11-25T02:00:00Z", "datacontenttype": "application/json", "data": {"actor": {"id": "u1"}},
    });
    let retraced = json!({"action": "user.login", "crud": "c", "actor": {"id": "u1", "name": "Bob"}, "group": {"id": "g"},
        "created": "2026-11-25T02:00:00Z", "external_id": "e1"});
    let workos = json!({"organization_id": "org_1", "event": {"action": "user.signed_in", "occurred_at": "2026-11-25T02:00:00Z",
        "actor": {"id": "u1", "type": "user", "name": "Bob"}, "targets": [{"id": "t", "type": "team"}], "context": {"location": "203.0.113.9"}}});
    for (kind, content_type, good, poison) in [
        ("api", "application/json", json!([login]), json!([login, {"log": "access", "event_type": 7}])),
        (
            "okta",
            "application/json",
            json!({"data": {"events": [okta]}}),
            json!({"data": {"events": [okta, 7]}}),
        ),
        (
            "kubernetes",
            "application/json",
            json!({"kind": "EventList", "items": [k8s]}),
            json!({"kind": "EventList", "items": [k8s, 7]}),
        ),
        ("keycloak", "application/json", keycloak.clone(), json!([keycloak, 7])),
        ("auth0", "application/json", json!([auth0]), json!([auth0, 7])),
        ("github", "application/json", json!([github]), json!([github, 7])),
        (
            "cloudevents",
            "application/cloudevents-batch+json",
            json!([cloudevent]),
            json!([cloudevent, {"specversion": "1.0"}]),
        ),
        ("retraced", "application/json", retraced.clone(), json!({"events": [retraced, 7]})),
        ("workos", "application/json", workos.clone(), json!([workos, 7])),
    ] {
        let name = format!("a-{kind}");
        let sender: Client = source(&server, &name, kind);
        let path = format!("{PATH}/{name}/events");
        let send = |body: &Value| {
            sender.send("POST", &path, content_type, body.to_string().as_bytes()).expect(200).json
        };
        let first = send(&good);
        assert_eq!(
            (&first["accepted"], &first["rejected"]),
            (&json!(1), &json!(0)),
            "{kind}: {first} {:?}",
            quarantine(&server, &name)
        );
        let second = send(&poison);
        let expected = (&json!(0), &json!(1), &json!(1));
        assert_eq!(
            (&second["accepted"], &second["duplicates"], &second["rejected"]),
            expected,
            "{kind}: {second}"
        );
        assert_eq!(quarantine(&server, &name).len(), 1, "{kind}");
        // Another source's key, and no key.
        server.nobody().send("POST", &path, content_type, b"{}").expect(401);
        let other: Client = source(&server, &format!("b-{kind}"), kind);
        other.send("POST", &path, content_type, b"{}").expect(404);
    }
    let okta = server.admin().query("/workspaces/clinic/logs/access", &[("source", "a-okta")]).expect(200);
    let event = &okta.data()[0];
    assert_eq!((&event["event_type"], &event["status"]), (&json!("user_session_start"), &json!("failure")));
    assert_eq!((&event["user"]["name"], &event["ip_address"]), (&json!("Bob"), &json!("203.0.113.9")));
    assert_eq!(event["metadata"]["uuid"], "u-1");
});

on_both!(handshakes_are_answered, |server| {
    server.workspace("clinic");
    source(&server, "okta", "okta");
    let path = format!("{PATH}/okta/events");
    let asked =
        server.nobody().with_header("x-okta-verification-challenge", "a1b2-c3").get(&path).expect(200);
    assert_eq!(asked.json, json!({"verification": "a1b2-c3"}));
    server.nobody().get(&path).expect(404);
    let asked = server.nobody().with_header("webhook-request-origin", "events.example.com");
    let answer = asked.send("OPTIONS", &path, "application/json", b"").expect(200);
    assert_eq!(answer.headers["webhook-allowed-origin"], "events.example.com");
});

on_both!(
    a_full_quarantine_refuses_and_loses_nothing,
    |config| {
        config.quarantine_mib = 1;
    },
    |server| {
        server.workspace("clinic");
        let key = key(&server, "vector", "hec");
        let bearer = format!("Splunk {key}");
        let poison = format!("{{\"event\": {{\"nothing\": \"{}\"}}}}", "x".repeat(700_000));
        send_to(&server, "/services/collector", &bearer, "application/json", poison.as_bytes()).expect(200);
        let both =
            format!("{}{poison}", r#"{"time": 1764000001, "event": {"action": "login", "user": "asha"}}"#);
        let full =
            send_to(&server, "/services/collector", &bearer, "application/json", both.as_bytes()).expect(503);
        assert_eq!(full.json["code"], 9);
        assert_eq!(how(&server, "vector")["events"], 0, "the shipper sends both again");
        let id = server.admin().get(&format!("{PATH}/vector/rejected")).expect(200).data()[0]["id"].clone();
        server.admin().post(&format!("{PATH}/vector/rejected/discard"), json!({"ids": [id]})).expect(200);
        send_to(&server, "/services/collector", &bearer, "application/json", both.as_bytes()).expect(200);
        assert_eq!(how(&server, "vector")["events"], 1);
    }
);

on_both!(an_element_whose_key_another_event_has_counts_as_rejected, |server| {
    server.workspace("clinic");
    let key = key(&server, "app", "api");
    let sender = server.bearer(&key);
    let send = |user: &str| {
        let event = json!([{
            "log": "access", "event_type": "login", "occurred_at": "2026-10-01T00:00:00Z", "dedupe_key": "a", "user": {"id": user},
        }]);
        let counts = sender.post(&format!("{PATH}/app/events"), event).expect(200).json;
        ["accepted", "duplicates", "skipped", "rejected"].map(|name| counts[name].as_u64().expect("a number"))
    };
    assert_eq!(send("1"), [1, 0, 0, 0]);
    assert_eq!(send("1"), [0, 1, 0, 0]);
    assert_eq!(send("2"), [0, 0, 0, 1], "every element is told of");
    assert_eq!(quarantine(&server, "app")[0].0, "dedupe_conflict");
});
