//! Who reads which log, and how much of it.
//!
//! The first request of a caller is recorded when it ends. What they read further is added up, and recorded after
//! [`PAUSE`], or as soon as it is [`MANY`] events: so whoever reads everything looks different from somebody who looks at
//! one page, and a killed server loses no more of it than that.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use logbook_engine::event::NewEvent;
use serde_json::Value;

use super::{AuditLog, Destination, Record, events};

/// How long what was read waits to be recorded.
const PAUSE: Duration = Duration::from_secs(300);
/// Events that are recorded at once, however little time has passed.
const MANY: u64 = 10_000;
/// After this long without a request, the next one is recorded at once again.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Callers and logs that are remembered. Requests of further ones are recorded one by one.
const MOST: usize = 100_000;

/// How a read is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// As `log_read`, added up with other reads of the caller.
    AddedUp,
    /// As `log_exported`, each by itself. One that was refused is none: it is recorded once it [begins](Read::begins).
    AsExport,
}

/// One request that reads. Counted when it is dropped: handlers add the events that they return.
pub struct Read {
    audit: AuditLog,
    what: What,
    record: Record,
    recorded: Recorded,
    has_begun: bool,
    /// 0 once the request is counted.
    requests: u64,
    events: u64,
}

/// Caller, log and workspace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct What {
    workspace_id: i32,
    log: &'static str,
    caller: String,
}

impl Read {
    pub(super) fn new(
        audit: &AuditLog,
        (workspace_id, log, caller): (i32, &'static str, &str),
        event: NewEvent,
        recorded: Recorded,
    ) -> Self {
        Self {
            audit: audit.clone(),
            what: What { workspace_id, log, caller: caller.to_owned() },
            record: Record::new(Destination::Workspace(workspace_id), event),
            recorded,
            has_begun: false,
            requests: 1,
            events: 0,
        }
    }

    /// The export is not refused any more.
    pub fn begins(&mut self) {
        self.has_begun = true;
    }

    /// The request returns so many events.
    pub fn returns(&mut self, events: usize) {
        self.events += events as u64;
    }

    /// Says more about what is read.
    pub fn note(&mut self, key: &str, value: impl Into<Value>) {
        events::note(&mut self.record.event, key, value);
    }

    /// Counts what was returned until now, for an answer that takes long.
    pub fn count_now(&mut self) {
        let (requests, events) = (mem::take(&mut self.requests), mem::take(&mut self.events));
        if requests > 0 || events > 0 {
            self.audit.count_read(self.what.clone(), self.record.clone(), requests, events);
        }
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        match self.recorded {
            Recorded::AddedUp => self.count_now(),
            Recorded::AsExport if !self.has_begun => {}
            Recorded::AsExport => {
                let Record { destination, event } =
                    with_amount(self.record.clone(), self.requests, self.events);
                self.audit.record(destination, event);
            }
        }
    }
}

#[derive(Default)]
pub struct Reads(Mutex<HashMap<What, Counted>>);

struct Counted {
    recorded_at: Instant,
    requests: u64,
    events: u64,
    last: Record,
}

impl Counted {
    /// An event like the last one, with what was read since the one before.
    fn tell(&mut self, now: Instant) -> Option<Record> {
        if self.requests == 0 && self.events == 0 {
            return None;
        }
        self.recorded_at = now;
        let (requests, events) = (mem::take(&mut self.requests), mem::take(&mut self.events));
        Some(with_amount(self.last.clone(), requests, events))
    }
}

fn with_amount(mut record: Record, requests: u64, events: u64) -> Record {
    events::note(&mut record.event, "requests", requests);
    events::note(&mut record.event, "events", events);
    record
}

impl Reads {
    /// Counts requests and events. Returns the event to record now, if any.
    fn count(
        &self,
        what: What,
        record: Record,
        (requests, events): (u64, u64),
        now: Instant,
    ) -> Option<Record> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counted) = all.get_mut(&what) {
            counted.requests += requests;
            counted.events += events;
            counted.last = record;
            let is_due =
                counted.events >= MANY || now.saturating_duration_since(counted.recorded_at) >= PAUSE;
            return if is_due { counted.tell(now) } else { None };
        }
        if all.len() < MOST {
            let last = record.clone();
            all.insert(what, Counted { recorded_at: now, requests: 0, events: 0, last });
        }
        Some(with_amount(record, requests, events))
    }

    /// What has waited long enough, or everything.
    fn due(&self, now: Instant, all_of_them: bool) -> Vec<Record> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut records = Vec::new();
        all.retain(|_, counted| {
            let waited = now.saturating_duration_since(counted.recorded_at);
            if all_of_them || waited >= PAUSE {
                records.extend(counted.tell(now));
            }
            now.saturating_duration_since(counted.recorded_at) < FORGOTTEN
        });
        records
    }
}

impl AuditLog {
    fn count_read(&self, what: What, record: Record, requests: u64, events: u64) {
        if self.is_on()
            && let Some(Record { destination, event }) =
                self.reads().count(what, record, (requests, events), Instant::now())
        {
            self.record(destination, event);
        }
    }

    /// Records what was counted and not recorded yet: what has waited for long enough, or everything.
    pub fn record_counted(&self, everything: bool) {
        let now = Instant::now();
        let counted = self.reads().due(now, everything);
        for Record { destination, event } in counted.into_iter().chain(self.bounds().ended(now, everything)) {
            self.record(destination, event);
        }
    }
}

#[cfg(test)]
mod tests {
    use logbook_engine::event::{
        Log,
        limits::{Action, OccurredAt},
    };
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read_is_recorded_with_its_amount() {
        let reads = Reads::default();
        let start = Instant::now();
        let what = |caller: &str| What { workspace_id: 1, log: "access", caller: caller.into() };
        let record = || {
            let event = NewEvent::new(Log::Activity, Action::literal("log_read"), OccurredAt::now());
            Record::new(Destination::Workspace(1), event)
        };
        let count = |caller: &str, events, after| {
            reads.count(what(caller), record(), (1, events), start + Duration::from_secs(after))
        };
        let amount = |record: Record| json!(*record.event.metadata);
        // A glance, and then everything.
        assert_eq!(count("a", 50, 0).map(amount), Some(json!({"requests": 1, "events": 50})));
        assert_eq!(count("b", 1000, 0).map(amount), Some(json!({"requests": 1, "events": 1000})));
        let told: Vec<_> = (0..25).filter_map(|_| count("b", 1000, 1)).map(amount).collect();
        assert_eq!(told, vec![json!({"requests": 10, "events": 10_000}); 2]);
        assert_eq!(count("a", 50, 2).map(amount), None);
        assert!(reads.due(start + Duration::from_secs(299), false).is_empty());
        let rest = reads.due(start + PAUSE + Duration::from_secs(1), false);
        let mut rest: Vec<_> = rest.into_iter().map(amount).collect();
        rest.sort_by_key(|amount| amount["events"].as_u64());
        assert_eq!(rest, [json!({"requests": 1, "events": 50}), json!({"requests": 5, "events": 5000})]);
        // An hour later it is a new reading.
        assert!(reads.due(start + PAUSE + FORGOTTEN + Duration::from_secs(2), false).is_empty());
        assert_eq!(count("a", 7, 5000).map(amount), Some(json!({"requests": 1, "events": 7})));
    }
}
