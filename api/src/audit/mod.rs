//! Logbook logs itself: who signs in, who reads, who manages what, in the logs of the workspaces it concerns.
//!
//! What is told waits in a bounded queue and goes in by the appender, as everybody's events do. No request waits for it,
//! and none fails because of it: what cannot be stored after several tries, or finds the queue full, is counted
//! (`logbook_audit_events_lost_total`) and said in the server's log. So of a server that is killed the last moments are
//! missing, which is the price of not waiting.

pub mod events;
pub mod platform;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    future::{Ready, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use diesel::prelude::*;
use logbook_engine::{
    append::{self, AppendRequest, queue::Appender},
    db::{Conn, Db, schema::members, timestamp::Timestamp},
    event::{NewEvent, Target},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    accounts::{identities, users, workspaces},
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
    },
};

/// Most events that wait.
const QUEUE: usize = 10_000;
/// Most events that go into one request to the appender.
const BATCH: usize = 500;
/// A person's sign-in is told in so many of their workspaces at most.
const MOST_WORKSPACES: i64 = 50;
/// Most refusals of strangers that are told in an hour, so that they cannot fill a log.
const MOST_REFUSALS: usize = 2_000;
/// Most people and logs of whose reading is told in an hour. Counted apart, so that no stranger can keep a reader untold.
const MOST_READERS: usize = 100_000;
/// Pauses before an event that could not be stored is tried again.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15)];

/// Where an event belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Workspace(i32),
    /// The workspace of an address; where there is none, the platform's.
    Slug(String),
    /// All workspaces that this person is a member of, and the platform's. The person becomes the actor where there is none.
    Person(i32),
    /// As [`Destination::Person`], by their e-mail address; where there is no such person, the platform's.
    Email(String),
    /// The workspace of Logbook itself.
    Platform,
}

/// The audit, and where the request comes from of which it is told.
pub struct AuditContext {
    pub audit: AuditLog,
    pub client_info: ClientInfo,
}

impl FromRequest for AuditContext {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let unknown = || Problem::new(Code::Internal, "the server was put together wrongly");
        let audit = request.app_data::<web::Data<AuditLog>>().ok_or_else(unknown);
        ready(audit.map(|audit| Self {
            audit: AuditLog::clone(audit),
            client_info: ClientInfo::from_request(request),
        }))
    }
}

enum Entry {
    Event(Destination, Box<NewEvent>),
    Flush(oneshot::Sender<()>),
}

/// The way into the logs for what Logbook says of itself. Cheap to clone.
#[derive(Clone)]
pub struct AuditLog(Arc<Inner>);

struct Inner {
    /// None when own events are off.
    queue: Option<mpsc::Sender<Entry>>,
    lost: AtomicU64,
    once: Mutex<Once>,
}

/// What is told once an hour.
#[derive(Clone, Copy)]
enum Kind {
    Refusal,
    Reader,
}

/// What was told in this hour.
#[derive(Default)]
struct Once {
    hour: i64,
    refusals: HashSet<String>,
    readers: HashSet<String>,
}

impl AuditLog {
    /// Starts the task that stores; with `on` false nothing is ever told.
    pub fn start(db: &Db, appender: &Appender, on: bool) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let inner = Inner { queue: on.then_some(sender), lost: AtomicU64::new(0), once: Mutex::default() };
        let audit = Self(Arc::new(inner));
        if on {
            let writer = Writer { db: db.clone(), appender: appender.clone(), platform: None };
            // Not the audit itself: the task ends when the last clone is dropped.
            let lost = Arc::downgrade(&audit.0);
            actix_web::rt::spawn(async move {
                let lost = move |count: u64| {
                    if let Some(inner) = lost.upgrade() {
                        inner.lost.fetch_add(count, Ordering::Relaxed);
                    }
                };
                writer.run(receiver, lost).await;
            });
        }
        audit
    }

    pub fn is_on(&self) -> bool {
        self.0.queue.is_some()
    }

    /// Queues an event; never waits.
    pub fn record(&self, destination: Destination, event: NewEvent) {
        let Some(queue) = &self.0.queue else { return };
        if queue.try_send(Entry::Event(destination, Box::new(event))).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            tracing::error!("an event of Logbook itself was lost: too many wait");
        }
    }

    /// True the first time in an hour.
    fn is_first(&self, kind: Kind, what: &str) -> bool {
        if !self.is_on() {
            return false;
        }
        let hour = Timestamp::now().micros() / 3_600_000_000;
        let Ok(mut once) = self.0.once.lock() else { return false };
        if once.hour != hour {
            *once = Once { hour, ..Once::default() };
        }
        let (told, most) = match kind {
            Kind::Refusal => (&mut once.refusals, MOST_REFUSALS),
            Kind::Reader => (&mut once.readers, MOST_READERS),
        };
        if told.contains(what) || told.len() >= most {
            return false;
        }
        told.insert(what.to_owned())
    }

    /// Waits until what was told before is stored or lost, but not for long. For a server that stops.
    pub async fn flush(&self) {
        let Some(queue) = &self.0.queue else { return };
        let (sender, done) = oneshot::channel();
        let flush = async {
            if queue.send(Entry::Flush(sender)).await.is_ok() {
                let _ = done.await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(5), flush).await;
    }

    /// Events that could not be stored.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Events that wait now.
    pub fn waiting(&self) -> u64 {
        self.0.queue.as_ref().map_or(0, |queue| (QUEUE - queue.capacity()) as u64)
    }
}

/// The task behind the queue.
struct Writer {
    db: Db,
    appender: Appender,
    platform: Option<i32>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Entry>, lost: impl Fn(u64)) {
        let mut entries = Vec::new();
        while queue.recv_many(&mut entries, BATCH).await > 0 {
            let mut flushes = Vec::new();
            let mut told = Vec::new();
            for entry in entries.drain(..) {
                match entry {
                    Entry::Event(place, event) => told.push((place, *event)),
                    Entry::Flush(done) => flushes.push(done),
                }
            }
            let count = told.len() as u64;
            if let Err(problem) = self.place_and_store(told, &lost).await {
                tracing::error!(%problem, count, "events of Logbook itself were lost");
                lost(count);
            }
            for done in flushes {
                let _ = done.send(());
            }
        }
    }

    async fn place_and_store(
        &mut self,
        told: Vec<(Destination, NewEvent)>,
        lost: &impl Fn(u64),
    ) -> Result<()> {
        let mut pauses = PAUSES.iter();
        let placed = loop {
            let (told, platform) = (told.clone(), self.platform);
            match self.db.run(move |conn| place(conn, told, platform)).await {
                Ok(placed) => break placed,
                Err(problem) => pause(pauses.next(), problem).await?,
            }
        };
        self.platform = placed.platform.or(self.platform);
        for (workspace_id, events) in placed.events {
            let count = events.len() as u64;
            if let Err(problem) = self.store(workspace_id, events).await {
                tracing::error!(%problem, count, workspace_id, "events of Logbook itself were lost");
                lost(count);
            }
        }
        Ok(())
    }

    async fn store(&self, workspace_id: i32, events: Vec<NewEvent>) -> Result<()> {
        let mut pauses = PAUSES.iter();
        loop {
            let request = AppendRequest::new(workspace_id, events.clone());
            match self.appender.append(request, self.appender.reserve()).await {
                Ok(_) => return Ok(()),
                Err(error) => pause(pauses.next(), error.into()).await?,
            }
        }
    }
}

/// Waits before the next try.
///
/// # Errors
/// The problem, when it is none that passes or there were tries enough.
async fn pause(pause: Option<&Duration>, problem: Problem) -> Result<()> {
    match pause {
        Some(pause) if problem.code.status().as_u16() == 503 => {
            tokio::time::sleep(*pause).await;
            Ok(())
        }
        _ => Err(problem),
    }
}

/// Stores events at once and without the appender: for a command, which does its work and ends.
///
/// # Errors
/// The database's.
pub fn store_now(conn: &mut Conn, told: Vec<(Destination, NewEvent)>) -> Result<()> {
    for (workspace_id, events) in place(conn, told, None)?.events {
        append::store(conn, AppendRequest::new(workspace_id, events))?;
    }
    Ok(())
}

/// Events by workspace.
struct Placed {
    events: BTreeMap<i32, Vec<NewEvent>>,
    platform: Option<i32>,
}

fn place(conn: &mut Conn, told: Vec<(Destination, NewEvent)>, mut platform: Option<i32>) -> Result<Placed> {
    let mut events: BTreeMap<i32, Vec<NewEvent>> = BTreeMap::new();
    for (place, mut event) in told {
        let person = match &place {
            Destination::Person(user_id) => users::find(conn, *user_id)?,
            Destination::Email(email) => users::find_by_email(conn, email)?,
            Destination::Workspace(_) | Destination::Slug(_) | Destination::Platform => None,
        };
        let mut homes = match &place {
            Destination::Workspace(id) => vec![*id],
            Destination::Slug(slug) => {
                workspaces::find(conn, slug)?.map(|workspace| workspace.id).into_iter().collect()
            }
            Destination::Person(_) | Destination::Email(_) => match &person {
                Some(user) => workspaces_of_member(conn, user.id)?,
                None => Vec::new(),
            },
            Destination::Platform => Vec::new(),
        };
        if homes.is_empty() || person.is_some() {
            let id = match platform {
                Some(id) => id,
                None => platform::find_or_make(conn)?,
            };
            platform = Some(id);
            if !homes.contains(&id) {
                homes.push(id);
            }
        }
        if let Some(user) = person
            && event.common.actor.is_none()
        {
            event.common.actor = Some(events::person(&user));
            event.common.target = Target { name: events::text(&user.email), ..Target::default() };
        }
        for home in homes {
            events.entry(home).or_default().push(event.clone());
        }
    }
    Ok(Placed { events, platform })
}

fn workspaces_of_member(conn: &mut Conn, user_id: i32) -> Result<Vec<i32>> {
    let homes = members::table
        .filter(members::user_id.eq(user_id))
        .order(members::workspace_id.asc())
        .limit(MOST_WORKSPACES)
        .select(members::workspace_id);
    let mut homes: BTreeSet<i32> = homes.load(conn)?.into_iter().collect();
    homes.extend(identities::workspaces_of(conn, user_id)?);
    Ok(homes.into_iter().take(MOST_WORKSPACES as usize).collect())
}
