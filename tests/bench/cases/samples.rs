//! Values for questions, from events that were sampled from the feed, so that they exist.

use logbook_engine::{db::timestamp::Timestamp, event::Log, order::Position};

use crate::{
    generate::{DAY, END, START},
    http::{Connection, query},
};

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

const DRAWS: usize = 300;
const PER_DRAW: usize = 20;

pub(crate) struct Samples {
    pub rng: Pcg64Mcg,
    /// The seq of the last event.
    pub last_seq: i64,
    /// As the feed returns them.
    events: Vec<Value>,
    pub connection: Connection,
}

impl Samples {
    /// Samples events from the whole log.
    pub(crate) fn draw(mut connection: Connection, last_seq: i64, seed: u64) -> Self {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut events = Vec::new();
        for _ in 0..DRAWS {
            let after = rng.random_range(0..last_seq.max(1)).to_string();
            let parameters = query([("after", after.as_str()), ("limit", &PER_DRAW.to_string())]);
            let path = connection.target().logs(&format!("feed?{parameters}"));
            let mut page = connection.get(&path).expect(200).json();
            if let Value::Array(data) = page["data"].take() {
                events.extend(data);
            }
        }
        assert!(!events.is_empty(), "the workspace has events");
        Self { rng, last_seq, events, connection }
    }

    /// An event of a log.
    pub(crate) fn event(&mut self, log: Log) -> Value {
        for _ in 0..10_000 {
            let place = self.rng.random_range(0..self.events.len());
            if self.events[place]["log"] == log.as_str() {
                return self.events[place].clone();
            }
        }
        panic!("no {log} event among {}", self.events.len());
    }

    /// An event of a log whose value is a text that passes.
    pub(crate) fn with(
        &mut self,
        log: Log,
        pointer: &str,
        pass: impl Fn(&str) -> bool,
    ) -> Option<(Value, String)> {
        (0..100).find_map(|_| {
            let event = self.event(log);
            let value = event.pointer(pointer)?.as_str().filter(|value| pass(value))?.to_owned();
            Some((event, value))
        })
    }

    /// A value of some event of a log.
    pub(crate) fn value(&mut self, log: Log, pointer: &str) -> Option<String> {
        self.with(log, pointer, |_| true).map(|(_, value)| value)
    }

    /// A text among the changed values that passes.
    pub(crate) fn changed(&mut self, pass: impl Fn(&str) -> bool) -> Option<String> {
        (0..100).find_map(|_| {
            let event = self.event(Log::Application);
            let news = event["changes"].as_array()?.iter().filter_map(|change| change["new"].as_str());
            news.filter(|value| pass(value)).map(str::to_owned).next()
        })
    }

    /// One of a list.
    pub(crate) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())].clone()
    }

    /// The position of an event in a part of the time, from 0.0 for the oldest to 1.0 for the newest.
    pub(crate) fn position(&mut self, log: Log, from: f64, to: f64) -> Option<Position> {
        (0..100).find_map(|_| {
            let event = self.event(log);
            let position = Position { occurred_at: time(&event)?, seq: event["seq"].as_i64()? };
            let part = (position.occurred_at.0 - START) as f64 / (END - START) as f64;
            (from..to).contains(&part).then_some(position)
        })
    }

    /// A range of at most this many days, aligned with nothing.
    pub(crate) fn range(&mut self, days: i64) -> (i64, i64) {
        let length = self.rng.random_range(DAY / 4..days * DAY);
        let since = self.rng.random_range(START..END - length);
        (since, since + length)
    }
}

fn time(event: &Value) -> Option<Timestamp> {
    serde_json::from_value(event["occurred_at"].clone()).ok()
}

pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4
}
