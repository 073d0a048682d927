//! Who comes in and goes out, and when: a day's sessions, planned ahead and then played in order of time.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Log, NewEvent, Outcome},
};

use super::{
    clinic::user,
    event::{address, metadata, new_event, text},
    people::{self, ATTACKER, DESK, GUESSED, Job, MOBILE, PEOPLE, Person, SCRIPT},
    rng::Rng,
};

/// A session expires after this many seconds without activity.
const IDLE_SECONDS: i64 = 30 * 60;

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub person: &'static Person,
    pub job: Job,
    pub ip_address: String,
    pub user_agent: &'static str,
    pub id: String,
}

/// What happens in a session at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionStep {
    Failed(&'static str),
    Login,
    Work,
    Switch,
    Logout,
    Expiry,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    pub at: Timestamp,
    /// Index of the session in the day's list.
    pub session: usize,
    pub step: SessionStep,
}

/// A new session of somebody, at a desk or on a phone.
pub(super) fn open(rng: &mut Rng, person: &'static Person) -> Session {
    let on_phone = rng.chance(0.18);
    let ip_address = match (on_phone, rng.below(10)) {
        (true, 0..4) => format!("2001:db8:{:x}::{:x}", rng.below(4096), rng.below(65_536)),
        (true, _) => format!("198.51.100.{}", rng.between(2, 250)),
        // The clinic's two lines.
        (false, 0..8) => "203.0.113.10".into(),
        (false, _) => "203.0.113.11".into(),
    };
    let user_agent = if on_phone {
        rng.pick(MOBILE)
    } else {
        // Most people sit at the same desk every day.
        let desk = if rng.chance(0.9) { person.id.len() + person.login.len() } else { rng.below(DESK.len()) };
        DESK[desk % DESK.len()]
    };
    Session { person, job: person.job, ip_address, user_agent, id: format!("s-{}", rng.hex(20)) }
}

/// Somebody who is there on this day of the story, the busy ones more often.
pub(super) fn somebody(rng: &mut Rng, day: i64) -> &'static Person {
    let weights: Vec<f64> = PEOPLE
        .iter()
        .enumerate()
        .map(|(index, person)| if person.joins <= day { people::share(index) } else { 0.0 })
        .collect();
    &PEOPLE[rng.weighted(&weights)]
}

/// A day's sessions: about `count` of them, begun in the hours of each person's job.
pub(super) fn plan(rng: &mut Rng, midnight: Timestamp, day: i64, count: f64) -> (Vec<Session>, Vec<Planned>) {
    let count = (count * (0.88 + 0.24 * rng.unit())).round() as usize;
    let mut sessions = Vec::with_capacity(count);
    let mut steps = Vec::new();
    for index in 0..count {
        let person = somebody(rng, day);
        let session = open(rng, person);
        let hour = rng.weighted(&session.job.hours()) as i64;
        let at = Timestamp(midnight.plus_seconds(hour * 3600).0 + rng.between(0, 3_599_999_999));
        plan_session(rng, &session, index, at, &mut steps);
        sessions.push(session);
    }
    (sessions, steps)
}

fn plan_session(rng: &mut Rng, session: &Session, index: usize, start: Timestamp, steps: &mut Vec<Planned>) {
    let mut at = start;
    let mut add = |at: Timestamp, step: SessionStep| steps.push(Planned { at, session: index, step });
    if rng.chance(0.07) {
        let failures = rng.between(1, 3);
        for _ in 0..failures {
            add(at, SessionStep::Failed("wrong_password"));
            at = pause(rng, at, 4, 25);
        }
        if rng.chance(0.06) {
            add(at, SessionStep::Failed("locked_out"));
            return;
        }
    }
    if rng.chance(0.004) {
        add(at, SessionStep::Failed("account_disabled"));
        return;
    }
    add(at, SessionStep::Login);
    let work = 2 + (-rng.unit().max(1e-6).ln() * 8.5) as i64;
    let switches = session.person.second.is_some() && rng.chance(0.3);
    let switch_at = rng.between(1, work);
    for step in 0..work {
        at = pause(rng, at, 8, 260);
        if switches && step == switch_at {
            add(at, SessionStep::Switch);
            at = pause(rng, at, 3, 30);
        }
        add(at, SessionStep::Work);
    }
    match rng.below(100) {
        0..62 => add(pause(rng, at, 5, 200), SessionStep::Logout),
        62..92 => add(pause(rng, at, IDLE_SECONDS, IDLE_SECONDS + 60), SessionStep::Expiry),
        // The lid was closed: the session has no recorded end.
        _ => {}
    }
}

fn pause(rng: &mut Rng, at: Timestamp, least: i64, most: i64) -> Timestamp {
    Timestamp(at.0 + rng.between(least * 1_000_000, most * 1_000_000))
}

/// The event of a step that is not work.
pub(super) fn access(session: &Session, step: SessionStep, at: Timestamp) -> NewEvent {
    let (action, reason) = match step {
        SessionStep::Failed(reason) => ("login_failed", Some(reason)),
        SessionStep::Login | SessionStep::Work => ("login", None),
        SessionStep::Switch => ("role_switched", None),
        SessionStep::Logout => ("logout", None),
        SessionStep::Expiry => ("session_expired", None),
    };
    let mut event = new_event(Log::Access, action, at);
    event.common.actor = Some(user(session.person));
    event.common.target.name = text(session.person.login);
    event.common.ip_address = address(&session.ip_address);
    event.common.user_agent = text(session.user_agent);
    match reason {
        Some(reason) => {
            event.common.outcome = Outcome::Failure;
            event.common.outcome_reason = text(reason);
        }
        None => {
            event.common.session_id = text(&session.id);
            event.common.role = text(session.job.role());
        }
    }
    if step == SessionStep::Expiry {
        // Nobody was present when the session expired.
        (event.common.ip_address, event.common.user_agent) = (None, None);
        event.metadata = metadata([("idle_seconds", IDLE_SECONDS.into())]);
    }
    event
}

/// One night somebody tries a few passwords on every name they can think of, and one of them fits.
pub(super) fn password_spray(rng: &mut Rng, start: Timestamp) -> Vec<NewEvent> {
    let mut at = start;
    let mut events = Vec::new();
    let attempt = |at: Timestamp, username: &str, person: Option<&Person>, reason: &str| {
        let mut event = new_event(Log::Access, "login_failed", at);
        event.common.outcome = Outcome::Failure;
        event.common.outcome_reason = text(reason);
        event.common.actor = person.map(user);
        event.common.target.name = text(username);
        event.common.ip_address = address(ATTACKER);
        event.common.user_agent = text(SCRIPT);
        event
    };
    for round in 0..3 {
        for name in GUESSED {
            at = pause(rng, at, 1, 4);
            events.push(attempt(at, name, None, "unknown_user"));
        }
        for person in PEOPLE.iter().filter(|person| person.joins < 80) {
            at = pause(rng, at, 1, 5);
            let reason = if round == 2 && rng.chance(0.4) { "locked_out" } else { "wrong_password" };
            events.push(attempt(at, person.login, Some(person), reason));
        }
    }
    let victim = &PEOPLE[14];
    let session = Session {
        person: victim,
        job: victim.job,
        ip_address: ATTACKER.into(),
        user_agent: SCRIPT,
        id: format!("s-{}", rng.hex(20)),
    };
    at = pause(rng, at, 20, 40);
    events.push(access(&session, SessionStep::Login, at));
    at = pause(rng, at, 5, 9);
    let mut refused = access(&session, SessionStep::Switch, at);
    refused.common.outcome = Outcome::Denied;
    refused.common.outcome_reason = text("second_factor_missing");
    events.push(refused);
    at = pause(rng, at, IDLE_SECONDS, IDLE_SECONDS + 60);
    events.push(access(&session, SessionStep::Expiry, at));
    events
}
