//! Nobody can keep the audit from telling what they or others do: not by refusals without end, not by one glance among many,
//! and not by killing the server.

use std::{collections::BTreeSet, path::Path, thread, time::Duration};

use diesel::prelude::*;
use logbook::{
    accounts::{
        api_keys::{self, NewApiKey},
        role::Role,
    },
    config::DataConfig,
};
use logbook_engine::db::schema::events;
use logbook_tests::{
    Client, TestServer,
    audit_events::{audit_events, platform_slug},
    on_both,
    pagination::feed,
    postgres,
    process::Process,
    server::sample,
    wait::wait_until,
};
use serde_json::{Value, json};

const ACCESS: &str = "/workspaces/clinic/logs/access";

fn with_action(server: &TestServer, slug: &str, action: &str) -> Vec<Value> {
    let mut events = audit_events(server, slug);
    events.retain(|event| event["action"] == action);
    events
}

/// How many refusals events tell: themselves, or those that they count.
fn told(events: &[Value]) -> u64 {
    events.iter().map(|event| event["metadata"]["suppressed"].as_u64().unwrap_or(1)).sum()
}

on_both!(
    bad_tokens_without_end_silence_nobody,
    |config| {
        config.audit = true;
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    },
    |server| {
        server.workspace("clinic");
        server.workspace("shop");
        let from = |address: &str| server.bearer("nonsense").with_header("x-forwarded-for", address);
        let flood = from("198.51.100.4");
        for n in 0..2100 {
            flood.get(&format!("/workspaces/made-up-{n}/logs/access")).expect(401);
        }
        for _ in 0..30 {
            flood.get("/workspaces/shop/logs/access").expect(401);
        }
        // The same address elsewhere, and another one, are told as ever.
        flood.get(ACCESS).expect(401);
        from("203.0.113.9").get(ACCESS).expect(401);
        from("203.0.113.9").get("/workspaces/made-up-1/logs/access").expect(401);
        let clinic = with_action(&server, "clinic", "token_refused");
        let addresses: Vec<_> = clinic.iter().map(|event| event["ip_address"].clone()).collect();
        assert_eq!(addresses, ["198.51.100.4", "203.0.113.9"]);
        let shop = with_action(&server, "shop", "token_refused");
        assert!(shop.len() < 5 && told(&shop) >= 11, "{shop:?}");
        let platform = platform_slug(&server);
        let platform = with_action(&server, &platform, "token_refused");
        // Few events, which say how many there were.
        assert!(platform.len() < 30, "{}", platform.len());
        assert!(told(&platform) >= 1000, "{}", told(&platform));
        assert!(platform.iter().any(|event| event["ip_address"] == "203.0.113.9"));
        // The rest is told when the window ends, or the server.
        server.audit.record_counted(true);
        let platform = platform_slug(&server);
        assert_eq!(told(&with_action(&server, &platform, "token_refused")), 2101);
        assert_eq!(told(&with_action(&server, "shop", "token_refused")), 30);
    }
);

on_both!(
    what_a_role_does_not_allow_is_told,
    |config| {
        config.audit = true;
    },
    |server| {
        server.workspace("clinic");
        let made =
            server.admin().post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "writer"}));
        let key = made.expect(201).json["token"].as_str().expect("a key").to_owned();
        let writer = server.bearer(&key);
        for _ in 0..5 {
            writer.get(ACCESS).expect(403);
        }
        writer.get("/workspaces/clinic/members").expect(403);
        writer.post("/workspaces", json!({"slug": "x", "name": "x"})).expect(403);
        let told = with_action(&server, "clinic", "permission_refused");
        let operations: Vec<_> =
            told.iter().map(|event| event["metadata"]["operation"].as_str().unwrap_or_default()).collect();
        assert_eq!(
            operations,
            [
                "GET /api/v1/workspaces/{workspace}/logs/access",
                "GET /api/v1/workspaces/{workspace}/members",
                "POST /api/v1/workspaces"
            ]
        );
        for event in &told {
            assert_eq!((&event["outcome"], &event["actor"]["name"]), (&json!("denied"), &json!("Vector")));
        }
        server.audit.record_counted(true);
        assert_eq!(
            with_action(&server, "clinic", "permission_refused").last().expect("one")["metadata"]["suppressed"],
            4
        );
    }
);

on_both!(
    rate_limits_are_told,
    |config| {
        config.audit = true;
        config.rate_key = 2;
        config.rate_address = 2;
    },
    |server| {
        server.workspace("clinic");
        let made =
            server.admin().post("/workspaces/clinic/keys", json!({"name": "Vector", "role": "viewer"}));
        let key = server.bearer(made.expect(201).json["token"].as_str().expect("a key"));
        assert!((0..100).any(|_| key.get(ACCESS).status == 429));
        assert!((0..100).any(|_| server.nobody().get(ACCESS).status == 429));
        server.settle();
        // Past the server, which would count the question.
        let limited = events::table.filter(events::action.eq("rate_limited"));
        let told: i64 = limited.count().get_result(&mut server.own_connection()).expect("a count");
        assert_eq!(told, 2, "one of the key, one of the address");
    }
);

on_both!(
    a_full_pull_does_not_look_like_one_glance,
    |config| {
        config.audit = true;
    },
    |server| {
        server.workspace("clinic");
        let events: Vec<Value> = (0..3000).map(|n| sample("access", n)).collect();
        server.admin().post(ACCESS, events.into()).expect(201);
        let reader = |name: &str| {
            let made =
                server.admin().post("/workspaces/clinic/keys", json!({"name": name, "role": "viewer"}));
            server.bearer(made.expect(201).json["token"].as_str().expect("a key"))
        };
        let (glance, pull) = (reader("glance"), reader("pull"));
        glance.get(&format!("{ACCESS}?limit=50")).expect(200);
        assert!(feed(&pull, "clinic", "0".into(), 1000).len() >= 3000);
        let amounts = |name: &str| {
            let mut events = with_action(&server, "clinic", "log_read");
            events.retain(|event| event["actor"]["name"] == name);
            let sum = |field: &str| {
                events.iter().map(|e| e["metadata"][field].as_u64().expect("a number")).sum::<u64>()
            };
            (sum("requests"), sum("events"))
        };
        // At once, before anything is added up.
        assert_eq!(amounts("glance"), (1, 50));
        assert_eq!(amounts("pull"), (1, 1000));
        server.audit.record_counted(true);
        assert_eq!(amounts("glance"), (1, 50));
        let (requests, events) = amounts("pull");
        assert!(requests >= 3 && events >= 3000, "{requests} {events}");
    }
);

#[test]
fn a_killed_server_leaves_no_key_without_its_event_on_sqlite() {
    keys_and_their_events(|folder| format!("sqlite://{}", folder.join("logbook.db").display()));
}

#[test]
fn a_killed_server_leaves_no_key_without_its_event_on_postgres() {
    keys_and_their_events(|_| postgres::new_database());
}

fn keys_and_their_events(url: impl FnOnce(&Path) -> String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data =
        DataConfig { database_url: url(folder.path()), data_dir: folder.path().join("data"), audit: true };
    let mut server = Process::start(&data, &[]);
    server.admin().post("/workspaces", json!({"slug": "clinic", "name": "Clinic"})).expect(201);
    for round in 0..4_u64 {
        let answered = std::sync::atomic::AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 0..3 {
                let (client, answered) = (server.admin(), &answered);
                scope.spawn(move || {
                    for n in 0.. {
                        let body =
                            json!({"name": format!("{round} {thread} {n}"), "role": "writer"}).to_string();
                        let path = "/workspaces/clinic/keys";
                        let made = client.try_send("POST", path, "application/json", body.as_bytes());
                        if made.is_err() || made.is_ok_and(|made| made.status != 201) {
                            break;
                        }
                        answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                });
            }
            wait_until("keys are made", || answered.load(std::sync::atomic::Ordering::Relaxed) >= 3);
            thread::sleep(Duration::from_millis(round * 7));
            server.kill();
        });
        server = Process::start(&data, &[]);
        let admin = server.admin();
        let listed = admin.get("/workspaces/clinic/keys").expect(200);
        let keys: BTreeSet<String> = listed.data().iter().map(|key| text(&key["prefix"])).collect();
        assert!(keys.len() >= 3);
        assert_eq!(created(&admin), keys, "after {round} kills");
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The prefixes of the keys that events tell of.
fn created(admin: &Client) -> BTreeSet<String> {
    let events = feed(admin, "clinic", "0".into(), 1000);
    let created = events.iter().filter(|event| event["action"] == "api_key_created");
    created.map(|event| text(&event["target"]["id"])).collect()
}

on_both!(
    what_no_page_and_no_key_may_do_is_told_once_however_often_it_is_tried,
    |config| {
        config.audit = true;
    },
    |server| {
        let clinic = server.workspace("clinic");
        let new = NewApiKey { name: "sync".into(), role: Role::Viewer, source: None, expires_at: None };
        let mut conn = server.db.conn().expect("a connection");
        let key = api_keys::create(&mut conn, clinic.id, &new, "test", None).expect("a key");
        let script = server.bearer(&key.text);
        let foreign = server.nobody().with_header("sec-fetch-site", "cross-site");
        for _ in 0..5 {
            script
                .send(
                    "PUT",
                    "/auth/password",
                    "application/json",
                    br#"{"password": "correct horse battery"}"#,
                )
                .expect(403);
            script.get("/me/sessions").expect(403);
            foreign.post("/auth/login", json!({"email": "a@clinic.test", "password": "x"})).expect(403);
        }
        let refused = |slug: &str| -> BTreeSet<_> {
            let events = with_action(&server, slug, "permission_refused");
            let operation =
                |event: &Value| event["metadata"]["operation"].as_str().expect("a text").to_owned();
            assert!(events.iter().all(|event| event["outcome"] == "denied"), "{events:?}");
            let operations: BTreeSet<_> = events.iter().map(operation).collect();
            assert_eq!(operations.len(), events.len(), "each is told once: {events:?}");
            operations
        };
        assert_eq!(
            refused("clinic"),
            ["GET /api/v1/me/sessions", "PUT /api/v1/auth/password"].map(str::to_owned).into()
        );
        assert_eq!(refused(&platform_slug(&server)), ["POST /api/v1/auth/login".to_owned()].into());
    }
);
