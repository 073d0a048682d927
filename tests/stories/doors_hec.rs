//! Splunk's HTTP Event Collector, as its clients know it, and GitHub, which streams to it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use logbook_tests::{Answer, on_both};
use serde_json::json;

use crate::{
    doors::{events, key, send_to},
    sources::how,
};

on_both!(hec_answers_as_splunk_does, |server| {
    server.workspace("clinic");
    let key = key(&server, "vector", "hec");
    let other =
        server.admin().post("/workspaces/clinic/keys", json!({"name": "x", "role": "writer"})).expect(201);
    let other = other.json["token"].as_str().expect("a key").to_owned();
    let event =
        br#"{"time": 1764000000.5, "event": {"action": "login", "user": "asha", "message": "hello"}}"#;
    let path = "/services/collector/event";
    let said = |answer: Answer, status: u16| {
        let answer = answer.expect(status);
        (answer.json["code"].clone(), answer.json["text"].as_str().expect("a text").to_owned())
    };
    let good = format!("Splunk {key}");
    for path in ["/services/collector", path, "/services/collector/event/1.0"] {
        let answer = send_to(&server, path, &good, "application/json", event).expect(200);
        assert_eq!(answer.json, json!({"text": "Success", "code": 0}));
    }
    // What is sent again is stored once.
    assert_eq!(
        (how(&server, "vector")["events"].clone(), how(&server, "vector")["duplicates"].clone()),
        (json!(1), json!(2))
    );
    let basic = format!("Basic {}", STANDARD.encode(format!("x:{key}")));
    send_to(&server, path, &basic, "text/plain", event).expect(200);
    let nobody = server.nobody();
    let sent = nobody.send("POST", &format!("{path}?token={key}"), "application/json", event);
    sent.expect(200);

    assert_eq!(said(nobody.send("POST", path, "application/json", event), 401).0, 2);
    assert_eq!(said(send_to(&server, path, "Nonsense", "application/json", event), 401).0, 3);
    let wrong = format!("Splunk {}x", key);
    assert_eq!(
        said(send_to(&server, path, &wrong, "application/json", event), 403),
        (json!(4), "Invalid token".into())
    );
    assert_eq!(said(send_to(&server, path, &format!("Splunk {other}"), "application/json", event), 403).0, 4);
    assert_eq!(
        said(send_to(&server, path, &good, "application/json", b""), 400),
        (json!(5), "No data".into())
    );
    assert_eq!(said(send_to(&server, path, &good, "application/json", b" \n "), 400).0, 5);
    let health = nobody.get("/services/collector/health").expect(200);
    assert_eq!(health.json, json!({"text": "HEC is healthy", "code": 17}));

    // Acknowledgements: with a channel, of what is stored.
    let channel = "/services/collector/event?channel=11111111-1111-1111-1111-111111111111";
    let answer = send_to(&server, channel, &good, "application/json", event).expect(200);
    let id = answer.json["ackId"].as_i64().expect("an id");
    let ask = json!({"acks": [id, id + 1_000_000_000]}).to_string();
    let path = "/services/collector/ack?channel=11111111-1111-1111-1111-111111111111";
    let acks = send_to(&server, path, &good, "application/json", ask.as_bytes()).expect(200);
    assert_eq!(acks.json["acks"], json!({id.to_string(): true, (id + 1_000_000_000).to_string(): false}));
    assert_eq!(
        said(send_to(&server, "/services/collector/ack", &good, "application/json", b"{}"), 400).0,
        10
    );
});

on_both!(github_streams_to_splunk_too, |server| {
    server.workspace("clinic");
    let key = format!("Splunk {}", key(&server, "github", "github"));
    let event = |id: &str| {
        json!({"time": 1_764_000_000.5, "sourcetype": "github", "event": {
            "_document_id": id, "action": "org.update_member", "actor": "bob", "org": "acme", "created_at": 1_764_000_000_500_i64,
        }})
    };
    // Objects one after another, and as its check sends one.
    for (path, body) in [
        ("/services/collector", format!("{}{}7", event("a"), event("b"))),
        ("/services/collector/raw", event("b").to_string()),
    ] {
        send_to(&server, path, &key, "application/json", body.as_bytes()).expect(200);
    }
    let now = how(&server, "github");
    assert_eq!((&now["events"], &now["duplicates"], &now["rejected"]), (&json!(2), &json!(1), &json!(1)));
    let stored = events(&server, "framework");
    let found = stored.iter().find(|event| event["action"] == "org_update_member").expect("the event");
    assert_eq!((&found["actor"]["name"], &found["source"]), (&json!("bob"), &json!("github")));
    // No other kind may send here.
    let okta = self::key(&server, "okta", "okta");
    let answer =
        send_to(&server, "/services/collector", &format!("Splunk {okta}"), "application/json", b"{}");
    assert_eq!(answer.expect(403).json["code"], 4);
});
