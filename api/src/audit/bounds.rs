//! How many refusals are recorded, so that nobody can fill a log with them, and none goes untold: what is beyond a bound is
//! counted, and an event says how many there were.
//!
//! Each workspace has bounds of its own, and so has each caller or address in it. What is made up (workspaces that do not
//! exist) has its own bounds by address, apart from every workspace. So no caller can keep the refusals of another one from
//! being recorded.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use logbook_engine::event::limits::Action;

use super::{Record, events};

/// How long a caller's refusals are one matter. When it ends, an event says how many were not recorded.
const WINDOW: Duration = Duration::from_secs(3600);
/// Different reasons that are recorded of one caller in a window.
const MOST_REASONS: usize = 10;
/// Callers or addresses that have bounds of their own in one workspace; further ones share one. Nobody's address is hidden
/// by others' of the same workspace before there are that many.
const MOST_CALLERS: usize = 500;
/// The caller that stands for all further ones.
const OTHERS: &str = "others";
/// How many unrecorded refusals are told at once; further ones after ten times as many, and when the window ends.
const FIRST_TOLD: u64 = 10;

/// Where refusals have bounds of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Workspace(i32),
    /// Outside of every workspace, or in one that does not exist.
    Platform,
}

#[derive(Default)]
pub struct Bounds(Mutex<HashMap<(Action, Place), HashMap<String, Refused>>>);

/// What a caller was refused in a window.
struct Refused {
    since: Instant,
    reasons: HashSet<String>,
    /// Not recorded: since the last event, and in the whole window.
    untold: u64,
    suppressed: u64,
    next: u64,
    last: Record,
}

impl Bounds {
    /// The event to record now, if any: that of the refusal, or one that says how many more there were.
    pub fn admit(
        &self,
        place: Place,
        who: &str,
        reason: &str,
        record: Record,
        now: Instant,
    ) -> Option<Record> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let callers = all.entry((record.event.common.action.clone(), place)).or_default();
        let who = if callers.len() < MOST_CALLERS || callers.contains_key(who) { who } else { OTHERS };
        let Some(refused) = callers.get_mut(who) else {
            let reasons = HashSet::from([reason.to_owned()]);
            let last = record.clone();
            let refused = Refused { since: now, reasons, untold: 0, suppressed: 0, next: FIRST_TOLD, last };
            callers.insert(who.to_owned(), refused);
            return Some(record);
        };
        if refused.reasons.len() < MOST_REASONS && refused.reasons.insert(reason.to_owned()) {
            return Some(record);
        }
        refused.last = record;
        refused.untold += 1;
        refused.suppressed += 1;
        if refused.suppressed < refused.next {
            return None;
        }
        refused.next = refused.next.saturating_mul(10);
        refused.tell()
    }

    /// What is left to say of the windows that have ended, or of all.
    pub fn ended(&self, now: Instant, all_of_them: bool) -> Vec<Record> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut records = Vec::new();
        for callers in all.values_mut() {
            callers.retain(|_, refused| {
                let is_over = now.saturating_duration_since(refused.since) >= WINDOW;
                if is_over || all_of_them {
                    records.extend(refused.tell());
                }
                !is_over
            });
        }
        all.retain(|_, callers| !callers.is_empty());
        records
    }
}

impl Refused {
    /// An event like the last one, which says how many there were since the last that was recorded.
    fn tell(&mut self) -> Option<Record> {
        let untold = mem::take(&mut self.untold);
        if untold == 0 {
            return None;
        }
        let mut record = self.last.clone();
        events::note(&mut record.event, "suppressed", untold);
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use logbook_engine::event::{Log, NewEvent, limits::OccurredAt};

    use super::{super::Destination, *};

    fn record() -> Record {
        let event = NewEvent::new(Log::Activity, Action::literal("token_refused"), OccurredAt::now());
        Record::new(Destination::Platform, event)
    }

    fn suppressed(record: &Record) -> u64 {
        record.event.metadata.get("suppressed").and_then(serde_json::Value::as_u64).unwrap_or_default()
    }

    #[test]
    fn every_refusal_is_recorded_or_counted() {
        let bounds = Bounds::default();
        let now = Instant::now();
        let admit = |place, who: &str, reason: &str| bounds.admit(place, who, reason, record(), now);
        let told: Vec<_> = (0..2100).filter_map(|_| admit(Place::Platform, "a", "unknown")).collect();
        assert_eq!(told.iter().map(suppressed).collect::<Vec<_>>(), [0, 10, 90, 900]);
        // Another address, another workspace and another reason are told as if nothing had happened.
        for (place, who, reason) in [
            (Place::Platform, "b", "unknown"),
            (Place::Workspace(1), "a", "unknown"),
            (Place::Platform, "a", "revoked"),
        ] {
            assert_eq!(admit(place, who, reason).as_ref().map(suppressed), Some(0));
        }
        assert!(bounds.ended(now, false).is_empty());
        let rest = bounds.ended(now + WINDOW, false);
        assert_eq!(rest.iter().map(suppressed).collect::<Vec<_>>(), [1099]);
        assert_eq!(admit(Place::Platform, "a", "unknown").as_ref().map(suppressed), Some(0));
    }

    #[test]
    fn many_addresses_share_one_bound() {
        let bounds = Bounds::default();
        let now = Instant::now();
        let admit = |n: usize| bounds.admit(Place::Workspace(1), &n.to_string(), "unknown", record(), now);
        let told = (0..10_000).filter_map(admit).count();
        // Those with bounds of their own, the first of the others, and 10, 100 and 1000 more of them.
        assert_eq!(told, MOST_CALLERS + 1 + 3);
        let rest: u64 = bounds.ended(now, true).iter().map(suppressed).sum();
        assert_eq!(rest, (10_000 - MOST_CALLERS - 1 - 1000) as u64);
    }
}
