//! Adds new events to the clinic: a few every few seconds, in step with the clock.

use std::time::Duration;

use chrono::{DateTime, Timelike as _, Utc};
use logbook_engine::{db::timestamp::Timestamp, event::NewEvent};

use super::{
    event::occurred_at,
    platform::{self, Happening},
    rng::Rng,
    sessions::{Session, SessionStep, access, open, somebody},
    story::{DAYS, Story, ZONE, play},
};

/// Sessions that are open at once in the busiest hour.
const BUSY: usize = 9;

pub struct Trickle {
    story: Story,
    rng: Rng,
    sessions: Vec<Session>,
    last: Timestamp,
}

impl Trickle {
    /// Continues the story where it ended. `now` also seeds it, so that each start generates other events.
    pub fn new(seed: u64, end: Timestamp, now: Timestamp) -> Self {
        let mut story = Story::new(seed, end);
        story.by_ref().for_each(drop);
        story.clinic.skip_ids((now.0 - end.0).max(0) / 2_000_000);
        let rng = Rng::new(seed ^ now.0.unsigned_abs());
        Self { story, rng, sessions: Vec::new(), last: now }
    }

    /// How long to wait before the next batch.
    pub fn pause(&mut self) -> Duration {
        Duration::from_millis(self.rng.between(1500, 6000).unsigned_abs())
    }

    /// What happened since the last call, in order of time.
    pub fn batch(&mut self, now: Timestamp) -> Vec<NewEvent> {
        let hour = DateTime::<Utc>::from(now).with_timezone(&ZONE).hour();
        // Fewer at night, but never none.
        let wanted = if (7..20).contains(&hour) { BUSY } else { BUSY / 3 };
        let mut events = Vec::new();
        let steps = self.rng.between(1, 3);
        for step in 1..=steps {
            let at = Timestamp(self.last.0 + (now.0 - self.last.0).max(0) * step / (steps + 1));
            events.extend(self.step(at, wanted));
        }
        self.last = now;
        // Later events of one request may lie some milliseconds ahead.
        for event in &mut events {
            event.occurred_at = occurred_at(event.occurred_at.timestamp().min(now));
        }
        events.sort_by_key(|event| event.occurred_at);
        events
    }

    fn step(&mut self, at: Timestamp, wanted: usize) -> Vec<NewEvent> {
        let Self { story, rng, sessions, last: _ } = self;
        if rng.chance(0.01) {
            return platform::play(&mut story.clinic, rng, at, Happening::TaskFails);
        }
        if sessions.len() < wanted && rng.chance(0.5) {
            let person = somebody(rng, DAYS);
            let session = open(rng, person);
            let failed = rng.chance(0.08);
            let step = if failed { SessionStep::Failed("wrong_password") } else { SessionStep::Login };
            let event = access(&session, step, at);
            if !failed {
                sessions.push(session);
            }
            return vec![event];
        }
        if sessions.is_empty() {
            return Vec::new();
        }
        let index = rng.below(sessions.len());
        if sessions.len() > wanted || rng.chance(0.06) {
            let session = sessions.swap_remove(index);
            let step = if rng.chance(0.7) { SessionStep::Logout } else { SessionStep::Expiry };
            return vec![access(&session, step, at)];
        }
        let session = &mut sessions[index];
        let step = if session.person.second.is_some() && rng.chance(0.03) {
            SessionStep::Switch
        } else {
            SessionStep::Work
        };
        play(&mut story.clinic, rng, session, at, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on() {
        let end = Timestamp(1_795_400_000_000_000);
        let mut now = end.plus_seconds(3600);
        let mut trickle = Trickle::new(7, end, now);
        let mut events = Vec::new();
        for _ in 0..200 {
            let before = now;
            now = Timestamp(now.0 + trickle.pause().as_micros() as i64);
            let batch = trickle.batch(now);
            assert!(batch.iter().all(|event| (before..=now).contains(&event.occurred_at.timestamp())));
            events.extend(batch);
        }
        assert!((150..900).contains(&events.len()), "{}", events.len());
        for action in ["login", "create", "update"] {
            assert!(events.iter().any(|event| event.common.action == action), "{action}");
        }
    }
}
