//! Fills the workspace through `POST …/logs/ingest`, and measures that.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    generate::Generator,
    http::{Connection, Target},
};

/// Connections that send at the same time, and events in one request: what a log shipper does.
pub(crate) const CLIENTS: usize = 8;
pub(crate) const BATCH: u64 = 1000;
/// Bodies that are generated ahead, so that generating them costs the measurement little.
const AHEAD: usize = 64;
/// How long the index may stand still after the last event before something is wrong.
const PATIENCE: Duration = Duration::from_secs(300);

/// The API keys that send the events: an event's source is its key's name. They take turns.
const KEYS: [&str; 3] = ["clinic producer", "lab gateway", "billing bridge"];
/// This one sends the first few of every hundred thousand events.
pub(crate) const RARE_KEY: &str = "restore script";
const RARE_EVERY: u64 = 100_000;
const RARE_EVENTS: u64 = 10;

/// The server's metric of the events that are stored and not yet indexed. Counts are exact before they are compacted.
const LAGS: &[&str] = &["logbook_index_lag_events"];

/// What loading took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Loaded {
    pub events: u64,
    /// Of all bodies.
    pub bytes: u64,
    /// Until the last response: everything is durable.
    pub durable_s: f64,
    /// Until everything is in the index and the counts too. None when the server does not report it.
    pub searchable_s: Option<f64>,
    /// Requests that were repeated, since the server was busy.
    pub again: u64,
}

impl Loaded {
    /// Events per second until nothing was left to do.
    pub(crate) fn events_per_s(&self) -> f64 {
        self.events as f64 / self.searchable_s.unwrap_or(self.durable_s)
    }

    pub(crate) fn durable_events_per_s(&self) -> f64 {
        self.events as f64 / self.durable_s
    }
}

/// Some events as they are sent: a line of JSON each.
struct Batch {
    /// The name of the key that sends them.
    key: &'static str,
    events: u64,
    body: Vec<u8>,
}

/// Sends this many events and waits until they can be found.
pub(crate) fn run(target: &Target, events: u64, progress: &ProgressBar) -> Loaded {
    let keys = make_keys(target);
    let (sender, batches) = mpsc::sync_channel(AHEAD);
    // Dropped with the last client: when all have panicked, the generator does not wait for them.
    let batches = Arc::new(Mutex::new(batches));
    let (bytes, again) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || generate(events, &sender));
        for _ in 0..CLIENTS {
            let (batches, bytes, again, keys) = (batches.clone(), &bytes, &again, &keys);
            scope.spawn(move || {
                let mut connection = target.connect();
                // The lock is held while waiting, so the first thread takes the next batch.
                while let Ok(Batch { key, events, body }) = batches.lock().expect("no thread panicked").recv()
                {
                    connection.authorize(&keys[key]);
                    again.fetch_add(send(&mut connection, &body), Ordering::Relaxed);
                    bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
                    progress.inc(events);
                }
            });
        }
        drop(batches);
    });
    let durable_s = start.elapsed().as_secs_f64();
    let searchable_s = wait_until_searchable(target).then(|| start.elapsed().as_secs_f64());
    let (bytes, again) = (bytes.into_inner(), again.into_inner());
    Loaded { events, bytes, durable_s, searchable_s, again }
}

fn generate(events: u64, sender: &mpsc::SyncSender<Batch>) {
    let mut generator = Generator::new(events);
    let mut made = 0;
    for turn in 0.. {
        let rare = made % RARE_EVERY == 0;
        let key = if rare { RARE_KEY } else { KEYS[turn % KEYS.len()] };
        let most = if rare { RARE_EVENTS } else { BATCH.min(RARE_EVERY - made % RARE_EVERY) };
        let (mut count, mut body) = (0, Vec::with_capacity(600 * most as usize));
        while count < most && generator.write_next(&mut body) {
            count += 1;
        }
        made += count;
        // Nobody takes it when all clients have panicked.
        if count == 0 || sender.send(Batch { key, events: count, body }).is_err() {
            return;
        }
    }
}

/// Creates the API keys. Returns their tokens by name.
fn make_keys(target: &Target) -> HashMap<&'static str, String> {
    let path = format!("/api/v1/workspaces/{}/keys", target.workspace);
    let mut connection = target.connect();
    let keys = KEYS.into_iter().chain([RARE_KEY]).map(|name| {
        let body = json!({"name": name, "role": "writer"}).to_string();
        let created = connection.post(&path, "application/json", body.as_bytes()).expect(201).json();
        (name, created["token"].as_str().expect("a token").to_owned())
    });
    keys.collect()
}

/// Sends a body until it is stored. Returns how often it had to be sent again.
pub(crate) fn send(connection: &mut Connection, body: &[u8]) -> u64 {
    let path = connection.target().logs("ingest");
    send_to(connection, &path, 201, body)
}

/// As [`send`], to another place, whose `status` says that it is stored.
pub(crate) fn send_to(connection: &mut Connection, path: &str, status: u16, body: &[u8]) -> u64 {
    for again in 0.. {
        let answer = connection.post(path, "application/x-ndjson", body);
        if answer.status != 503 {
            answer.expect(status);
            return again;
        }
        thread::sleep(Duration::from_millis(50));
    }
    unreachable!("it is sent until it is stored")
}

/// Waits until the index has caught up. False when the server does not report how far it is.
pub(crate) fn wait_until_searchable(target: &Target) -> bool {
    let mut connection = target.connect();
    let (mut since, mut least) = (Instant::now(), f64::INFINITY);
    loop {
        let figures = connection.get("/metrics").expect(200).text();
        let lags: Vec<f64> = LAGS.iter().filter_map(|name| figure(&figures, name)).collect();
        if lags.iter().all(|lag| *lag == 0.0) {
            return !lags.is_empty();
        }
        let lag = lags.iter().sum();
        if lag < least {
            (since, least) = (Instant::now(), lag);
        }
        assert!(since.elapsed() < PATIENCE, "the index does not catch up: {lags:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The sum of a metric in Prometheus's text format. None when it is not there.
fn figure(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix(' ')
            .or_else(|| rest.strip_prefix('{')?.split_once("} ").map(|(_, value)| value));
        value?.split_whitespace().next()?.parse::<f64>().ok()
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// Creates the workspace, unless it exists.
pub(crate) fn make_workspace(target: &Target) {
    let body = json!({"slug": target.workspace, "name": "Bench", "timezone": "UTC"}).to_string();
    let mut connection = target.connect();
    let answer = connection.post("/api/v1/workspaces", "application/json", body.as_bytes());
    assert!([201, 409].contains(&answer.status), "{}", answer.text());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_with_and_without_labels() {
        let text = "# TYPE a gauge\na 3\nab 5\nb{log=\"access\"} 1.5\nb{log=\"x\"} 2 1700000000\n";
        assert_eq!((figure(text, "a"), figure(text, "b"), figure(text, "c")), (Some(3.0), Some(3.5), None));
    }
}
