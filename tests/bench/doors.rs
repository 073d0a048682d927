//! Ingest through the doors for shippers, against the typed endpoint: the same events, with dedupe keys, by Splunk's HEC as they are, and
//! as OpenTelemetry log records through their mapping. Until everything is durable.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    generate::Generator,
    http::Target,
    load::{self, BATCH, CLIENTS},
    processor::Stages,
    report::{DoorFigure, DoorFigures},
};

/// How often each door is measured. The best counts: the first fills caches.
const ROUNDS: usize = 3;

/// Ways in, with the kind of their source, their path and the status of their answer.
struct Door {
    name: &'static str,
    kind: &'static str,
    path: String,
    status: u16,
    bodies: Vec<Vec<u8>>,
}

/// `target` is a server whose workspace is its own. `processes`: the server's id, and PostgreSQL's folder. `events`: in each round.
pub(crate) fn run(target: &Target, processes: (u32, Option<&Path>), events: u64) -> DoorFigures {
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
    let bodies = |of: fn(&[Vec<u8>]) -> Vec<u8>| batches.iter().map(|batch| of(batch)).collect();
    let ingest = target.logs("ingest");
    let typed = [
        Door {
            name: "typed",
            kind: "api",
            path: ingest.clone(),
            status: 201,
            bodies: bodies(|batch| batch.concat()),
        },
        Door { name: "typed-keys", kind: "api", path: ingest, status: 201, bodies: bodies(with_keys) },
    ];
    let doors = [
        Door {
            name: "hec",
            kind: "hec",
            path: "/services/collector".into(),
            status: 200,
            bodies: bodies(|batch| batch.iter().flat_map(|line| as_hec(line)).collect()),
        },
        Door { name: "otlp", kind: "otlp", path: "/v1/logs".into(), status: 200, bodies: bodies(as_otlp) },
    ];
    let mut best: BTreeMap<&str, (f64, Stages)> = BTreeMap::new();
    for round in 0..ROUNDS {
        for door in typed.iter().chain(&doors) {
            let before = Stages::of(processes.0, processes.1);
            let rate = door.rate(target, round, events);
            let stages = Stages::of(processes.0, processes.1).since(before, events);
            best.entry(door.name)
                .and_modify(|best| *best = if best.0 < rate { (rate, stages) } else { *best })
                .or_insert((rate, stages));
        }
    }
    let (typed_events_per_s, typed_processor_us_per_event) = best["typed"];
    let figure = |door: &str, name: &str| {
        let (events_per_s, processor_us_per_event) = best[door];
        DoorFigure {
            name: name.to_owned(),
            events_per_s,
            ratio: events_per_s / typed_events_per_s,
            processor_us_per_event,
        }
    };
    DoorFigures {
        typed_events_per_s,
        typed_processor_us_per_event,
        doors: vec![
            figure("typed-keys", "the typed endpoint with dedupe keys"),
            figure("hec", "HEC"),
            figure("otlp", "OTLP, mapped"),
        ],
    }
}

/// Each event with a dedupe key of its own, as from a producer that sends again after a lost answer.
fn with_keys(batch: &[Vec<u8>]) -> Vec<u8> {
    let with_key = |line: &Vec<u8>| {
        let mut hash = DefaultHasher::new();
        line.hash(&mut hash);
        let key = format!("{{\"dedupe_key\":\"{:016x}\",", hash.finish());
        [key.as_bytes(), &line[1..]].concat()
    };
    batch.iter().flat_map(with_key).collect()
}

/// An event of Splunk's HEC.
pub(crate) fn as_hec(line: &[u8]) -> Vec<u8> {
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

impl Door {
    /// Events per second of a new source, whose events are no duplicates.
    fn rate(&self, target: &Target, round: usize, events: u64) -> f64 {
        let name = format!("{}-{round}", self.name);
        let mut connection = target.connect();
        let source = json!({"name": name, "kind": self.kind}).to_string();
        let made = connection
            .post(&target.below("sources"), "application/json", source.as_bytes())
            .expect(201)
            .json();
        let key = made["key"].as_str().expect("a key").to_owned();
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (key, next) = (&key, &next);
                scope.spawn(move || {
                    let mut connection = target.connect();
                    connection.authorize(key);
                    while let Some(body) = self.bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                        loop {
                            let answer = connection.post(&self.path, "application/json", body);
                            if answer.status != 503 {
                                answer.expect(self.status);
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
}
