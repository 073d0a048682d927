//! What one request can make the server do and store is in proportion to the request.

use std::thread;

use diesel::{
    QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::BigInt,
};
use logbook::config::DataConfig;
use logbook_tests::{TestServer, on_both, process::Process, wait::wait_until};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(server: &TestServer, query: &str) -> i64 {
    sql_query(query).get_result::<Number>(&mut server.own_connection()).expect("a number").n
}

fn in_month(month: usize) -> Value {
    json!({"event_type": "login", "occurred_at": format!("{}-{:02}-05T00:00:00Z", 1990 + month / 12, month % 12 + 1)})
}

on_both!(the_events_of_one_request_lie_in_ten_years_of_months, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    // Twice each: it is the months that count.
    let events: Vec<Value> = (0..240).map(|n| in_month(n / 2)).collect();
    admin.post(PATH, events.into()).expect(201);
    let refused = admin.post(PATH, (0..130).map(in_month).collect::<Vec<_>>().into()).expect(422);
    assert_eq!((refused.code(), refused.places()), ("validation_failed", vec!["/120/occurred_at"]));
    assert_eq!(refused.json["errors"][0]["code"], "too_many_months");
    assert_eq!(number(&server, "SELECT count(*) AS n FROM events WHERE log = 1"), 240);
});

/// Without this, whoever sends old events would make everybody wait.
#[test]
fn nobody_waits_for_the_partitions_of_others() {
    let server = TestServer::postgres();
    server.workspace("clinic");
    let admin = server.admin();
    admin.post(PATH, json!([{"event_type": "login"}])).expect(201);
    // Nobody can create a partition meanwhile. The number is that of engine/src/db/partitions.rs.
    let mut lock = server.own_connection();
    let key = 0x6c6f_6762_6f6f_6b01_i64;
    lock.batch_execute(&format!("SELECT pg_advisory_lock({key})")).expect("a lock");
    thread::scope(|scope| {
        let old = scope.spawn(|| server.admin().post(PATH, json!([in_month(7)])));
        let waits = "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        wait_until("somebody waits for the lock", || number(&server, waits) > 0);
        admin.post(PATH, json!([{"event_type": "logout"}])).expect(201);
        assert!(!old.is_finished());
        lock.batch_execute(&format!("SELECT pg_advisory_unlock({key})")).expect("an end");
        old.join().expect("an answer").expect(201);
    });
}

on_both!(the_response_to_a_request_of_duplicates_takes_little_space, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let event =
        json!({"event_type": "login", "dedupe_key": "one", "occurred_at": "2026-10-01T08:00:00.123456Z"});
    admin.post(PATH, json!([event])).expect(201);
    let events: Vec<Value> = vec![event.clone(); 10_000];
    let client = admin.with_header("idempotency-key", "many");
    let first = client.post(PATH, events.clone().into()).expect(201);
    assert_eq!((&first.json["accepted"], &first.json["duplicates"]), (&json!(0), &json!(10_000)));
    let bytes = number(&server, "SELECT CAST(sum(length(response)) AS BIGINT) AS n FROM idempotency_keys");
    assert!(bytes < 100, "{bytes}");
    assert_eq!(client.post(PATH, events.into()).expect(201).text, first.text, "byte for byte");
    // New events, in no order, with a duplicate between.
    let mixed = |n: i64| {
        if n == 40 {
            return event.clone();
        }
        json!({"event_type": "login", "dedupe_key": format!("k{n}"),
            "occurred_at": format!("2026-{:02}-11T08:00:00.{:06}Z", n * 7 % 10 + 1, n * 7919 % 1_000_000)})
    };
    let events: Vec<Value> = (0..200).map(mixed).collect();
    let client = admin.with_header("idempotency-key", "mixed");
    let first = client.post(PATH, events.clone().into()).expect(201);
    assert_eq!(client.post(PATH, events.into()).expect(201).text, first.text, "byte for byte");
});

/// 500 events of 28 KB, each of 3,500 small objects: a parsed object takes some 80 times the memory of its text.
#[test]
fn a_body_of_many_small_objects_takes_little_more_memory_than_its_text() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database_url = format!("sqlite://{}", folder.path().join("logbook.db").display());
    let data = DataConfig { database_url, data_dir: folder.path().join("data"), audit: true };
    let server = Process::start(&data, &[]);
    let admin = server.admin();
    admin.post("/workspaces", json!({"slug": "clinic", "name": "Clinic"})).expect(201);
    let objects = vec![r#"{"q":1}"#; 3500].join(",");
    let event = format!(r#"{{"event_type":"login","metadata":{{"a":[{objects}]}}}}"#);
    let body = format!("[{}]", vec![event; 500].join(","));
    let before = server.peak_memory_mib();
    admin.send("POST", PATH, "application/json", body.as_bytes()).expect(201);
    let took = server.peak_memory_mib() - before;
    // The body, what is stored of it, and what the database holds of the transaction.
    assert!(took < 150, "{took} MiB");
}
