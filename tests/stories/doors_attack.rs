//! Doors under attack: bombs, strangers, other tenants' keys, hostile values.

use flate2::{Compression, write::GzEncoder};
use logbook_tests::on_both;
use serde_json::{Value, json};
use std::io::Write as _;

use crate::sources::{PATH, how, source};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

on_both!(what_is_too_large_is_refused_and_nothing_of_it_is_kept, |server| {
    server.workspace("clinic");
    let doors = [
        ("hec", "/services/collector"),
        ("otlp", "/v1/logs"),
        ("okta", "/workspaces/clinic/sources/okta/events"),
    ];
    for (kind, path) in doors {
        let sender = source(&server, kind, kind);
        // 32 MiB of spaces are 32 KiB.
        let bomb = gzip(&vec![b' '; 32 * 1024 * 1024]);
        let gzipped = sender.with_header("content-encoding", "gzip");
        gzipped.send("POST", path, "application/json", &bomb).expect(413);
        let many = "{}\n".repeat(10_001);
        let many = match kind {
            "otlp" => json!({"resourceLogs": [{"scopeLogs": [{"logRecords": vec![json!({}); 10_001]}]}]})
                .to_string(),
            _ => many,
        };
        sender.send("POST", path, "application/json", many.as_bytes()).expect(413);
        let damaged = gzipped.send("POST", path, "application/json", &bomb[..bomb.len() / 2]);
        assert!([400, 413].contains(&damaged.status), "{}", damaged.text);
        let now = how(&server, kind);
        assert_eq!((&now["events"], &now["rejected"]), (&json!(0), &json!(0)), "{kind}");
    }
});

on_both!(a_long_element_costs_only_itself, |server| {
    server.workspace("clinic");
    let sender = source(&server, "hec", "hec");
    let long = json!({"event": {"action": "login", "note": "x".repeat(300 * 1024)}});
    let body = format!("{long}{}", json!({"event": {"action": "login", "user": "u"}}));
    sender.send("POST", "/services/collector", "application/json", body.as_bytes()).expect(200);
    let now = how(&server, "hec");
    assert_eq!((&now["events"], &now["rejected"]), (&json!(1), &json!(1)));
});

on_both!(hostile_values_are_events_or_in_quarantine_and_never_an_error, |server| {
    server.workspace("clinic");
    let sender = source(&server, "hec", "hec");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100), close.repeat(100));
    let elements: Vec<String> = [
        json!({"event": {"action": "a\u{0}b", "user": "\u{0}"}}),
        json!({"event": {"action": "login", "user": "u", "note": "\u{0}"}}),
        json!({"event": {"action": "login", "time": "\u{0}"}, "time": "\u{0}"}),
        json!({"event": {"action": "x".repeat(10_000), "user": "y".repeat(10_000)}}),
        json!({"event": {"action": "login"}, "time": -1}),
        json!({"event": {"action": "login"}, "time": 1e300}),
        json!({"event": {"action": "login", "n": u64::MAX, "m": -1.5e308}}),
        json!({"event": {"action": "login", "targets": [7, {"type": 7}, {}]}}),
        json!({"event": {"action": "login", "changes": [{"field": ""}], "model": "m"}}),
        json!({"event": {"action": "login", "ip": "not an address"}}),
        json!({"event": {"action": "login", "sequence": -5, "epoch": "e"}}),
        json!({"event": {"action": "login", "sequence": 9_007_199_254_740_993_i64, "epoch": "e"}}),
    ]
    .iter()
    .map(Value::to_string)
    .chain([
        format!("{{\"event\":{{\"action\":\"login\",\"deep\":{}}}}}", deep("[", "]")),
        format!("{{\"event\":{}}}", deep("{\"a\":", "}")),
        "{\"event\":{\"action\":\"login\",\"action\":\"logout\"}}".into(),
        "{\"event\":\"\\ud800\"}".into(),
    ])
    .collect();
    let body = elements.join("\n");
    sender.send("POST", "/services/collector", "application/json", body.as_bytes()).expect(200);
    let now = how(&server, "hec");
    let sum = now["events"].as_i64().expect("events") + now["rejected"].as_i64().expect("rejected");
    assert_eq!(sum, elements.len() as i64, "{now}");
    // Each can be listed, previewed and replayed.
    let rejected = server.admin().get(&format!("{PATH}/hec/rejected?limit=200")).expect(200);
    for record in rejected.data() {
        let preview = json!({"rejected": record["id"]});
        server.admin().post(&format!("{PATH}/hec/mapping/preview"), preview).expect(200);
    }
    let replayed = server.admin().post(&format!("{PATH}/hec/rejected/replay"), json!({})).expect(200);
    assert_eq!(replayed.json["replayed"], 0);
    // Bytes that are no UTF-8, and raw lines of them.
    sender.send("POST", "/services/collector/raw", "text/plain", b"\xff\xfe\n\0\n").expect(200);
    assert_eq!(how(&server, "hec")["rejected"].as_i64(), Some(rejected.data().len() as i64 + 2));
});

on_both!(a_key_opens_the_door_of_its_own_source_alone, |server| {
    server.workspace("clinic");
    server.workspace("shop");
    let clinic = source(&server, "billing", "api");
    let other = server
        .admin()
        .post("/workspaces/shop/sources", json!({"name": "billing", "kind": "api"}))
        .expect(201);
    let shop = server.bearer(other.json["key"].as_str().expect("a key"));
    let event = json!([{"log": "access", "event_type": "login"}]);
    clinic.post("/workspaces/shop/sources/billing/events", event.clone()).expect(404);
    clinic.post("/workspaces/shop/sources/billing/heartbeat", json!({})).expect(404);
    clinic.post("/workspaces/unknown/sources/billing/events", event.clone()).expect(404);
    // At an address without a workspace the key says which.
    let hec =
        server.admin().post("/workspaces/shop/sources", json!({"name": "hec", "kind": "hec"})).expect(201);
    let hec = server.bearer(hec.json["key"].as_str().expect("a key"));
    hec.send("POST", "/services/collector", "application/json", br#"{"event":{"action":"login"}}"#)
        .expect(200);
    assert_eq!(server.admin().get("/workspaces/clinic/logs/access").expect(200).data().len(), 0);
    assert_eq!(server.admin().get("/workspaces/shop/logs/access").expect(200).data().len(), 1);
    // Another kind's door is not its own.
    shop.send("POST", "/services/collector", "application/json", br#"{"event":{"action":"login"}}"#)
        .expect(403);
    shop.send("POST", "/v1/logs", "application/json", b"{}").expect(409);
});

on_both!(a_stranger_learns_nothing_of_which_sources_there_are, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, json!({"name": "signed", "kind": "keycloak", "secret": "a long secret"})).expect(201);
    source(&server, "open", "keycloak");
    let details: Vec<(u16, String)> = ["open", "unknown"]
        .iter()
        .map(|name| {
            let answer = server.nobody().post(&format!("{PATH}/{name}/events"), json!({}));
            (answer.status, answer.json["detail"].to_string())
        })
        .collect();
    assert_eq!(details[0].0, 401);
    assert_eq!(details[0], details[1]);
    let signed = server.nobody().post(&format!("{PATH}/signed/events"), json!({})).expect(401);
    assert!(signed.text.contains("X-Keycloak-Signature"));
    // A secret that is set later holds at once where it was set.
    admin.patch(&format!("{PATH}/open"), json!({"secret": "another secret"})).expect(200);
    server.nobody().post(&format!("{PATH}/open/events"), json!({})).expect(401);
});

on_both!(what_many_records_share_takes_no_memory_for_each, |server| {
    server.workspace("clinic");
    let sender = source(&server, "otlp", "otlp");
    let shared = json!({"attributes": [{"key": "a", "value": {"stringValue": "x".repeat(1024 * 1024)}}]});
    let records = vec![json!({"eventName": "login"}); 10_000];
    let body =
        json!({"resourceLogs": [{"resource": shared, "scopeLogs": [{"logRecords": records}]}]}).to_string();
    // As records of their own they would be 10 GiB, which the quarantine refuses; nothing is stored.
    sender.send("POST", "/v1/logs", "application/json", body.as_bytes()).expect(503);
    let now = how(&server, "otlp");
    assert_eq!((&now["events"], &now["rejected"]), (&json!(0), &json!(0)));
});
