//! Generates the events: deterministic by seed, in the shape and proportions of a real platform's.
//!
//! Seven in ten are application events, two access, one framework, spread over twelve months by the hour of the day. One
//! in a hundred arrives late, by minutes to weeks; some have the time of the one before. Actors, browsers, models, records and
//! words follow Zipf's law. A session keeps its user, address and browser from login to logout. Few events are denied, are
//! done by an agent or an impersonator on behalf of somebody, concern further targets, have a purpose, or names beside
//! changed ids; every fifth has metadata of its request.

mod changes;
mod event;
#[cfg(test)]
mod tests;
pub(crate) mod words;
pub(crate) mod world;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use event::{
    Access, Actor, Application, Change, Component, Event, Extra, Framework, Metadata, Request, Target,
};
use world::{HOT_RECORD, World, pick};

/// Data of another version differ: data that were kept are then generated again.
pub(crate) const VERSION: u32 = 2;
const SEED: u64 = 0x10b6_0001;

/// The twelve months, in microseconds since 1970: up to, not including, 2026-11-01.
pub(crate) const START: i64 = END - 365 * DAY;
pub(crate) const END: i64 = 1_793_491_200_000_000;
pub(crate) const DAY: i64 = 86_400_000_000;
const MINUTE: f64 = 60e6;
const WEEK: f64 = 7.0 * 86_400e6;

/// How busy each hour of a day is.
const HOURS: [u32; 24] = [2, 2, 1, 1, 2, 4, 8, 14, 22, 28, 30, 28, 20, 22, 27, 28, 25, 19, 13, 9, 7, 5, 4, 3];
/// Users who are signed in at the same time.
const SESSIONS: usize = 400;
const APPLICATION_SHARE: f64 = 0.7;
/// The number of versions of the record with very many.
pub(crate) const HOT_VERSIONS: u64 = 1000;

const DENIED: f64 = 0.02;
/// Of the events of the application log and the framework log, which are four in five.
const BY_AGENT: f64 = 0.025;
/// Of the events of the access log and the application log, which are nine in ten.
const BY_IMPERSONATOR: f64 = 0.011;
const WITH_PURPOSE: f64 = 0.02;
const WITH_FURTHER_TARGETS: f64 = 0.05;
const WITH_METADATA: f64 = 0.2;

/// Who acts in somebody's session: they themselves, or an agent or a user in their name.
#[derive(Clone, Copy)]
enum By {
    Themselves,
    Agent(usize),
    Impersonator(usize),
}

struct Session {
    id: String,
    user: usize,
    role: &'static str,
    ip: String,
    agent: usize,
}

pub(crate) struct Generator {
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
    pub(crate) fn new(events: u64) -> Self {
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
    pub(crate) fn write_next(&mut self, out: &mut Vec<u8>) -> bool {
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
        } else if draw < 0.06 + DENIED {
            (self.rng.random_range(0..self.sessions.len()), words::ACCESS_DENIED)
        } else if draw < if full { 0.49 } else { 0.61 } {
            (self.sign_in(), "login")
        } else {
            let ended = if draw > 0.93 { "session_expired" } else { "logout" };
            (self.rng.random_range(0..self.sessions.len()), ended)
        };
        let role = self.role(self.sessions[place].role);
        let failed = event_type == "login_failed";
        let denied = event_type == words::ACCESS_DENIED;
        let reasons = if denied { words::DENIALS } else { words::LOGIN_FAILURES };
        let reason = (failed || denied).then(|| pick(reasons, &mut self.rng));
        let by = if failed { By::Themselves } else { self.by(false) };
        let metadata = self.metadata();
        let (purpose, targets) = (self.purpose(), self.targets());
        let session = &self.sessions[place];
        let user = &self.world.users[session.user];
        let (actor, on_behalf_of) = self.actor(by, session.user);
        let event = Event::Access(Access {
            occurred_at: at,
            event_type,
            status: denied.then_some("denied"),
            status_reason: reason,
            user: actor,
            username: &user.login,
            role: (!failed).then_some(role),
            ip_address: &session.ip,
            user_agent: &self.world.agents[session.agent],
            session_id: (!failed).then_some(&session.id),
            extra: Extra { on_behalf_of, purpose, targets, metadata },
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
        let denied = self.rng.random_bool(DENIED).then(|| pick(words::DENIALS, &mut self.rng));
        self.change(model, if denied.is_some() { "nothing" } else { action }, at);
        let by = self.by(true);
        let metadata = self.metadata();
        let (purpose, targets) = (self.purpose(), self.targets());
        let role = self.role(self.sessions[place].role);
        let correlation = self.rng.random_bool(0.1).then(|| world::uuid(&mut self.rng));
        let with_agent = self.rng.random_bool(0.15);
        let session = &self.sessions[place];
        let (actor, on_behalf_of) = self.actor(by, session.user);
        let event = Event::Application(Application {
            occurred_at: at,
            action,
            status: denied.map(|_| "denied"),
            status_reason: denied,
            actor,
            role: Some(role),
            model: self.world.models[model].name,
            record_id: &id,
            record_name: name.as_deref(),
            changes: &self.changes,
            ip_address: &session.ip,
            user_agent: with_agent.then_some(&self.world.agents[session.agent]),
            session_id: &session.id,
            correlation_id: correlation.as_deref(),
            extra: Extra { on_behalf_of, purpose, targets, metadata },
        });
        write(out, &event);
    }

    fn by(&mut self, may_be_agent: bool) -> By {
        let draw = self.rng.random::<f64>();
        if draw < BY_IMPERSONATOR {
            By::Impersonator(self.world.by_rank.user(&mut self.rng))
        } else if may_be_agent && draw < BY_IMPERSONATOR + BY_AGENT {
            By::Agent(self.rng.random_range(0..words::AGENTS.len()))
        } else {
            By::Themselves
        }
    }

    /// The actor in the session of a user, and for whom they act.
    fn actor(&self, by: By, user: usize) -> (Actor<'_>, Option<Actor<'_>>) {
        let person = |kind, user: usize| {
            let user = &self.world.users[user];
            Actor { kind, id: Some(&user.id), name: Some(&user.name) }
        };
        let user = person("user", user);
        match by {
            By::Themselves => (user, None),
            By::Impersonator(admin) => (person("admin", admin), Some(user)),
            By::Agent(agent) => {
                let (id, name) = words::AGENTS[agent];
                (Actor { kind: "agent", id: Some(id), name: Some(name) }, Some(user))
            }
        }
    }

    fn purpose(&mut self) -> Option<String> {
        let rng = &mut self.rng;
        rng.random_bool(WITH_PURPOSE).then(|| format!("INC-{}", rng.random_range(1000..100_000)))
    }

    /// Further targets: records of any model.
    fn targets(&mut self) -> Vec<Target> {
        if !self.rng.random_bool(WITH_FURTHER_TARGETS) {
            return Vec::new();
        }
        let count = self.rng.random_range(1..=3);
        let targets = (0..count).map(|_| {
            let model = &self.world.models[self.world.by_rank.model(&mut self.rng)];
            let (id, name) = model.record(&mut self.rng);
            Target { kind: model.name, id, name }
        });
        targets.collect()
    }

    /// Two or three values: of the request and of the program.
    fn metadata(&mut self) -> Option<Metadata> {
        if !self.rng.random_bool(WITH_METADATA) {
            return None;
        }
        let rng = &mut self.rng;
        let region = match rng.random_range(0..100_000) {
            0..60_000 => words::REGIONS[0],
            60_000..85_000 => words::REGIONS[1],
            85_000..99_995 => words::REGIONS[2],
            // Of all events one in 100,000, as of the other rare values.
            _ => words::RARE_REGION,
        };
        let id = rng.random_bool(0.5).then(|| format!("req-{:012x}", rng.random::<u64>() >> 16));
        // A new one each week.
        let build = 4000 + self.made * 52 / self.events;
        let request = Some(Request { region, id });
        Some(Metadata { request, build: Some(build), ..Metadata::default() })
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

    fn framework(&mut self, at: &str, out: &mut Vec<u8>) {
        // A deployment is several events with the same correlation id.
        if self.correlation.is_empty() || self.rng.random_bool(0.3) {
            self.correlation = world::uuid(&mut self.rng);
        }
        let (metadata, purpose, targets) = (self.metadata(), self.purpose(), self.targets());
        let rng = &mut self.rng;
        let (deed, kind) = words::DEEDS[self.world.by_rank.deed(rng)];
        let failed = rng.random_bool(0.08);
        let id = rng.random_range(1..200_u32);
        let word = words::VOCABULARY[id as usize];
        let name = format!("{word}_{kind}_{id}");
        let denied = !failed && rng.random_bool(DENIED);
        let by_agent = rng.random_bool(BY_AGENT);
        let admin = self.world.by_rank.user(rng);
        let deployer = Actor { kind: "service", id: Some("deployer"), name: Some("Deployment service") };
        let who = rng.random_range(0..10);
        let (agent, duration_ms) = (rng.random_range(0..words::AGENTS.len()), rng.random_range(3..60_000));
        let error = if denied { Some(words::FORBIDDEN) } else { failed.then(|| pick(words::ERRORS, rng)) };
        let (actor, on_behalf_of) = match who {
            _ if by_agent => self.actor(By::Agent(agent), admin),
            0..3 => {
                let (actor, _) = self.actor(By::Themselves, admin);
                (Actor { kind: "admin", ..actor }, None)
            }
            3..6 => (deployer, None),
            _ => (Actor { kind: "system", id: None, name: None }, None),
        };
        let metadata = Metadata {
            duration_ms: Some(duration_ms),
            host: Some("worker-1"),
            ..metadata.unwrap_or_default()
        };
        let event = Event::Framework(Framework {
            occurred_at: at,
            action: if failed && kind == "task" { words::TASK_FAILED } else { deed },
            component: Component { kind, id: &id.to_string(), name: &name },
            actor,
            status: denied.then_some("denied"),
            error,
            correlation_id: &self.correlation,
            extra: Extra { on_behalf_of, purpose, targets, metadata: Some(metadata) },
        });
        write(out, &event);
    }
}

fn write(out: &mut Vec<u8>, event: &Event<'_>) {
    serde_json::to_writer(out, event).expect("an event is JSON");
}
