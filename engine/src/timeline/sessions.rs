//! Sessions: from a sign-in to its end, with what happened in between.
//!
//! A session begins with a sign-in in the access log. Its events are those that name its id, and of events that name no
//! session, those of the same actor. What is guessed is said to be.
//!
//! ```text
//! login s-1 (asha)   login (ben)   update s-1   update (ben)   logout s-1   login (ben)
//! └── s-1 ───────────────────────────────────────────────────┘
//!                    └── of ben, inferred: ends with his next sign-in ────┘
//! ```

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use crate::{
    db::{Conn, timestamp::Timestamp},
    error::Result,
    event::{Event, Log, Outcome},
    filter::{
        Accepted, Filter,
        rows::{Columns, Reading},
    },
    index::Index,
    order::{Order, Position},
    query::{self, Found, PATIENCE},
};

/// The action of a sign-in.
const LOGIN: &str = "login";
const LOGOUT: &str = "logout";
const EXPIRED: &str = "session_expired";
/// Actions of the application log that change nothing.
const READS: [&str; 3] = ["read", "access", "view"];

/// Events that are read for one page of sessions.
const MOST_EVENTS: usize = 1000;
/// So many sessions are looked up together, even if they are far apart.
const TOGETHER: usize = 4;
/// A session that names its events may be this long.
const LONGEST_SECONDS: i64 = 30 * 86_400;
/// After this long without an event a session is over. Events without a session's id belong to a sign-in for so long, and the
/// next sign-in ends a session without an id for so long.
const IDLE_SECONDS: i64 = 86_400;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Logout,
    Expired,
    /// Inferred: its user signed in again.
    NextLogin,
    /// Inferred: nothing happened any more.
    Idle,
}

/// A sign-in, and what followed.
#[derive(Clone, Debug)]
pub struct Session {
    pub login: Event,
    /// None while it goes on.
    pub end: Option<(Timestamp, End)>,
    pub last_event_at: Timestamp,
    /// Events of producers, the sign-in among them.
    pub events: usize,
    /// Of these, the events of the application log that changed something.
    pub changes: usize,
    /// Of these, the ones that failed or were denied.
    pub failures: usize,
    /// Something was inferred: events that name no session, or the end.
    pub is_inferred: bool,
    /// False when there were too many events to read: the newest are counted.
    pub is_complete: bool,
}

impl Session {
    fn new(login: Event) -> Self {
        let last_event_at = login.occurred_at;
        Self {
            login,
            end: None,
            last_event_at,
            events: 1,
            changes: 0,
            failures: 0,
            is_inferred: false,
            is_complete: true,
        }
    }

    fn id(&self) -> Option<&str> {
        self.login.common.session_id.as_deref()
    }

    /// Whether what is so many seconds after the sign-in may belong to it. It is the same on every page, whatever else the
    /// page has.
    fn reaches(&self, at: Timestamp, seconds: i64) -> bool {
        at < self.login.occurred_at.plus_seconds(seconds)
    }

    fn add(&mut self, event: &Event) {
        let common = &event.common;
        self.events += 1;
        self.changes += usize::from(common.log == Log::Application && !READS.contains(&&*common.action));
        self.failures += usize::from(common.outcome != Outcome::Success);
        self.last_event_at = event.occurred_at;
        self.is_inferred |= common.session_id.is_none();
        if common.log == Log::Access && self.end.is_none() {
            let end = match &*common.action {
                LOGOUT => Some(End::Logout),
                EXPIRED => Some(End::Expired),
                _ => None,
            };
            self.end = end.map(|end| (event.occurred_at, end));
        }
    }

    /// Ends it where nothing happened for long.
    fn finish(&mut self, now: Timestamp) {
        if self.end.is_none() && self.last_event_at.plus_seconds(IDLE_SECONDS) <= now {
            self.end = Some((self.last_event_at, End::Idle));
        }
        self.is_inferred |= self.id().is_none() || matches!(self.end, Some((_, End::NextLogin | End::Idle)));
    }
}

/// Sessions in the order of their sign-ins, and where the next page begins.
pub struct Sessions {
    pub data: Vec<Session>,
    pub next: Option<Position>,
}

/// Narrows a filter of the access log to sign-ins.
pub fn of_sign_ins(filter: Filter) -> Filter {
    Filter { actions: Accepted::only([LOGIN]), outcomes: Accepted::only([Outcome::Success]), ..filter }
}

/// A page of the sessions whose sign-ins the filter matches. It ends early where their events are too many to be read at
/// once.
///
/// # Errors
/// As [`query::list`].
pub fn sessions(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    limit: usize,
    now: Timestamp,
) -> Result<Sessions> {
    let Found { events: mut shown, mut next } = query::list(conn, index, filter, (order, after), limit)?;
    let deadline = Instant::now() + PATIENCE / 2;
    let (around, is_complete) = loop {
        let patience = deadline.saturating_duration_since(Instant::now());
        let around = around(filter.workspace_id, &shown);
        let around: Vec<&Filter> = around.iter().collect();
        let reading = Reading { expected: MOST_EVENTS, patience, columns: Columns::Brief };
        let around = query::list_any(conn, index, &around, (Order::Desc, None), reading, |_| true)?;
        let Some(reached) = around.next else { break (around.events, true) };
        // What was read are the newest events, and so whole sessions are those that began last.
        let whole = match order {
            Order::Desc => shown.iter().take_while(|login| login.position() >= reached).count(),
            Order::Asc => shown.len() / 2,
        };
        if whole.max(1) < shown.len() {
            shown.truncate(whole.max(1));
            next = shown.last().map(Event::position);
        }
        match order {
            Order::Desc => break (around.events, whole > 0),
            Order::Asc if whole == 0 => break (around.events, false),
            // Those that began first are read without the others.
            Order::Asc => {}
        }
    };
    let wanted: HashSet<i64> = shown.iter().map(|login| login.seq).collect();
    // Also those that nothing names, and one that is older than what was read. They come first, since they are whole.
    let mut events = shown;
    events.extend(around);
    events.sort_by_key(Event::position);
    events.dedup_by_key(|event| event.seq);
    let mut draft = Draft::default();
    events.into_iter().for_each(|event| draft.add(event));
    let mut data: Vec<Session> =
        draft.sessions.into_iter().filter(|session| wanted.contains(&session.login.seq)).collect();
    if order == Order::Desc {
        data.reverse();
    }
    for session in &mut data {
        session.is_complete = is_complete;
        session.finish(now);
    }
    Ok(Sessions { data, next })
}

/// What may belong to the sessions: events that name them, and those of their actors. Sessions of about the same time have
/// filters of their own, so that each is looked up only where its events may be.
fn around(workspace_id: i32, logins: &[Event]) -> Vec<Filter> {
    let mut logins: Vec<&Event> = logins.iter().collect();
    logins.sort_by_key(|login| login.position());
    let mut around = Vec::new();
    while let Some(first) = logins.first().copied() {
        let near = logins
            .partition_point(|login| login.occurred_at < first.occurred_at.plus_seconds(LONGEST_SECONDS));
        let far = logins.split_off(near.max(TOGETHER).min(logins.len()));
        let logins = std::mem::replace(&mut logins, far);
        let last = logins.last().copied().unwrap_or(first);
        let ids: HashSet<&str> =
            logins.iter().filter_map(|login| login.common.session_id.as_deref()).collect();
        let actors: HashSet<&str> =
            logins.iter().filter_map(|login| login.common.actor.as_ref()?.id.as_deref()).collect();
        for log in Log::OF_PRODUCERS {
            let within = |seconds| Filter {
                since: Some(first.occurred_at),
                until: Some(last.occurred_at.plus_seconds(seconds)),
                ..Filter::all(workspace_id, log)
            };
            let of = |values: &HashSet<&str>| Accepted::only(values.iter().copied());
            if !ids.is_empty() {
                around.push(Filter { session_ids: of(&ids), ..within(LONGEST_SECONDS) });
            }
            if !actors.is_empty() {
                around.push(Filter { actor_ids: of(&actors), ..within(IDLE_SECONDS) });
            }
        }
    }
    around
}

/// Type and id of an actor.
type ActorKey = (i16, String);

/// Sessions while their events are added, oldest first.
#[derive(Default)]
struct Draft {
    sessions: Vec<Session>,
    of_id: HashMap<String, usize>,
    of_actor: HashMap<ActorKey, usize>,
}

fn actor_key(event: &Event) -> Option<ActorKey> {
    let actor = event.common.actor.as_ref()?;
    Some((actor.kind.number(), actor.id.as_deref()?.to_owned()))
}

impl Draft {
    fn begin(&mut self, login: Event) {
        let place = self.sessions.len();
        let at = login.occurred_at;
        let id = login.common.session_id.as_deref().map(str::to_owned);
        let actor = actor_key(&login);
        let before = match &id {
            Some(id) => self.of_id.get(id),
            // Who signs in again has left a session without an id.
            None => actor
                .as_ref()
                .and_then(|actor| self.of_actor.get(actor))
                .filter(|place| self.sessions[**place].id().is_none()),
        };
        if let Some(before) = before.copied()
            && self.sessions[before].end.is_none()
            && self.sessions[before].reaches(at, if id.is_some() { LONGEST_SECONDS } else { IDLE_SECONDS })
        {
            self.sessions[before].end = Some((at, End::NextLogin));
        }
        self.of_id.extend(id.map(|id| (id, place)));
        self.of_actor.extend(actor.map(|actor| (actor, place)));
        self.sessions.push(Session::new(login));
    }

    fn add(&mut self, event: Event) {
        let common = &event.common;
        if common.log == Log::Access && &*common.action == LOGIN && common.outcome == Outcome::Success {
            return self.begin(event);
        }
        let place = match &common.session_id {
            Some(id) => self
                .of_id
                .get(id.as_str())
                .filter(|place| self.sessions[**place].reaches(event.occurred_at, LONGEST_SECONDS)),
            None => actor_key(&event).and_then(|actor| self.of_actor.get(&actor)).filter(|place| {
                let session = &self.sessions[**place];
                session.end.is_none() && session.reaches(event.occurred_at, IDLE_SECONDS)
            }),
        };
        if let Some(place) = place.copied() {
            self.sessions[place].add(&event);
        }
    }
}
