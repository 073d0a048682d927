//! The registry of sources: who sends, and how each is.

use logbook::accounts::{
    role::Role,
    source_kind::Kind,
    sources::{self, Source},
};
use logbook_engine::db::{Conn, timestamp::Timestamp};
use logbook_tests::{
    Client, TestServer,
    audit_events::{actions, audit_events},
    on_both,
    server::sample,
    wait::wait_until,
};
use serde_json::{Value, json};

pub(crate) const PATH: &str = "/workspaces/clinic/sources";

/// Registers a source without a key.
pub(crate) fn register(conn: &mut Conn, workspace_id: i32, name: &str, kind: Kind) {
    let source = Source {
        workspace_id,
        name: name.into(),
        kind: kind.as_str().into(),
        mapping: None,
        silence_seconds: None,
        replay_days: Some(7),
        sealed_secret: None,
        created_by: "test".into(),
        created_at: Timestamp::now(),
    };
    sources::create(conn, &source).expect("a source");
}

/// Registers a source, and returns a client with its key.
pub(crate) fn source(server: &TestServer, name: &str, kind: &str) -> Client {
    let made = server.admin().post(PATH, json!({"name": name, "kind": kind})).expect(201);
    server.bearer(made.json["key"].as_str().expect("a key"))
}

/// How a source is.
pub(crate) fn how(server: &TestServer, name: &str) -> Value {
    server.admin().get(&format!("{PATH}/{name}")).expect(200).json
}

/// The events of the framework log with an action.
pub(crate) fn told(server: &TestServer, action: &str) -> Vec<Value> {
    let path = "/workspaces/clinic/logs/framework";
    server.admin().query(path, &[("action", action)]).expect(200).data().clone()
}

on_both!(a_source_is_registered_with_a_key_that_sends_as_the_source, |server| {
    let clinic = server.workspace("clinic");
    let admin = server.admin();
    let made =
        admin.post(PATH, json!({"name": "billing", "kind": "api", "silence_seconds": 3600})).expect(201);
    assert_eq!((&made.json["name"], &made.json["kind"]), (&json!("billing"), &json!("api")));
    assert_eq!(made.json["problems"], json!([]));
    let sender = server.bearer(made.json["key"].as_str().expect("a key"));
    sender
        .post("/workspaces/clinic/logs/access", json!([sample("access", 1), sample("access", 2)]))
        .expect(201);

    let events = admin.get("/workspaces/clinic/logs/access").expect(200);
    let names: Vec<&Value> = events.data().iter().map(|event| &event["source"]).collect();
    assert_eq!(names, ["billing", "billing"]);
    let now = how(&server, "billing");
    assert_eq!((&now["events"], &now["duplicates"], &now["rejected"]), (&json!(2), &json!(0), &json!(0)));
    assert_eq!(now["days"][0]["events"], 2);
    assert!(now["bytes"].as_i64().expect("a number") > 100 && now["last_event_at"].is_string(), "{now}");
    // What can only append reads nothing, and a viewer sees how the source is.
    sender.get(PATH).expect(403);
    let list = server.member(&clinic, Role::Viewer).get(PATH).expect(200);
    assert_eq!(list.data()[0]["name"], "billing");

    // A second key of the same source is the same sender: a replaced key can send again what was not answered.
    let key = json!({"name": "next", "role": "writer", "source": "billing"});
    let next = admin.post("/workspaces/clinic/keys", key).expect(201);
    assert_eq!(next.json["key"]["source"], "billing");
    let next = server.bearer(next.json["token"].as_str().expect("a key"));
    let event = json!([{"event_type": "login", "dedupe_key": "a", "occurred_at": "2026-11-01T00:00:00Z"}]);
    sender.post("/workspaces/clinic/logs/access", event.clone()).expect(201);
    let again = next.post("/workspaces/clinic/logs/access", event).expect(201);
    assert_eq!(again.json["duplicates"], 1);
    assert_eq!(how(&server, "billing")["duplicates"], 1);
});

on_both!(a_key_of_a_source_only_writes_and_its_source_exists, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    source(&server, "okta", "okta");
    let keys = "/workspaces/clinic/keys";
    let refused = admin.post(keys, json!({"name": "x", "role": "admin", "source": "okta"})).expect(422);
    assert_eq!(refused.places(), ["/role"]);
    let refused = admin.post(keys, json!({"name": "x", "role": "writer", "source": "none"})).expect(422);
    assert_eq!(refused.places(), ["/source"]);
    for (new, place) in [
        (json!({"name": "Okta", "kind": "okta"}), "/name"),
        (json!({"name": "logbook", "kind": "okta"}), "/name"),
        (json!({"name": "../x", "kind": "okta"}), "/name"),
        (json!({"name": "x", "kind": "fax"}), "/kind"),
        (json!({"name": "x", "kind": "okta", "silence_seconds": 0}), "/silence_seconds"),
        (json!({"name": "x", "kind": "okta", "replay_days": 0}), "/replay_days"),
        (json!({"name": "x", "kind": "okta", "secret": "short"}), "/secret"),
    ] {
        assert_eq!(admin.post(PATH, new.clone()).expect(422).places(), [place], "{new}");
    }
    assert_eq!(admin.post(PATH, json!({"name": "okta", "kind": "okta"})).expect(409).places(), ["/name"]);
    // What a kind replays is its default; null is for ever.
    assert_eq!(how(&server, "okta")["replay_days"], 90);
    let for_ever =
        admin.post(PATH, json!({"name": "outbox", "kind": "api", "replay_days": null})).expect(201);
    assert_eq!(for_ever.json["replay_days"], Value::Null);
    let changed = admin.patch(&format!("{PATH}/okta"), json!({"replay_days": null})).expect(200);
    assert_eq!(changed.json["replay_days"], Value::Null);
    admin.get(&format!("{PATH}/none")).expect(404);
});

on_both!(
    a_source_that_is_removed_takes_its_keys_along_and_leaves_its_events,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let sender = source(&server, "billing", "api");
        sender.post("/workspaces/clinic/logs/access", json!([sample("access", 1)])).expect(201);
        let manager = crate::views::person(&server, &clinic, "carl", Role::Admin);
        let path = format!("{PATH}/billing");
        manager.patch(&path, json!({"silence_seconds": 60})).expect(200);
        manager.put(&format!("{path}/mapping"), json!({"mapping": null})).expect(200);
        manager.delete(&path).expect(204);
        manager.delete(&path).expect(404);
        sender.post("/workspaces/clinic/logs/access", json!([sample("access", 2)])).expect(401);
        assert_eq!(server.admin().get("/workspaces/clinic/logs/access").expect(200).data().len(), 1);
        let events = audit_events(&server, "clinic");
        let of_source = ["source_changed", "source_removed"];
        let told: Vec<&str> = actions(&events).into_iter().filter(|it| it.starts_with("source_")).collect();
        assert_eq!(told, of_source);
        let removed = events.iter().find(|event| event["action"] == of_source[1]).expect("its end");
        assert_eq!(removed["metadata"]["keys_revoked"], 1);
        // The name is free again, and what it was is forgotten.
        source(&server, "billing", "hec");
        assert_eq!(how(&server, "billing")["events"], 0);
    }
);

on_both!(a_source_that_falls_silent_is_told_of_once_and_so_is_its_return, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    let admin = server.admin();
    admin.patch(&format!("{PATH}/billing"), json!({"silence_seconds": 600})).expect(200);
    sender.post("/workspaces/clinic/logs/access", json!([sample("access", 1)])).expect(201);
    assert_eq!(how(&server, "billing")["problems"], json!([]));

    server.shift("source_states", "last_received_at", -601);
    let now = how(&server, "billing");
    assert_eq!(now["problems"], json!(["silent"]));
    assert_eq!(now["silent_since"], now["last_received_at"]);
    wait_until("the silence is told", || !told(&server, "source_silent").is_empty());
    let event = &told(&server, "source_silent")[0];
    assert_eq!((&event["component"]["id"], &event["status"]), (&json!("billing"), &json!("failure")));
    assert_eq!(event["source"], "logbook");

    // A heartbeat is a sign of life.
    sender.send("POST", &format!("{PATH}/billing/heartbeat"), "text/plain", b"").expect(204);
    assert_eq!(how(&server, "billing")["problems"], json!([]));
    wait_until("the return is told", || !told(&server, "source_resumed").is_empty());
    assert_eq!(told(&server, "source_silent").len(), 1);
});

on_both!(a_clock_that_differs_is_seen, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    let at = |seconds: i64| Timestamp::now().plus_seconds(seconds).to_string();
    let send = |seconds: i64| {
        let event = json!([{"event_type": "login", "occurred_at": at(seconds)}]);
        sender.post("/workspaces/clinic/logs/access", event).expect(201);
    };
    send(0);
    assert_eq!(how(&server, "billing")["problems"], json!([]));
    // Ahead: no event is received before it occurs.
    send(600);
    let now = how(&server, "billing");
    assert_eq!(now["problems"], json!(["skewed"]));
    assert!(now["skew_seconds"].as_f64().expect("a number") < -590.0, "{now}");
    wait_until("the clock is told of", || !told(&server, "source_clock_skewed").is_empty());
    // After an hour only what came since counts.
    server.shift("source_states", "least_lag_since", -3601);
    send(0);
    assert_eq!(how(&server, "billing")["problems"], json!([]));
});

on_both!(fields_that_an_auditor_wants_and_most_events_lack_are_named, |server| {
    server.workspace("clinic");
    let sender = source(&server, "billing", "api");
    let bare = json!([{"event_type": "login"}, {"event_type": "login"}, {"event_type": "login"}]);
    sender.post("/workspaces/clinic/logs/access", bare).expect(201);
    assert_eq!(how(&server, "billing")["missing_fields"], json!(["actor", "origin", "target"]));
    let full: Vec<Value> = (0..9).map(|n| sample("access", n)).collect();
    sender.post("/workspaces/clinic/logs/access", full.into()).expect(201);
    let missing = how(&server, "billing")["missing_fields"].clone();
    assert!(!missing.as_array().expect("names").contains(&json!("actor")), "{missing}");
});
