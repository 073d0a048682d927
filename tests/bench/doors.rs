//! Ingest through the doors for shippers, against the typed endpoint: the same events, by Splunk's HEC as it is, and as OpenTelemetry
//! log records through their mapping. Until everything is durable.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    generate::Generator,
    http::Target,
    load::{self, BATCH, CLIENTS},
    report::DoorFigures,
};

/// How often each door is measured. The best counts: the first fills caches.
const ROUNDS: usize = 3;

/// `target` is a server whose workspace is its own. `events`: in each round.
pub(crate) fn run(target: &Target, events: u64) -> DoorFigures {
    let mut generator = Generator::new(events);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut line = Vec::new();
        if lines.len() as u64 >= events || !generator.write_next(&mut line) {
            break;
        }
        lines.push(line);
    }
    let batches: Vec<&[Vec<u8>]> = lines.chunks(BATCH as usize).collect();
    let typed: Vec<Vec<u8>> = batches.iter().map(|batch| batch.concat()).collect();
    let hec: Vec<Vec<u8>> =
        batches.iter().map(|batch| batch.iter().flat_map(|line| as_hec(line)).collect()).collect();
    let otlp: Vec<Vec<u8>> = batches.iter().map(|batch| as_otlp(batch)).collect();
    let (mut best_typed, mut best_hec, mut best_otlp) = (0.0_f64, 0.0_f64, 0.0_f64);
    for round in 0..ROUNDS {
        let ingest = target.logs("ingest");
        best_typed =
            best_typed.max(rate(target, &format!("typed-{round}"), "api", &ingest, 201, &typed, events));
        best_hec = best_hec.max(rate(
            target,
            &format!("hec-{round}"),
            "hec",
            "/services/collector",
            200,
            &hec,
            events,
        ));
        best_otlp =
            best_otlp.max(rate(target, &format!("otlp-{round}"), "otlp", "/v1/logs", 200, &otlp, events));
    }
    DoorFigures {
        typed_events_per_s: best_typed,
        hec_events_per_s: best_hec,
        otlp_events_per_s: best_otlp,
        hec_ratio: best_hec / best_typed,
        otlp_ratio: best_otlp / best_typed,
    }
}

fn as_hec(line: &[u8]) -> Vec<u8> {
    [b"{\"event\":", line.trim_ascii_end(), b"}\n"].concat()
}

/// Log records with the attributes that the mapping reads.
fn as_otlp(batch: &[Vec<u8>]) -> Vec<u8> {
    let attribute = |key: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (!value.is_null()).then(|| json!({"key": key, "value": {"stringValue": text}}))
    };
    let record = |line: &Vec<u8>| {
        let event: Value = serde_json::from_slice(line).expect("JSON");
        let of = |names: &[&str]| {
            names.iter().map(|name| event.pointer(name)).find_map(|it| it).cloned().unwrap_or_default()
        };
        let time: logbook_engine::db::timestamp::Timestamp =
            serde_json::from_value(event["occurred_at"].clone()).expect("a time");
        let attributes: Vec<Value> = [
            ("logbook.log", of(&["/log"])),
            ("audit.actor.id", of(&["/actor/id", "/user/id"])),
            ("audit.actor.name", of(&["/actor/name", "/user/name"])),
            ("audit.actor.role", of(&["/role"])),
            ("audit.resource.type", of(&["/model", "/component/type"])),
            ("audit.resource.id", of(&["/record_id", "/component/id"])),
            ("audit.resource.name", of(&["/record_name", "/component/name"])),
            ("client.address", of(&["/ip_address"])),
            ("user_agent.original", of(&["/user_agent"])),
            ("session.id", of(&["/session_id"])),
        ]
        .iter()
        .filter_map(|(key, value)| attribute(key, value))
        .collect();
        json!({
            "timeUnixNano": format!("{}000", time.micros()), "eventName": of(&["/action", "/event_type"]),
            "attributes": attributes,
        })
    };
    let records: Vec<Value> = batch.iter().map(record).collect();
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).to_string().into_bytes()
}

/// Events per second of a new source, whose events are no duplicates.
fn rate(
    target: &Target,
    name: &str,
    kind: &str,
    path: &str,
    status: u16,
    bodies: &[Vec<u8>],
    events: u64,
) -> f64 {
    let mut connection = target.connect();
    let source = json!({"name": name, "kind": kind}).to_string();
    let made =
        connection.post(&target.below("sources"), "application/json", source.as_bytes()).expect(201).json();
    let key = made["key"].as_str().expect("a key").to_owned();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (key, next) = (&key, &next);
            scope.spawn(move || {
                let mut connection = target.connect();
                connection.authorize(key);
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    loop {
                        let answer = connection.post(path, "application/json", body);
                        if answer.status != 503 {
                            answer.expect(status);
                            break;
                        }
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
    });
    let rate = events as f64 / start.elapsed().as_secs_f64();
    let how = target.connect().get(&target.below(&format!("sources/{name}"))).expect(200).json();
    let found = (how["events"].as_u64(), how["duplicates"].as_u64(), how["rejected"].as_u64());
    assert_eq!(found, (Some(events), Some(0), Some(0)), "{name}");
    // What the index still does would slow down the next door.
    load::wait_until_searchable(target);
    rate
}
