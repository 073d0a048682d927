//! An event that is sent again is stored once, by its dedupe key or by the request's Idempotency-Key.

use std::collections::BTreeSet;

use logbook_tests::{Answer, Client, TestServer, on_both, pagination};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

fn keyed(key: &str) -> Value {
    json!({"event_type": "login", "dedupe_key": key, "occurred_at": "2026-10-01T00:00:00Z"})
}

fn total(client: &Client, workspace: &str) -> Value {
    client.get(&format!("/workspaces/{workspace}/logs/access/metrics")).expect(200).json["total"].clone()
}

const DAY: i64 = 86_400;

on_both!(a_repeated_key_is_answered_with_the_first_event, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let first = admin
        .post(PATH, json!([keyed("a"), keyed("b"), keyed("a"), {"event_type": "login"}]))
        .expect(201)
        .json;
    assert_eq!((&first["accepted"], &first["duplicates"]), (&json!(3), &json!(1)));
    assert_eq!(first["results"][2], json!({"id": first["results"][0]["id"], "seq": 1, "duplicate": true}));
    assert_eq!(first["results"][3]["seq"], 3);

    let again = admin.post(PATH, json!([keyed("c"), keyed("b")])).expect(201).json;
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(again["results"][1]["id"], first["results"][1]["id"]);
    assert_eq!(again["results"][0]["seq"], 4, "a duplicate takes no number");
    assert_eq!(total(&admin, "clinic"), 4);
});

/// Checks that an element was refused, and returns what was said of it.
#[track_caller]
fn conflict(answer: Answer, place: &str) -> String {
    let answer = answer.expect(409);
    assert_eq!((answer.code(), answer.places().as_slice()), ("dedupe_conflict", [place].as_slice()));
    answer.json["errors"][0]["detail"].as_str().expect("a detail").to_owned()
}

on_both!(another_event_under_a_known_key_is_refused_and_told_which_one_has_it, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let first = admin.post(PATH, json!([keyed("evt-1001")])).expect(201).json;
    let id = first["results"][0]["id"].as_str().expect("an id");
    let with = |field: &str, value: Value| {
        let mut event = keyed("evt-1001");
        event[field] = value;
        event
    };
    for other in [
        with("event_type", json!("logout")),
        with("occurred_at", json!("2026-10-01T00:00:01Z")),
        with("user", json!({"id": "7"})),
        with("metadata", json!({"a": 1})),
        with("session_id", json!("s")),
    ] {
        let detail = conflict(admin.post(PATH, json!([keyed("new"), other])), "/1/dedupe_key");
        assert!(detail.contains(id), "{detail}");
    }
    let delete = json!([{"action": "delete", "model": "m", "record_id": "1", "dedupe_key": "evt-1001"}]);
    conflict(admin.post("/workspaces/clinic/logs/application", delete), "/0/dedupe_key");
    // Also within one request, of which nothing is stored.
    let detail = conflict(
        admin.post(PATH, json!([keyed("x"), {"event_type": "logout", "dedupe_key": "x"}])),
        "/1/dedupe_key",
    );
    assert!(detail.contains("/0"), "{detail}");
    assert_eq!(admin.post(PATH, json!([keyed("new"), keyed("x")])).expect(201).json["accepted"], 2);
    assert_eq!(admin.get(&format!("{PATH}/{id}")).expect(200).json["event_type"], "login");
    assert_eq!(total(&admin, "clinic"), 3);
});

on_both!(an_event_that_is_sent_again_is_the_same_however_it_is_written, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    // Without a time it has that of its request, which is another one the next time.
    let events = [
        r#"[{"event_type":"login","dedupe_key":"a","metadata":{"x":1,"y":[2],"password":"one"}}]"#,
        r#"[{"metadata":{"y":[2.0],"password":"one","x":1.0},"dedupe_key":"a","event_type":"login","user":null}]"#,
    ];
    let send = |body: &str| admin.send("POST", PATH, "application/json", body.as_bytes()).expect(201).json;
    let [first, second] = events.map(send);
    assert_eq!((&first["accepted"], &second["duplicates"]), (&json!(1), &json!(1)));
    assert_eq!(first["results"][0]["id"], second["results"][0]["id"]);
});

on_both!(a_producer_that_counts_anew_sends_the_same_events, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let counted = |epoch: &str, sequence: u32| {
        let mut event = keyed("a");
        (event["epoch"], event["sequence"]) = (json!(epoch), json!(sequence));
        admin.post(PATH, json!([event])).expect(201).json
    };
    assert_eq!(counted("one", 7)["accepted"], 1);
    assert_eq!(counted("two", 1)["duplicates"], 1, "its outbox came from a backup");
});

fn create_key(server: &TestServer, name: &str) -> Client {
    let body = json!({"name": name, "role": "writer"});
    let made = server.admin().post("/workspaces/clinic/keys", body).expect(201);
    server.bearer(made.json["token"].as_str().expect("a key"))
}

on_both!(no_producer_can_take_the_keys_of_another, |server| {
    server.workspace("clinic");
    let (mallory, app) = (create_key(&server, "mallory"), create_key(&server, "app"));
    mallory.post(PATH, json!([keyed("evt-1001")])).expect(201);
    let delete = json!([{"event_type": "account_deleted", "dedupe_key": "evt-1001"}]);
    let stored = app.post(PATH, delete.clone()).expect(201).json;
    assert_eq!((&stored["accepted"], &stored["results"][0]["seq"]), (&json!(1), &json!(2)));
    // A key that replaces another one, under its name, goes on where that one stopped.
    let renewed = create_key(&server, "app");
    assert_eq!(renewed.post(PATH, delete.clone()).expect(201).json["duplicates"], 1);
    // So it is with the key of a whole request.
    let body = json!([{"event_type": "login"}]);
    let once = |client: &Client| {
        client.with_header("idempotency-key", "batch-1").post(PATH, body.clone()).expect(201)
    };
    let (first, second) = (once(&mallory), once(&app));
    assert_ne!(first.json["results"][0]["id"], second.json["results"][0]["id"]);
    assert_eq!(once(&renewed).json, second.json);
    let other = json!([{"event_type": "logout"}]);
    mallory.with_header("idempotency-key", "batch-1").post(PATH, other).expect(422);
});

on_both!(another_workspace_has_its_own_keys, |server| {
    server.workspace("clinic");
    server.workspace("shop");
    let admin = server.admin();
    admin.post(PATH, json!([keyed("a")])).expect(201);
    assert_eq!(
        admin.post("/workspaces/shop/logs/access", json!([keyed("a")])).expect(201).json["accepted"],
        1
    );
    assert_eq!((total(&admin, "clinic"), total(&admin, "shop")), (json!(1), json!(1)));
    let twice = admin.with_header("idempotency-key", "k1");
    twice.post(PATH, json!([keyed("b")])).expect(201);
    twice.post("/workspaces/shop/logs/access", json!([keyed("c")])).expect(201);
    assert_eq!((total(&admin, "clinic"), total(&admin, "shop")), (json!(2), json!(2)));
});

on_both!(a_refused_batch_uses_up_no_key, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let idempotent = admin.with_header("idempotency-key", "k1");
    idempotent.post(PATH, json!([keyed("a"), {"event_type": "Bad"}])).expect(422);
    assert_eq!(idempotent.post(PATH, json!([keyed("a")])).expect(201).json["accepted"], 1);
});

on_both!(eight_threads_with_the_same_keys_store_each_once, |server| {
    server.workspace("clinic");
    let ids = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let admin = server.admin();
                scope.spawn(move || {
                    let mut ids = Vec::new();
                    for round in 0..10 {
                        let mut keys: Vec<_> = (0..5).map(|key| format!("{round}-{key}")).collect();
                        keys.rotate_left(thread % 5);
                        let events: Vec<_> = keys.iter().map(|key| keyed(key)).collect();
                        let answer = admin.post(PATH, events.into()).expect(201).json;
                        for (key, result) in
                            keys.into_iter().zip(answer["results"].as_array().expect("results"))
                        {
                            ids.push((key, result["id"].as_str().expect("an id").to_owned()));
                        }
                    }
                    ids
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect::<Vec<_>>()
    });
    assert_eq!(ids.len(), 8 * 50);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 50, "all threads got the same id for a key");
    assert_eq!(
        pagination::seqs(&pagination::feed(&server.admin(), "clinic", "0".into(), 7)),
        (1..=50).collect::<Vec<_>>()
    );
});

on_both!(a_key_can_be_used_again_after_the_window, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let first = admin.post(PATH, json!([keyed("a")])).expect(201).json;
    server.shift("dedupe_runs", "expires_at", -6 * DAY);
    assert_eq!(admin.post(PATH, json!([keyed("a")])).expect(201).json["duplicates"], 1);
    server.shift("dedupe_runs", "expires_at", -2 * DAY);
    let second = admin.post(PATH, json!([keyed("a")])).expect(201).json;
    assert_eq!(second["accepted"], 1);
    assert_ne!(second["results"][0]["id"], first["results"][0]["id"]);
    assert_eq!(
        admin.post(PATH, json!([keyed("a")])).expect(201).json["results"][0]["id"],
        second["results"][0]["id"]
    );
});

on_both!(
    the_window_is_a_setting,
    |config| {
        config.dedupe_days = 1;
    },
    |server| {
        server.workspace("clinic");
        let admin = server.admin();
        admin.post(PATH, json!([keyed("a")])).expect(201);
        server.shift("dedupe_runs", "expires_at", -2 * DAY);
        assert_eq!(admin.post(PATH, json!([keyed("a")])).expect(201).json["accepted"], 1);
    }
);

on_both!(a_request_sent_again_gets_the_first_answer, |server| {
    server.workspace("clinic");
    let admin = server.admin().with_header("idempotency-key", "batch-1");
    let body = json!([{"log": "access", "event_type": "login"}, {"log": "access", "event_type": "login", "dedupe_key": "a"}]);
    let first = admin.post(PATH, body.clone()).expect(201);
    let second = admin.post(PATH, body.clone()).expect(201);
    assert_eq!(first.json, second.json);
    assert_eq!(total(&admin, "clinic"), 2);

    let answer = admin.post(PATH, json!([{"event_type": "logout"}])).expect(422);
    assert_eq!(answer.code(), "idempotency_key_reused");
    let elsewhere = admin.post("/workspaces/clinic/logs/ingest", body.clone()).expect(422);
    assert_eq!(elsewhere.code(), "idempotency_key_reused", "another address is another request");

    server.shift("idempotency_keys", "created_at", -8 * DAY);
    assert_eq!(
        admin.post(PATH, body).expect(201).json["accepted"],
        1,
        "the keyless event; the other is known still"
    );
    for bad in ["", &"k".repeat(256), "ключ"] {
        let answer = admin.with_header("idempotency-key", bad).post(PATH, json!([])).expect(400);
        assert_eq!(answer.places(), ["Idempotency-Key"]);
    }
});

on_both!(eight_threads_with_the_same_request_store_it_once, |server| {
    server.workspace("clinic");
    let body = json!([{"event_type": "login"}, {"event_type": "logout"}]);
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let admin = server.admin();
                let body = &body;
                scope.spawn(move || {
                    let send = |key: u32| {
                        admin.with_header("idempotency-key", &key.to_string()).post(PATH, body.clone())
                    };
                    (0..10).map(|key| send(key).expect(201).text).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect::<BTreeSet<_>>()
    });
    assert_eq!(answers.len(), 1, "all answers are the same");
    assert_eq!(total(&server.admin(), "clinic"), 20);
});
