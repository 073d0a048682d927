//! What one workspace feels of another: lists and appends of a quiet workspace alone, then while a noisy one ingests as
//! fast as it can, and then while it does so by a door, with records among its events that cannot be read.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use logbook_engine::event::Log;

use crate::{
    cases::Question,
    doors::as_hec,
    generate::Generator,
    http::{Connection, Target},
    load::{self, BATCH, CLIENTS},
    measure::percentile,
    report::{Beside, NeighbourFigures, Noise as Figures},
};

const QUIET: &str = "quiet";
const NOISY: &str = "noisy";
/// Events that the quiet workspace has before it is measured.
const QUIET_EVENTS: u64 = 20_000;
/// Batches that the noisy workspace sends over and over.
const NOISE: u64 = 40;
/// By the door, one of as many elements cannot be read.
const POISON_EVERY: usize = 100;
/// Between two requests of the quiet workspace: it is quiet.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the noisy workspace ingests before the quiet one is measured.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long each half is measured, and with how many requests at least.
const PATIENCE: Duration = Duration::from_secs(60);
const LEAST: usize = 10;

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Of each kind, in each half.
    pub requests: usize,
    pub events: u64,
    pub warm_up: Duration,
}

impl Size {
    pub(crate) const FULL: Self = Self { requests: 300, events: QUIET_EVENTS, warm_up: WARM_UP };
}

/// `target` is a server with an empty database.
pub(crate) fn run(target: &Target, size: Size) -> NeighbourFigures {
    let (quiet, noisy) = (of_workspace(target, QUIET), of_workspace(target, NOISY));
    load::run(&quiet, size.events, &ProgressBar::hidden());
    let alone = Latencies::measure(&quiet, size);
    let events = lines(NOISE * BATCH);
    let ingest = Noise {
        path: noisy.logs("ingest"),
        token: noisy.token.clone(),
        status: 201,
        body: |batch, _| batch.concat(),
    };
    let door =
        Noise { path: "/services/collector".into(), token: door_key(&noisy), status: 200, body: poisoned };
    NeighbourFigures {
        ingest: ingest.beside(&events, (&quiet, &noisy), &alone, size),
        door: door.beside(&events, (&quiet, &noisy), &alone, size),
    }
}

/// What the noisy workspace sends.
struct Noise {
    path: String,
    token: String,
    /// Of an answer that says that it is stored.
    status: u16,
    /// The body of a request, of its events and its number.
    body: fn(&[Vec<u8>], u64) -> Vec<u8>,
}

impl Noise {
    fn beside(
        &self,
        events: &[Vec<u8>],
        (quiet, noisy): (&Target, &Target),
        alone: &Latencies,
        size: Size,
    ) -> Figures {
        let (ends, sent, next) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let batches: Vec<&[Vec<u8>]> = events.chunks(BATCH as usize).collect();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let (ends, sent, next, batches) = (&ends, &sent, &next, &batches);
                scope.spawn(move || {
                    let mut connection = noisy.connect();
                    connection.authorize(&self.token);
                    while !ends.load(Ordering::Relaxed) {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let body = (self.body)(batches[n as usize % batches.len()], n);
                        load::send_to(&mut connection, &self.path, self.status, &body);
                        sent.fetch_add(BATCH, Ordering::Relaxed);
                    }
                });
            }
            // Ends the clients also when an answer is wrong, so that the failure is told.
            let _ends = OnDrop(|| ends.store(true, Ordering::Relaxed));
            thread::sleep(size.warm_up);
            let (start, before) = (Instant::now(), sent.load(Ordering::Relaxed));
            let beside = Latencies::measure(quiet, size);
            let events_per_s = (sent.load(Ordering::Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
            Figures {
                list: Beside::new(alone.list, beside.list),
                append: Beside::new(alone.append, beside.append),
                events_per_s,
                refused: beside.refused,
            }
        })
    }
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

fn of_workspace(target: &Target, workspace: &'static str) -> Target {
    let target = Target { workspace, ..target.clone() };
    load::make_workspace(&target);
    target
}

/// Events, each as a line of JSON.
fn lines(events: u64) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(events);
    let next = || {
        let mut line = Vec::new();
        generator.write_next(&mut line).then_some(line)
    };
    std::iter::from_fn(next).collect()
}

/// For HEC, each element with the request's number, since the same bytes again would be a duplicate.
fn poisoned(batch: &[Vec<u8>], request: u64) -> Vec<u8> {
    let mut body = Vec::new();
    for (n, line) in batch.iter().enumerate() {
        body.extend_from_slice(format!("{{\"fields\":{{\"request\":\"{request}\"}},").as_bytes());
        if n % POISON_EVERY == 0 {
            body.extend_from_slice(b"\"event\":{\"nothing\":true}}\n");
        } else {
            body.extend_from_slice(&as_hec(line)[1..]);
        }
    }
    body
}

fn door_key(target: &Target) -> String {
    let source = serde_json::json!({"name": "shipper", "kind": "hec"}).to_string();
    let made = target
        .connect()
        .post(&target.below("sources"), "application/json", source.as_bytes())
        .expect(201)
        .json();
    made["key"].as_str().expect("a key").to_owned()
}

/// p95 in milliseconds.
struct Latencies {
    list: f64,
    append: f64,
    /// Appends that the server refused at first, since it was busy.
    refused: u64,
}

impl Latencies {
    fn measure(quiet: &Target, size: Size) -> Self {
        let mut connection = quiet.connect();
        let page = Question::page(Log::Application).path(quiet, 0);
        let mut events = Generator::new(size.requests as u64);
        let (mut list, mut append) = (Vec::new(), Vec::new());
        let mut refused = 0;
        let start = Instant::now();
        while list.len() < size.requests && (start.elapsed() < PATIENCE || list.len() < LEAST) {
            list.push(timed(|| {
                connection.get(&page).expect(200);
            }));
            thread::sleep(PAUSE);
            let mut body = Vec::new();
            events.write_next(&mut body);
            append.push(timed(|| refused += append_one(&mut connection, &body)));
            thread::sleep(PAUSE);
        }
        let p95 = |mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            percentile(&times, 0.95)
        };
        Self { list: p95(list), append: p95(append), refused }
    }
}

/// As [`load::send`], but it asks again sooner, since the pause counts.
fn append_one(connection: &mut Connection, body: &[u8]) -> u64 {
    let path = connection.target().logs("ingest");
    for again in 0.. {
        let answer = connection.post(&path, "application/x-ndjson", body);
        if answer.status != 503 {
            answer.expect(201);
            return again;
        }
        thread::sleep(PAUSE);
    }
    unreachable!("it is sent until it is stored")
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}
