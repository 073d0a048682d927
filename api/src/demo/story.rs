//! Ninety days of the clinic, day by day. The same seed and end give the same story.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;
use logbook_engine::{db::timestamp::Timestamp, event::NewEvent};

use super::{
    actions::{populate, work},
    clinic::{Act, Clinic, assistant, user},
    people::{Job, PEOPLE},
    platform,
    rng::Rng,
    sessions::{self, Planned, Session, SessionStep},
};

/// How many days before its end the story begins.
pub(super) const DAYS: i64 = 90;
/// The day of the attack.
pub(super) const SPRAY_DAY: i64 = 81;
/// The clinic's zone.
pub(super) const ZONE: Tz = chrono_tz::Asia::Kolkata;

/// Sessions on an average weekday. With about 10 pieces of work each, 90 days make about 50,000 events.
const SESSIONS: f64 = 50.0;

/// How much of their work physicians leave to the assistant.
const BY_ASSISTANT: f64 = 0.06;

pub struct Story {
    rng: Rng,
    pub clinic: Clinic,
    first: NaiveDate,
    start: Timestamp,
    end: Timestamp,
    day: i64,
    /// Events of the next day: sessions do not end at midnight.
    later: Vec<NewEvent>,
}

impl Story {
    pub fn new(seed: u64, end: Timestamp) -> Self {
        let start = end.plus_seconds(-DAYS * 86_400);
        let first = DateTime::<Utc>::from(start).with_timezone(&ZONE).date_naive();
        let (mut rng, mut clinic) = (Rng::new(seed), Clinic::new());
        let somebody = &PEOPLE[0];
        let act = Act {
            actor: user(somebody),
            on_behalf_of: None,
            purpose: None,
            role: somebody.job.role(),
            ip_address: String::new(),
            user_agent: String::new(),
            session_id: String::new(),
            correlation_id: String::new(),
            at: start,
        };
        populate(&mut clinic, &mut rng, &act);
        Self { rng, clinic, first, start, end, day: 0, later: Vec::new() }
    }
}

/// Yields each day's events in order of time; the last day's only up to the end of the story.
impl Iterator for Story {
    type Item = Vec<NewEvent>;

    fn next(&mut self) -> Option<Vec<NewEvent>> {
        let day = self.day;
        let date = self.first.checked_add_days(Days::new(day.unsigned_abs()))?;
        let midnight = ZONE.from_local_datetime(&date.and_hms_opt(0, 0, 0)?).earliest()?;
        let midnight = Timestamp(midnight.timestamp_micros());
        if midnight > self.end {
            return None;
        }
        self.day += 1;
        // A generator for each day: what one day draws changes no other.
        let mut rng = self.rng.fork();
        let (sessions, steps) = sessions::plan(&mut rng, midnight, day, SESSIONS * weight(date.weekday()));
        let mut scenes: Vec<(Timestamp, Scene)> =
            steps.into_iter().map(|step| (step.at, Scene::SessionStep(step))).collect();
        scenes.extend(
            platform::plan(&mut rng, midnight, day).into_iter().map(|(at, what)| (at, Scene::Platform(what))),
        );
        scenes.sort_by_key(|(at, _)| *at);

        let mut events = std::mem::take(&mut self.later);
        let mut sessions: Vec<Session> = sessions;
        for (at, scene) in scenes {
            match scene {
                Scene::Platform(what) => events.extend(platform::play(&mut self.clinic, &mut rng, at, what)),
                Scene::SessionStep(Planned { at, session, step }) => {
                    events.extend(play(&mut self.clinic, &mut rng, &mut sessions[session], at, step));
                }
            }
        }
        if day == SPRAY_DAY {
            events.extend(sessions::password_spray(&mut rng, midnight.plus_seconds(3 * 3600 + 12 * 60)));
        }
        events.retain(|event| {
            event.occurred_at.timestamp() >= self.start && event.occurred_at.timestamp() <= self.end
        });
        events.sort_by_key(|event| event.occurred_at.timestamp());
        let next_midnight = midnight.plus_seconds(86_400);
        self.later =
            events.split_off(events.partition_point(|event| event.occurred_at.timestamp() < next_midnight));
        Some(events)
    }
}

enum Scene {
    SessionStep(Planned),
    Platform(platform::Happening),
}

/// The events of one step of a session.
pub(super) fn play(
    clinic: &mut Clinic,
    rng: &mut Rng,
    session: &mut Session,
    at: Timestamp,
    step: SessionStep,
) -> Vec<NewEvent> {
    match step {
        SessionStep::Work => {
            let by_assistant = session.job == Job::Physician && rng.chance(BY_ASSISTANT);
            let (actor, on_behalf_of) = if by_assistant {
                (assistant(), Some(user(session.person)))
            } else {
                (user(session.person), None)
            };
            let act = Act {
                actor,
                on_behalf_of,
                purpose: None,
                role: session.job.role(),
                ip_address: session.ip_address.clone(),
                user_agent: session.user_agent.into(),
                session_id: session.id.clone(),
                correlation_id: format!("req-{}", rng.hex(12)),
                at,
            };
            work(clinic, rng, session.job, act)
        }
        SessionStep::Switch => {
            session.job = match session.person.second {
                Some(second) if session.job == session.person.job => second,
                _ => session.person.job,
            };
            vec![sessions::access(session, step, at)]
        }
        SessionStep::Failed(_) | SessionStep::Login | SessionStep::Logout | SessionStep::Expiry => {
            vec![sessions::access(session, step, at)]
        }
    }
}

fn weight(day: Weekday) -> f64 {
    match day {
        Weekday::Mon => 1.2,
        Weekday::Tue | Weekday::Fri => 1.05,
        Weekday::Wed | Weekday::Thu => 1.0,
        Weekday::Sat => 0.55,
        Weekday::Sun => 0.18,
    }
}

#[cfg(test)]
mod tests;
