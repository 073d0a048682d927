//! Events of two years: exports of many batches, and pages whose events are months apart.

use logbook_engine::db::timestamp::Timestamp;
use logbook_tests::{
    Client, TestServer, on_both,
    pagination::{pages, seqs},
};
use serde_json::{Value, json};

use crate::export::ndjson;

const PATH: &str = "/workspaces/clinic/logs/application";
/// More than two of the largest batches.
const EVENTS: i64 = 9000;
const HOUR: i64 = 3600;

/// Every second hour of two years, in an order that jumps. Every seventh event has the time of the one before.
fn time(n: i64) -> i64 {
    let place = (n - i64::from(n % 7 == 3)) * 4001 % EVENTS;
    1_730_419_200 + place * 2 * HOUR
}

/// Position and seq of each event, as they are stored.
fn fill(server: &TestServer) -> (Client, Vec<(i64, i64)>) {
    server.workspace("clinic");
    let admin = server.admin();
    let mut stored = Vec::new();
    let events: Vec<i64> = (0..EVENTS).collect();
    for chunk in events.chunks(1000) {
        let body = chunk.iter().map(|n| {
            let at = Timestamp(time(*n) * 1_000_000).to_string();
            json!({
                "action": "update", "occurred_at": at, "model": "patient", "record_id": (n % 11).to_string(),
                "actor": {"type": "user", "id": (n % 13).to_string(), "name": "Asha Rao"},
                "record_name": "李".repeat((n % 90) as usize), "metadata": {"n": n},
            })
        });
        let answer = admin.post(PATH, Value::from(body.collect::<Vec<_>>())).expect(201);
        let results = answer.json["results"].as_array().expect("results").clone();
        let seq = |result: &Value| result["seq"].as_i64().expect("a seq");
        stored.extend(chunk.iter().zip(&results).map(|(n, result)| (time(*n), seq(result))));
    }
    stored.sort_unstable();
    (admin, stored)
}

fn reversed<T>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.reverse();
    values
}

on_both!(an_export_of_many_batches_has_each_event_once_and_in_order, |server| {
    let (admin, stored) = fill(&server);
    let all: Vec<i64> = stored.iter().map(|(_, seq)| *seq).collect();
    let export = |parameters: &[(&str, &str)]| {
        ndjson(&admin.query(&format!("{PATH}/export.ndjson"), parameters).expect(200).text)
    };
    let ascending = export(&[("order", "asc")]);
    assert_eq!(seqs(&ascending), all);
    let descending = export(&[]);
    assert_eq!(seqs(&descending), reversed(all.clone()));
    // The same in every field as a page of the list, which is read in another way.
    let listed = admin.query(PATH, &[("limit", "100")]).expect(200).json["data"].clone();
    assert_eq!(listed.as_array().expect("a page")[..], descending[..100]);

    // Continued between two events of the same time.
    let twin = (1..stored.len()).find(|n| stored[*n].0 == stored[n - 1].0 && *n > 4500).expect("a twin");
    let id = ascending[twin - 1]["id"].as_str().expect("an id");
    assert_eq!(seqs(&export(&[("order", "asc"), ("after", id)])), all[twin..]);
    let id = ascending[twin]["id"].as_str().expect("an id");
    assert_eq!(seqs(&export(&[("after", id)])), reversed(all[..twin].to_vec()));

    // From a year ago to half a year ago; the end is exclusive.
    let (since, until) = ("2025-06-01T00:00:00Z", "2026-01-01T10:00:00Z");
    let seconds =
        |text: &str| serde_json::from_value::<Timestamp>(text.into()).expect("a time").micros() / 1_000_000;
    let within = stored.iter().filter(|(time, _)| (seconds(since)..seconds(until)).contains(time));
    let within: Vec<i64> = within.map(|(_, seq)| *seq).collect();
    assert!(within.len() > 2000);
    let range = [("since", since), ("until", until)];
    assert_eq!(seqs(&export(&range)), reversed(within.clone()));
    assert_eq!(seqs(&export(&[&range[..], &[("order", "asc")]].concat())), within);
});

on_both!(pages_have_what_is_months_apart, |server| {
    let (admin, stored) = fill(&server);
    admin.wait_for_index();
    let actor = |n: &i64| n % 13 == 5;
    let mut expected: Vec<(i64, i64)> = stored.clone();
    // Seqs are given in the order in which events are sent.
    let first = stored.iter().map(|(_, seq)| *seq).min().expect("a seq");
    expected.retain(|(_, seq)| actor(&(seq - first)));
    let all: Vec<i64> = expected.iter().map(|(_, seq)| *seq).collect();
    for (order, expected) in [("asc", all.clone()), ("desc", reversed(all))] {
        let found = pages(&admin, PATH, &[("actor_id", "5"), ("order", order), ("limit", "50")]);
        assert_eq!(seqs(&found), expected);
        assert!(found.iter().all(|event| event["actor"]["id"] == "5"));
    }
    // What is counted is read in the same way, in part.
    let top = admin.query(&format!("{PATH}/top"), &[("field", "record"), ("actor_id", "5")]).expect(200);
    assert_eq!(top.json["counted"], expected.len(), "{}", top.text);
});
