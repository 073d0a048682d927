//! Generates the events: deterministic by seed, in the shape and proportions of a real platform's.
//!
//! Seven in ten are application events, two access, one framework, spread over twelve months by the hour of the day. One
//! in a hundred arrives late, by minutes to weeks; some have the time of the one before. Actors, browsers, models, records and
//! words follow Zipf's law. A session keeps its user, address and browser from login to logout.

mod event;
#[cfg(test)]
mod tests;
pub mod words;
pub mod world;

use std::borrow::Cow;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use event::{Access, Actor, Application, Change, Component, Event, Framework, Metadata, User, Value};
use words::Kind;
use world::{HOT_RECORD, World, pick};

/// Data of another version differ: data that were kept are then generated again.
pub const VERSION: u32 = 1;
const SEED: u64 = 0x10b6_0001;

/// The twelve months, in microseconds since 1970: up to, not including, 2026-11-01.
pub const START: i64 = END - 365 * DAY;
pub const END: i64 = 1_793_491_200_000_000;
pub const DAY: i64 = 86_400_000_000;
const MINUTE: f64 = 60e6;
const WEEK: f64 = 7.0 * 86_400e6;

/// How busy each hour of a day is.
const HOURS: [u32; 24] = [2, 2, 1, 1, 2, 4, 8, 14, 22, 28, 30, 28, 20, 22, 27, 28, 25, 19, 13, 9, 7, 5, 4, 3];
/// Users who are signed in at the same time.
const SESSIONS: usize = 400;
const APPLICATION_SHARE: f64 = 0.7;
/// The number of versions of the record with very many.
pub const HOT_VERSIONS: u64 = 1000;

struct Session {
    id: String,
    user: usize,
    role: &'static str,
    ip: String,
    agent: usize,
}

pub struct Generator {
    world: World,
    rng: Pcg64Mcg,
    events: u64,
    made: u64,
    sessions: Vec<Session>,
    last_time: i64,
    /// Day number and its date as text: most events are of the day of the one before.
    day: (i64, String),
    correlation: String,
    changes: Vec<Change>,
    hot: f64,
}

impl Generator {
    pub fn new(events: u64) -> Self {
        let of_application = (events as f64 * APPLICATION_SHARE).max(1.0);
        Self {
            world: World::new(events, SEED),
            rng: Pcg64Mcg::seed_from_u64(SEED + 1),
            events,
            made: 0,
            sessions: Vec::new(),
            last_time: START,
            day: (i64::MIN, String::new()),
            correlation: String::new(),
            changes: Vec::new(),
            // In a small run, it should not be most of the log.
            hot: (HOT_VERSIONS as f64 / of_application).min(0.05),
        }
    }

    /// Appends the next event as a line of JSON; false when there are no more.
    pub fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
        if self.made == self.events {
            return false;
        }
        let at = self.next_time();
        let at = self.time(at);
        self.made += 1;
        match self.rng.random::<f64>() {
            draw if draw < 0.2 => self.access(&at, out),
            draw if draw < 1.0 - APPLICATION_SHARE => self.framework(&at, out),
            _ => self.application(&at, out),
        }
        out.push(b'\n');
        true
    }

    fn next_time(&mut self) -> i64 {
        let days = (self.made as f64 + self.rng.random::<f64>()) / self.events as f64 * 365.0;
        let mut left = days.fract() * f64::from(HOURS.iter().sum::<u32>());
        let mut hour = 0;
        while hour < 23 && left >= f64::from(HOURS[hour]) {
            left -= f64::from(HOURS[hour]);
            hour += 1;
        }
        let into_day = (hour as f64 + left / f64::from(HOURS[hour])) * 3600e6;
        let now = (START + days as i64 * DAY + into_day as i64).min(END - 1);
        if self.rng.random_bool(0.02) {
            return self.last_time;
        }
        self.last_time = now;
        if self.rng.random_bool(0.01) {
            // Delays of minutes are as frequent as delays of weeks.
            let late = MINUTE * (3.0 * WEEK / MINUTE).powf(self.rng.random());
            return (now - late as i64).max(START);
        }
        now
    }

    /// RFC 3339 with microseconds.
    fn time(&mut self, micros: i64) -> String {
        let day = micros.div_euclid(DAY);
        if day != self.day.0 {
            let midnight = logbook_engine::db::timestamp::Timestamp(day * DAY).to_string();
            self.day = (day, midnight[..11].to_owned());
        }
        let micros = micros.rem_euclid(DAY);
        let seconds = micros / 1_000_000;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!("{}{hour:02}:{minute:02}:{second:02}.{:06}Z", self.day.1, micros % 1_000_000)
    }

    /// The role, or now and then a very rare one.
    fn role(&mut self, role: &'static str) -> &'static str {
        if self.rng.random_ratio(1, 100_000) { pick(words::RARE_ROLES, &mut self.rng) } else { role }
    }

    fn sign_in(&mut self) -> usize {
        let user = self.world.by_rank.user(&mut self.rng);
        let known = &self.world.users[user];
        let ip = match self.rng.random_range(0..10) {
            0..6 => known.home_ip.clone(),
            // The address of the ward, which others use too.
            6..8 => self.world.users[user / 25].home_ip.clone(),
            _ => world::address(&mut self.rng),
        };
        let agent = if self.rng.random_bool(0.8) { known.agent } else { (known.agent + 1) % 50 };
        let id = world::uuid(&mut self.rng);
        self.sessions.push(Session { id, user, role: known.role, ip, agent });
        self.sessions.len() - 1
    }

    fn access(&mut self, at: &str, out: &mut Vec<u8>) {
        let draw = self.rng.random::<f64>();
        let full = self.sessions.len() >= SESSIONS;
        let (place, event_type) = if draw < 0.03 || self.sessions.is_empty() {
            (self.sign_in(), if draw < 0.03 { "login_failed" } else { "login" })
        } else if draw < 0.06 {
            (self.rng.random_range(0..self.sessions.len()), "role_switched")
        } else if draw < if full { 0.48 } else { 0.60 } {
            (self.sign_in(), "login")
        } else {
            let ended = if draw > 0.93 { "session_expired" } else { "logout" };
            (self.rng.random_range(0..self.sessions.len()), ended)
        };
        let role = self.role(self.sessions[place].role);
        let failed = event_type == "login_failed";
        let reason = failed.then(|| pick(words::LOGIN_FAILURES, &mut self.rng));
        let session = &self.sessions[place];
        let user = &self.world.users[session.user];
        let event = Event::Access(Access {
            occurred_at: at,
            event_type,
            status_reason: reason,
            user: User { id: &user.id, name: &user.name },
            username: &user.login,
            role: (!failed).then_some(role),
            ip_address: &session.ip,
            user_agent: &self.world.agents[session.agent],
            session_id: (!failed).then_some(&session.id),
        });
        write(out, &event);
        if failed || matches!(event_type, "logout" | "session_expired") {
            self.sessions.swap_remove(place);
        }
    }

    fn application(&mut self, at: &str, out: &mut Vec<u8>) {
        let place = if self.sessions.is_empty() {
            self.sign_in()
        } else {
            self.rng.random_range(0..self.sessions.len())
        };
        let action = self.action();
        let (model, (id, name)) = if self.rng.random_bool(self.hot) {
            (0, self.world.models[0].record_at(1))
        } else {
            let model = self.world.by_rank.model(&mut self.rng);
            (model, self.world.models[model].record(&mut self.rng))
        };
        debug_assert!(model != 0 || self.world.models[model].name == HOT_RECORD.0);
        self.change(model, action, at);
        let role = self.role(self.sessions[place].role);
        let correlation = self.rng.random_bool(0.1).then(|| world::uuid(&mut self.rng));
        let with_agent = self.rng.random_bool(0.15);
        let session = &self.sessions[place];
        let user = &self.world.users[session.user];
        let event = Event::Application(Application {
            occurred_at: at,
            action,
            actor: Actor { kind: "user", id: Some(&user.id), name: Some(&user.name) },
            role: Some(role),
            model: self.world.models[model].name,
            record_id: &id,
            record_name: name.as_deref(),
            changes: &self.changes,
            ip_address: &session.ip,
            user_agent: with_agent.then_some(&self.world.agents[session.agent]),
            session_id: &session.id,
            correlation_id: correlation.as_deref(),
        });
        write(out, &event);
    }

    fn action(&mut self) -> &'static str {
        if self.rng.random_ratio(1, 100_000) {
            return pick(words::RARE_ACTIONS, &mut self.rng);
        }
        let mut left = self.rng.random::<f64>();
        for (action, weight) in words::ACTIONS.iter().zip(words::ACTION_WEIGHTS) {
            left -= weight;
            if left < 0.0 {
                return action;
            }
        }
        words::ACTIONS[0]
    }

    /// Fills `changes` with what the action does to a record of the model.
    fn change(&mut self, model: usize, action: &str, at: &str) {
        self.changes.clear();
        let fields = self.world.models[model].fields.len();
        let count = match action {
            "create" => self.rng.random_range(4..=6),
            "update" => (1..6).take_while(|_| self.rng.random_bool(0.65)).count() + 1,
            "delete" => self.rng.random_range(1..=3),
            _ => 0,
        };
        let first = self.rng.random_range(0..fields);
        for n in 0..count.min(fields) {
            let (field, kind) = self.world.models[model].fields[(first + n) % fields];
            let old = if action == "create" { Value::Null } else { self.value(kind, at) };
            let new = if action == "delete" { Value::Null } else { self.value(kind, at) };
            self.changes.push(Change { field, old, new });
        }
    }

    fn value(&mut self, kind: Kind, at: &str) -> Value {
        let rng = &mut self.rng;
        let known = |text: &'static str| Value::Text(Cow::Borrowed(text));
        let text = |text: String| Value::Text(Cow::Owned(text));
        match kind {
            Kind::Status => known(pick(&words::STATUSES, rng)),
            Kind::Category => known(pick(&words::CATEGORIES, rng)),
            Kind::Flag => Value::Flag(rng.random()),
            Kind::Count => Value::Number(rng.random_range(0..500)),
            Kind::Money => Value::Money(f64::from(rng.random_range(0..2_000_000)) / 100.0),
            Kind::Time => text(format!(
                "{}{:02}:{:02}:00Z",
                &at[..11],
                rng.random_range(0..24),
                rng.random_range(0..60)
            )),
            Kind::Date => text(format!("{}-{:02}", &at[..7], rng.random_range(1..29))),
            Kind::Uuid => text(world::uuid(rng)),
            Kind::Name => text(self.world.users[self.world.by_rank.user(rng)].name.clone()),
            Kind::Email => text(self.world.users[self.world.by_rank.user(rng)].login.clone()),
            Kind::Phone => text(format!("+9198{:08}", rng.random_range(0..100_000_000))),
            Kind::Address => text(format!(
                "{} {} Road, {}",
                rng.random_range(1..240),
                pick(&words::FAMILY, rng),
                pick(&words::CITIES, rng)
            )),
            Kind::Phrase => text(self.words(2..=5)),
            Kind::Sentence if rng.random_bool(0.03) => known(pick(words::FOREIGN, rng)),
            Kind::Sentence if rng.random_bool(0.06) => text(self.words(30..=70)),
            Kind::Sentence => text(self.words(8..=18)),
        }
    }

    fn words(&mut self, count: std::ops::RangeInclusive<usize>) -> String {
        let mut text = String::with_capacity(96);
        for n in 0..self.rng.random_range(count) {
            if n > 0 {
                text.push(' ');
            }
            text.push_str(self.world.by_rank.word(&mut self.rng));
        }
        text[..1].make_ascii_uppercase();
        text
    }

    fn framework(&mut self, at: &str, out: &mut Vec<u8>) {
        // A deployment is several events with the same correlation id.
        if self.correlation.is_empty() || self.rng.random_bool(0.3) {
            self.correlation = world::uuid(&mut self.rng);
        }
        let rng = &mut self.rng;
        let (deed, kind) = words::DEEDS[self.world.by_rank.deed(rng)];
        let failed = rng.random_bool(0.08);
        let id = rng.random_range(1..200_u32);
        let word = words::VOCABULARY[id as usize];
        let name = format!("{word}_{kind}_{id}");
        let admin = &self.world.users[self.world.by_rank.user(rng)];
        let actor = match rng.random_range(0..10) {
            0..3 => Actor { kind: "admin", id: Some(&admin.id), name: Some(&admin.name) },
            3..6 => Actor { kind: "service", id: Some("deployer"), name: Some("Deployment service") },
            _ => Actor { kind: "system", id: None, name: None },
        };
        let event = Event::Framework(Framework {
            occurred_at: at,
            action: if failed && kind == "task" { words::TASK_FAILED } else { deed },
            component: Component { kind, id: &id.to_string(), name: &name },
            actor,
            error: failed.then(|| pick(words::ERRORS, rng)),
            correlation_id: &self.correlation,
            metadata: Metadata { duration_ms: rng.random_range(3..60_000), host: "worker-1" },
        });
        write(out, &event);
    }
}

fn write(out: &mut Vec<u8>, event: &Event<'_>) {
    serde_json::to_writer(out, event).expect("an event is JSON");
}
