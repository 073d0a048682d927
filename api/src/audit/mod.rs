//! The audit: records who signs in, who reads, and who manages what, in the activity log of each workspace that it concerns.
//!
//! The event of a change (of a key, a member, a setting) is stored in the transaction of the change ([`changes`]). All others
//! (sign-ins, reads, refusals) wait in a bounded queue and are stored by the appender, as all events are: no request waits for
//! them, and none fails because of them. An event that cannot be stored after several attempts, or finds the queue full, is
//! counted (`logbook_audit_events_lost_total`) and reported in the server's log. A killed server loses the events that were
//! still waiting: that is the price of not waiting for them. Refusals have bounds ([`bounds`]), reads are added up ([`reads`]).

pub mod accounts;
pub mod bounds;
pub mod changes;
pub mod events;
pub mod platform;
pub mod reads;
pub mod refusals;
pub mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use diesel::prelude::*;
use logbook_engine::{
    append::{AppendRequest, queue::Appender},
    db::{Conn, Db, schema::members},
    event::{NewEvent, Target},
};
use tokio::sync::{mpsc, oneshot};

use bounds::Bounds;
use reads::Reads;

use crate::{
    accounts::{identities, sessions, users, workspaces},
    http::{
        client::ClientInfo,
        error::{Code, Problem, Result},
    },
};

/// How many events may wait.
const QUEUE: usize = 10_000;
/// How many events go into one request to the appender at most.
const BATCH: usize = 500;
/// In how many of a person's workspaces their sign-in is recorded at most.
const MOST_WORKSPACES: i64 = 50;
/// How often it is looked whether something that was counted has to be recorded.
const COUNTED_EVERY: Duration = Duration::from_secs(10);
/// Pauses before the attempts to store an event that could not be stored.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15)];

/// Where an event belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Workspace(i32),
    /// The workspace with this slug; where there is none, the platform workspace.
    Slug(String),
    /// All workspaces that this person is a member of, and the platform workspace. The person becomes the actor where there
    /// is none.
    Person(i32),
    /// The platform workspace. This person becomes the actor where there is none.
    Account(i32),
    /// The workspaces in which this session of the person was used, and the platform workspace. The person becomes the actor
    /// where there is none.
    Session {
        user_id: i32,
        session: String,
    },
    /// As [`Destination::Person`], by their e-mail address; where there is no such person, the platform workspace.
    Email(String),
    /// The platform workspace.
    Platform,
}

/// The audit, and the client whose request is recorded.
pub struct AuditContext {
    pub audit: AuditLog,
    pub client_info: ClientInfo,
}

impl FromRequest for AuditContext {
    type Error = Problem;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let unknown = || Problem::new(Code::Internal, "a part of the server is missing");
        let audit = request.app_data::<web::Data<AuditLog>>().ok_or_else(unknown);
        ready(audit.map(|audit| Self {
            audit: AuditLog::clone(audit),
            client_info: ClientInfo::from_request(request),
        }))
    }
}

/// An event, and where it belongs.
#[derive(Clone, Debug)]
pub struct Record {
    pub destination: Destination,
    pub event: NewEvent,
}

impl Record {
    pub fn new(destination: Destination, event: NewEvent) -> Self {
        Self { destination, event }
    }
}

enum Entry {
    Record(Box<Record>),
    Flush(oneshot::Sender<()>),
}

/// Records audit events. Cheap to clone.
#[derive(Clone)]
pub struct AuditLog(Arc<Inner>);

struct Inner {
    /// None when the audit is off.
    queue: Option<mpsc::Sender<Entry>>,
    lost: AtomicU64,
    bounds: Bounds,
    reads: Reads,
}

impl AuditLog {
    /// Starts the task that stores events. With `on` false nothing is recorded.
    pub fn start(db: &Db, appender: &Appender, on: bool) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (bounds, reads) = (Bounds::default(), Reads::default());
        let inner = Inner { queue: on.then_some(sender), lost: AtomicU64::new(0), bounds, reads };
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
            let counted = Arc::downgrade(&audit.0);
            actix_web::rt::spawn(async move {
                loop {
                    tokio::time::sleep(COUNTED_EVERY).await;
                    let Some(inner) = counted.upgrade() else { break };
                    Self(inner).record_counted(false);
                }
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
        if queue.try_send(Entry::Record(Box::new(Record::new(destination, event)))).is_err() {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            tracing::error!("an audit event was lost: too many wait");
        }
    }

    fn bounds(&self) -> &Bounds {
        &self.0.bounds
    }

    fn reads(&self) -> &Reads {
        &self.0.reads
    }

    /// Waits until everything recorded before is stored or lost, for five seconds at most. For a server that stops.
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
            let mut records = Vec::new();
            for entry in entries.drain(..) {
                match entry {
                    Entry::Record(record) => records.push(*record),
                    Entry::Flush(done) => flushes.push(done),
                }
            }
            let count = records.len() as u64;
            if let Err(problem) = self.place_and_store(records, &lost).await {
                tracing::error!(%problem, count, "audit events were lost");
                lost(count);
            }
            for done in flushes {
                let _ = done.send(());
            }
        }
    }

    async fn place_and_store(&mut self, records: Vec<Record>, lost: &impl Fn(u64)) -> Result<()> {
        let mut pauses = PAUSES.iter();
        let placed = loop {
            let (records, platform) = (records.clone(), self.platform);
            match self.db.run(move |conn| place(conn, records, platform)).await {
                Ok(placed) => break placed,
                Err(problem) => pause(pauses.next(), problem).await?,
            }
        };
        self.platform = placed.platform.or(self.platform);
        for (workspace_id, events) in placed.events {
            let count = events.len() as u64;
            if let Err(problem) = self.store(workspace_id, events).await {
                tracing::error!(%problem, count, workspace_id, "audit events were lost");
                lost(count);
            }
        }
        Ok(())
    }

    async fn store(&self, workspace_id: i32, events: Vec<NewEvent>) -> Result<()> {
        let mut pauses = PAUSES.iter();
        loop {
            let request = AppendRequest::new(workspace_id, &events::source(), events.clone());
            match self.appender.append(request, self.appender.reserve(workspace_id, "logbook")).await {
                Ok(_) => return Ok(()),
                Err(error) => pause(pauses.next(), error.into()).await?,
            }
        }
    }
}

/// Waits before the next attempt.
///
/// # Errors
/// The problem, when it is permanent or there were enough attempts.
pub(crate) async fn pause(pause: Option<&Duration>, problem: Problem) -> Result<()> {
    match pause {
        Some(pause) if problem.code.status().as_u16() == 503 => {
            tokio::time::sleep(*pause).await;
            Ok(())
        }
        _ => Err(problem),
    }
}

/// Stores events at once and without the appender. For commands, which end when their work is done.
///
/// # Errors
/// The database's.
pub fn store_now(conn: &mut Conn, records: Vec<Record>) -> Result<()> {
    changes::change_and_record(conn, true, |_| Ok(((), records)))
}

/// Events by workspace.
struct Placed {
    events: BTreeMap<i32, Vec<NewEvent>>,
    platform: Option<i32>,
}

fn place(conn: &mut Conn, records: Vec<Record>, mut platform: Option<i32>) -> Result<Placed> {
    let mut events: BTreeMap<i32, Vec<NewEvent>> = BTreeMap::new();
    for Record { destination, mut event } in records {
        let person = match &destination {
            Destination::Person(user_id)
            | Destination::Account(user_id)
            | Destination::Session { user_id, .. } => users::find(conn, *user_id)?,
            Destination::Email(email) => users::find_by_email(conn, email)?,
            Destination::Workspace(_) | Destination::Slug(_) | Destination::Platform => None,
        };
        let mut workspace_ids = match &destination {
            Destination::Workspace(id) => vec![*id],
            Destination::Slug(slug) => {
                workspaces::find(conn, slug)?.map(|workspace| workspace.id).into_iter().collect()
            }
            Destination::Session { session, .. } => sessions::workspaces_of(conn, session, MOST_WORKSPACES)?,
            Destination::Person(_) | Destination::Email(_) => match &person {
                Some(user) => workspaces_of_member(conn, user.id)?,
                None => Vec::new(),
            },
            Destination::Account(_) | Destination::Platform => Vec::new(),
        };
        if workspace_ids.is_empty() || person.is_some() {
            let id = match platform {
                Some(id) => id,
                None => platform::find_or_create(conn)?,
            };
            platform = Some(id);
            if !workspace_ids.contains(&id) {
                workspace_ids.push(id);
            }
        }
        if let Some(user) = person
            && event.common.actor.is_none()
        {
            event.common.actor = Some(events::person(&user));
            event.common.target = Target { name: events::text(&user.email), ..Target::default() };
        }
        for workspace_id in workspace_ids {
            events.entry(workspace_id).or_default().push(event.clone());
        }
    }
    Ok(Placed { events, platform })
}

fn workspaces_of_member(conn: &mut Conn, user_id: i32) -> Result<Vec<i32>> {
    let ids = members::table
        .filter(members::user_id.eq(user_id))
        .order(members::workspace_id.asc())
        .limit(MOST_WORKSPACES)
        .select(members::workspace_id);
    let mut ids: BTreeSet<i32> = ids.load(conn)?.into_iter().collect();
    ids.extend(identities::workspaces_of(conn, user_id)?);
    Ok(ids.into_iter().take(MOST_WORKSPACES as usize).collect())
}
