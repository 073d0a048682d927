//! How dedupe keys are stored changes no answer: whatever was merged, remembered or added by another server, a key that is known
//! is that of its first event.

use std::collections::HashMap;

use diesel::{prelude::*, sql_types::BigInt};
use logbook_tests::{Client, TestServer, on_both};
use serde_json::{Value, json};

const PATH: &str = "/workspaces/clinic/logs/access";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn number(server: &TestServer, number: &str, table: &str) -> i64 {
    let sql = format!("SELECT CAST({number} AS BIGINT) AS n FROM {table}");
    diesel::sql_query(sql).get_result::<Number>(&mut server.own_connection()).expect("a number").n
}

/// A generator of numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

fn event(key: u64) -> Value {
    json!({"event_type": "login", "user": {"id": key.to_string()}, "dedupe_key": format!("k{key}"), "occurred_at": "2026-10-01T00:00:00Z"})
}

/// Sends these keys, and checks each answer against the events that are known.
fn send(client: &Client, keys: &[u64], known: &mut HashMap<u64, Value>) {
    let events: Vec<Value> = keys.iter().map(|key| event(*key)).collect();
    let answer = client.post(PATH, events.into()).expect(201).json;
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), keys.len());
    for (key, result) in keys.iter().zip(results) {
        match known.get(key) {
            Some(first) => {
                assert_eq!((&result["id"], &result["duplicate"]), (first, &json!(true)), "{key}");
            }
            None => {
                assert_eq!(result["duplicate"], json!(false), "{key}");
                known.insert(*key, result["id"].clone());
            }
        }
    }
}

on_both!(a_key_is_known_whatever_became_of_its_run, |server| {
    server.workspace("clinic");
    let beside = server.beside();
    let servers = [server.admin(), beside.admin()];
    let mut random = Random(7);
    let mut known = HashMap::new();
    let mut next = 0;
    let mut keys_of = |random: &mut Random, count: u64| -> Vec<u64> {
        let mut key = || {
            // Half of them are known.
            if next > 0 && random.below(2) == 0 {
                return random.below(next);
            }
            next += 1;
            next - 1
        };
        (0..count).map(|_| key()).collect()
    };
    for round in 0..150_usize {
        // Mostly one server appends for a while, which then knows the runs without asking.
        let client = &servers[round / 20 % 2];
        let count = if round % 40 == 7 { 5000 } else { 1 + random.below(40) };
        send(client, &keys_of(&mut random, count), &mut known);
    }
    // A server that has just started knows as much.
    let fresh = server.beside();
    let all: Vec<u64> = (0..known.len() as u64).collect();
    for keys in all.chunks(5000) {
        send(&fresh.admin(), keys, &mut known);
    }
    let keys = known.len() as i64;
    assert_eq!(number(&server, "SUM(entries)", "dedupe_runs"), keys);
    let bytes = number(&server, "SUM(LENGTH(heads) + LENGTH(rests))", "dedupe_parts");
    assert_eq!(bytes, 16 * keys, "sixteen bytes a key");
    let runs = number(&server, "COUNT(*)", "dedupe_runs");
    assert!(runs < 40, "{runs} runs are left of 150");
    // What is expired is gone as a whole.
    server.shift("dedupe_runs", "expires_at", -8 * 86_400);
    known.clear();
    send(&servers[0], &[1, 2, 3], &mut known);
    assert_eq!(number(&server, "COUNT(*)", "dedupe_runs"), 1);
    assert_eq!(number(&server, "COUNT(*)", "dedupe_parts"), 1);
});

on_both!(a_request_that_fails_leaves_no_key, |server| {
    server.workspace("clinic");
    let admin = server.admin();
    let mut known = HashMap::new();
    send(&admin, &[1, 2], &mut known);
    // The last event has another content than the first one of its key: nothing of the request is stored.
    let mut other = event(1);
    other["event_type"] = json!("logout");
    admin.post(PATH, json!([event(3), event(4), other])).expect(409);
    assert_eq!(number(&server, "SUM(entries)", "dedupe_runs"), 2);
    send(&admin, &[3, 1, 4], &mut known);
    assert_eq!(known.len(), 4);
});
