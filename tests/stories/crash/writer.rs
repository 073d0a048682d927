//! A client that appends events, and sends what was not answered again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use logbook_engine::db::timestamp::Timestamp;

use super::SLUG;
use crate::list_oracle::LOGS;

use logbook_tests::{
    Answer, Client,
    oracle::rfc3339,
    random::{self, Event},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::{Value, json};

const MOST_EVENTS: usize = 50;
/// Different events of each log. Time and marker are new each time.
const POOL: usize = 150;
const DAY: i64 = 86_400_000_000;

/// An event as it was sent.
pub struct Made {
    pub log: &'static str,
    /// Unique, and sent as the correlation id.
    pub marker: String,
    /// Microseconds since 1970.
    pub at: i64,
    pub event: Value,
}

/// Events that were sent in one request, once or several times.
pub struct Batch {
    pub events: Vec<Made>,
    path: String,
    body: String,
    idempotency_key: Option<String>,
}

/// A batch that was acknowledged.
pub struct Stored {
    pub batch: Batch,
    /// None when the process died between the answer's status and its end.
    pub results: Option<Vec<Place>>,
}

/// Where the server stored an event.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub id: String,
    pub seq: i64,
}

pub struct Writer {
    name: usize,
    rng: Pcg64Mcg,
    /// Events of each log, [`POOL`] of one after those of another.
    pool: Vec<Event>,
    made: usize,
    unanswered: Option<Batch>,
    pub stored: Vec<Stored>,
    /// Requests that were sent again although they had been answered.
    pub repeated: usize,
    /// Answers with 503. Nothing is lost: nothing was acknowledged.
    pub refused: usize,
}

impl Batch {
    fn send(&self, client: &Client) -> Option<Answer> {
        let client = match &self.idempotency_key {
            Some(key) => &client.with_header("idempotency-key", key),
            None => client,
        };
        client.try_send("POST", &self.path, "application/json", self.body.as_bytes()).ok()
    }
}

impl Writer {
    pub fn new(name: usize, seed: u64) -> Self {
        let mut runner = TestRunner::deterministic();
        let mut pool = Vec::new();
        for log in LOGS {
            for _ in 0..POOL {
                pool.push(random::event(log).new_tree(&mut runner).expect("an event").current());
            }
        }
        Self {
            name,
            rng: Pcg64Mcg::seed_from_u64(seed.wrapping_add(name as u64)),
            pool,
            made: 0,
            unanswered: None,
            stored: Vec::new(),
            repeated: 0,
            refused: 0,
        }
    }

    /// The batch that was sent and not answered.
    pub fn unanswered(&self) -> Option<&Batch> {
        self.unanswered.as_ref()
    }

    /// Appends until the server is gone. `answered` is set with every answer.
    pub fn write(&mut self, client: &Client, answered: &AtomicBool) {
        while self.step(client) {
            answered.store(true, Ordering::Relaxed);
            if self.rng.random_range(0..12) == 0 && !self.repeat(client) {
                return;
            }
        }
    }

    /// Sends the unanswered batch until it is answered.
    pub fn finish(&mut self, client: &Client) {
        while self.unanswered.is_some() {
            assert!(self.step(client), "the server answers");
        }
    }

    /// Sends one request: the unanswered batch, or a new one. False when the server is gone.
    fn step(&mut self, client: &Client) -> bool {
        let batch = self.unanswered.take().unwrap_or_else(|| self.batch());
        let answer = batch.send(client);
        match answer {
            Some(answer) if answer.status == 201 => {
                let results = results(&answer);
                if let Some(results) = &results {
                    assert_eq!(results.len(), batch.events.len(), "an answer for each event");
                    let one_by_one = results.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq);
                    assert!(one_by_one, "events of one request follow each other: {results:?}");
                }
                self.stored.push(Stored { batch, results });
            }
            Some(answer) => {
                assert_eq!(answer.status, 503, "{}", answer.text);
                self.refused += 1;
                self.unanswered = Some(batch);
                thread::sleep(Duration::from_millis(20));
            }
            None => {
                self.unanswered = Some(batch);
                return false;
            }
        }
        true
    }

    /// Sends an acknowledged batch again, as a client that has forgotten does. False when the server is gone.
    fn repeat(&mut self, client: &Client) -> bool {
        if self.stored.is_empty() {
            return true;
        }
        let stored = &self.stored[self.rng.random_range(0..self.stored.len())];
        let Some(answer) = stored.batch.send(client) else { return false };
        if answer.status == 503 {
            return true;
        }
        assert_eq!(answer.status, 201, "{}", answer.text);
        if let (Some(first), Some(again)) = (&stored.results, results(&answer)) {
            assert_eq!(*first, again, "the same request has the same answer");
        }
        self.repeated += 1;
        true
    }

    /// A new batch of one log or of several, made safe to send again by a key for all of it, by a key for each event,
    /// or by both.
    fn batch(&mut self) -> Batch {
        let (mixed, keys) = (self.rng.random_range(0..4) == 0, self.rng.random_range(0..3));
        let log = self.rng.random_range(0..LOGS.len());
        let name = if mixed { "ingest" } else { LOGS[log] };
        let (mut events, mut body) = (Vec::new(), Vec::new());
        for _ in 0..self.rng.random_range(1..=MOST_EVENTS) {
            let made = self.event((!mixed).then_some(log));
            let mut sent = made.event.clone();
            if mixed {
                sent["log"] = made.log.into();
            }
            if keys != 0 {
                sent["dedupe_key"] = format!("key of {}", made.marker).into();
            }
            body.push(sent);
            events.push(made);
        }
        Batch {
            path: format!("/workspaces/{SLUG}/logs/{name}"),
            body: json!(body).to_string(),
            idempotency_key: (keys != 1).then(|| format!("batch-of-{}", events[0].marker)),
            events,
        }
    }

    fn event(&mut self, log: Option<usize>) -> Made {
        self.made += 1;
        let log = log.unwrap_or_else(|| self.rng.random_range(0..LOGS.len()));
        let Event { at: usual, body: mut event } =
            self.pool[log * POOL + self.rng.random_range(0..POOL)].clone();
        // Mostly now, some late, and many at the very same moment.
        let now = Timestamp::now().micros();
        let at = match self.rng.random_range(0..10) {
            0..6 => now - self.rng.random_range(0..2_000_000),
            6..8 => now - self.rng.random_range(0..60 * DAY),
            _ => usual,
        };
        let marker = format!("w{}-{}", self.name, self.made);
        event["occurred_at"] = rfc3339(at).into();
        event["correlation_id"] = marker.clone().into();
        Made { log: LOGS[log], marker, at, event }
    }
}

/// The place of each event, if the whole answer came.
fn results(answer: &Answer) -> Option<Vec<Place>> {
    let results = answer.json["results"].as_array()?;
    let of =
        |result: &Value| Some(Place { id: result["id"].as_str()?.to_owned(), seq: result["seq"].as_i64()? });
    results.iter().map(of).collect()
}
