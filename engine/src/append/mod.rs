//! The only way in: dedupe, number, store, in one transaction.
//!
//! [`store`] and [`store_group`] do the work on a connection. In front of them is the [`Appender`]: a bounded queue per
//! shard of workspaces, and a thread that stores, in one transaction, everything that arrived during the previous
//! transaction (group commit). An answer is sent only after the commit, so what is acknowledged is durable and
//! readable.
//!
//! ```text
//! request A ──┐                       ┌─ commit ─┬─> answer A
//! request B ──┼─> queue ─> [A B C] ─> │          ├─> answer B
//! request C ──┘                       └──────────┴─> answer C
//! ```
//!
//! The workspace's row in `workspace_sequences` is locked before anything is read, so two processes on one database
//! number events one after the other: seqs have no gaps and follow the order of commits.

pub mod dedupe;
mod idempotency;
mod lines;
mod memory;
mod positions;
pub mod prepared;
pub mod queue;
mod shares;

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;

pub use idempotency::Idempotency;
pub use positions::ImportPosition;

use crate::{
    append::{
        dedupe::{Heads, KnownKeys as DedupeKeys, Remembered},
        prepared::Prepared,
    },
    counts::{self, keys::KnownKeys},
    db::{
        Conn, dialect, partitions::Partitions, roles, rows::EventRow, schema::workspace_sequences,
        timestamp::Timestamp,
    },
    error::{Error, Result},
    event::{
        NewEvent,
        id::{EventId, MAX_SEQ},
        limits::SourceName,
        masking::Masker,
    },
    sources::{self, FromSource, Learned, quarantine::NewRejected},
};

/// Maximum number of events in one request of a client.
pub const MAX_EVENTS: usize = 10_000;
/// Maximum size of one event as JSON, in bytes. A page of the largest events still fits into memory.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Maximum number of months (UTC) in which the events of one request happened: ten years. Each costs rows of counts, and
/// on PostgreSQL perhaps a partition.
pub const MAX_MONTHS: usize = 120;

/// Events that are stored together or not at all.
#[derive(Clone, Debug)]
pub struct AppendRequest {
    pub workspace_id: i32,
    /// To whom dedupe keys and idempotency keys belong. By default the source that the events name.
    pub sender: String,
    pub events: Vec<Prepared>,
    pub idempotency: Option<Idempotency>,
    /// Where a registered source sends them.
    pub source: Option<FromSource>,
    /// How far an import has read; stored together with the events that it read.
    pub import_positions: Vec<ImportPosition>,
}

impl AppendRequest {
    /// `source` is who sends the events: the name of the key, user or import. For Logbook's own events: what is masked
    /// has no fingerprint.
    pub fn new(workspace_id: i32, source: &SourceName, events: impl IntoIterator<Item = NewEvent>) -> Self {
        Self::masked(workspace_id, source, &Masker::default(), events)
    }

    /// As [`AppendRequest::new`], with the workspace's masker.
    pub fn masked(
        workspace_id: i32,
        source: &SourceName,
        masker: &Masker,
        events: impl IntoIterator<Item = NewEvent>,
    ) -> Self {
        let events = events.into_iter().map(|event| Prepared::new(event, source, masker)).collect();
        let sender = source.as_str().to_owned();
        Self { workspace_id, sender, events, idempotency: None, source: None, import_positions: Vec::new() }
    }
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AppendResult {
    /// The event's id; of a duplicate, the first event's.
    #[schema(value_type = String, example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: EventId,
    #[schema(minimum = 1)]
    pub seq: i64,
    /// True when the dedupe key was known: nothing was stored.
    pub duplicate: bool,
}

/// What became of a request: one result per event, in the order they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Appended {
    pub accepted: usize,
    pub duplicates: usize,
    pub results: Vec<AppendResult>,
}

/// How long keys are remembered.
#[derive(Clone, Copy, Debug)]
pub struct DedupeWindow {
    /// For dedupe keys and idempotency keys, in seconds.
    pub dedupe_seconds: i64,
}

impl Default for DedupeWindow {
    fn default() -> Self {
        Self { dedupe_seconds: 7 * 86_400 }
    }
}

/// What the thread of a shard remembers of the database.
#[derive(Debug, Default)]
pub struct Shard {
    partitions: Partitions,
    known_keys: KnownKeys,
    dedupe: Remembered,
}

impl Shard {
    /// Of an appender whose shards share `heads`.
    fn sharing(heads: Heads) -> Self {
        Self { dedupe: Remembered::sharing(heads), ..Self::default() }
    }

    /// Makes the next transaction ask the database again. To be called when one failed.
    pub fn forget(&mut self) {
        self.partitions.forget();
        self.known_keys.forget();
        self.dedupe.forget();
    }
}

/// Stores one request in its own transaction.
///
/// # Errors
/// [`Error::UnknownWorkspace`], [`Error::IdempotencyKeyReused`], [`Error::DedupeConflict`], or the database's.
pub fn store(conn: &mut Conn, mut request: AppendRequest) -> Result<Appended> {
    let requests = std::slice::from_mut(&mut request);
    let mut answers = store_group(conn, &mut Shard::default(), requests, DedupeWindow::default())?;
    answers.pop().unwrap_or(Err(Error::UnknownWorkspace))
}

/// Stores many requests in one transaction. The outer error means that nothing was stored; an inner one concerns
/// its request alone. The requests stay with the caller, who may try them again.
///
/// # Errors
/// The database's: then nothing was stored. Of a request: [`Error::UnknownWorkspace`], [`Error::IdempotencyKeyReused`],
/// [`Error::DedupeConflict`], [`Error::WorkspaceFull`].
pub fn store_group(
    conn: &mut Conn,
    shard: &mut Shard,
    requests: &mut [AppendRequest],
    windows: DedupeWindow,
) -> Result<Vec<Result<Appended>>> {
    let times = requests.iter().flat_map(|request| &request.events).map(|event| event.row.occurred_at);
    let Shard { partitions, known_keys, dedupe } = shard;
    partitions.make(conn, times)?;
    roles::as_appender(conn, |conn| {
        dialect::lock_for_writing(conn)?;
        let count = requests.len();
        // In order of workspace, so that two processes that lock several rows cannot deadlock.
        let mut by_workspace: BTreeMap<i32, Vec<(usize, &mut AppendRequest)>> = BTreeMap::new();
        for (place, request) in requests.iter_mut().enumerate() {
            by_workspace.entry(request.workspace_id).or_default().push((place, request));
        }
        let mut answers: Vec<_> = (0..count).map(|_| Err(Error::UnknownWorkspace)).collect();
        for (workspace_id, requests) in by_workspace {
            for (place, answer) in
                store_in_workspace(conn, workspace_id, requests, windows, (known_keys, dedupe))?
            {
                answers[place] = answer;
            }
        }
        Ok(answers)
    })
}

type Answers = Vec<(usize, Result<Appended>)>;

fn store_in_workspace(
    conn: &mut Conn,
    workspace_id: i32,
    requests: Vec<(usize, &mut AppendRequest)>,
    windows: DedupeWindow,
    (known_keys, dedupe): (&mut KnownKeys, &mut Remembered),
) -> Result<Answers> {
    // The write comes first, since it takes the lock: the row's on PostgreSQL, the file's on SQLite, where a
    // transaction that has read cannot begin to write while another one writes.
    let last_seq = diesel::update(workspace_sequences::table.find(workspace_id))
        .set(workspace_sequences::last_seq.eq(workspace_sequences::last_seq))
        .returning(workspace_sequences::last_seq)
        .get_result::<i64>(conn)
        .optional()?;
    let Some(last_seq) = last_seq else {
        return Ok(requests.into_iter().map(|(place, _)| (place, Err(Error::UnknownWorkspace))).collect());
    };

    let now = Timestamp::now();
    let known = DedupeKeys::load(conn, dedupe, (workspace_id, last_seq), &requests, now)?;
    let mut batch = Batch { workspace_id, now, windows, last_seq, known, ..Batch::default() };
    let answers = requests
        .into_iter()
        .map(|(place, request)| Ok((place, batch.take(conn, request)?)))
        .collect::<Result<Answers>>()?;
    batch.write(conn, known_keys, dedupe)?;
    Ok(answers)
}

/// What one transaction adds to one workspace.
#[derive(Default)]
struct Batch<'a> {
    workspace_id: i32,
    now: Timestamp,
    windows: DedupeWindow,
    last_seq: i64,
    rows: Vec<&'a EventRow>,
    known: DedupeKeys<'a>,
    /// With the sender that each key belongs to.
    new_idempotency: Vec<(&'a str, &'a Idempotency, Appended)>,
    positions: Vec<&'a ImportPosition>,
    learned: Learned<'a>,
}

impl<'a> Batch<'a> {
    fn take(&mut self, conn: &mut Conn, request: &'a mut AppendRequest) -> Result<Result<Appended>> {
        if let Some(idempotency) = &request.idempotency
            && let Some(answer) = self.earlier_answer(conn, &request.sender, idempotency)?
        {
            return Ok(answer);
        }
        if self.last_seq + request.events.len() as i64 >= MAX_SEQ {
            return Ok(Err(Error::WorkspaceFull));
        }
        let refused = match self.refused(request) {
            Ok(refused) => refused,
            Err(conflict) => return Ok(Err(conflict)),
        };
        if let Some(source) = &request.source
            && let Err(error) = sources::check(conn, self.workspace_id, source, refused.values())?
        {
            return Ok(Err(error));
        }
        let AppendRequest { workspace_id: _, sender, events, idempotency, source, import_positions } =
            request;
        let keep_seconds = match source {
            Some(source) => source.replay_seconds.map(|seconds| seconds.max(self.windows.dedupe_seconds)),
            None => Some(self.windows.dedupe_seconds),
        };
        let mut appended = Appended::default();
        let mut arrived: Vec<(&EventRow, bool)> = Vec::new();
        for (element, event) in events.iter_mut().enumerate() {
            if refused.contains_key(&element) {
                continue;
            }
            let (result, row) = self.number(sender, keep_seconds, event);
            if source.is_some() {
                arrived.push((row, result.duplicate));
            }
            if result.duplicate {
                appended.duplicates += 1;
            } else {
                appended.accepted += 1;
            }
            appended.results.push(result);
        }
        if let Some(source) = &*source {
            let mut rejected = source.rejected.clone();
            rejected.extend(refused.into_values());
            self.learned.add(source, rejected, arrived.into_iter(), self.now);
        }
        if let Some(idempotency) = idempotency {
            self.new_idempotency.push((sender, idempotency, appended.clone()));
        }
        self.positions.extend(&*import_positions);
        Ok(Ok(appended))
    }

    /// The events that go into quarantine, since another event has their dedupe key: by their place.
    ///
    /// # Errors
    /// [`Error::DedupeConflict`] for a request that is stored as a whole or not at all.
    fn refused(&self, request: &AppendRequest) -> Result<BTreeMap<usize, NewRejected>> {
        let mut refused = BTreeMap::new();
        for (element, first) in self.known.conflicts(request) {
            let record = request.source.as_ref().and_then(|source| source.records.get(element));
            let Some(record) = record else { return Err(Error::DedupeConflict { element, first }) };
            refused.insert(
                element,
                NewRejected {
                    record: record.clone(),
                    code: "dedupe_conflict".into(),
                    reason: format!("{first} has this dedupe key and another content"),
                    pointer: Some("/dedupe_key".into()),
                },
            );
        }
        Ok(refused)
    }

    fn earlier_answer(
        &self,
        conn: &mut Conn,
        sender: &str,
        idempotency: &Idempotency,
    ) -> Result<Option<Result<Appended>>> {
        let Idempotency { key, fingerprint } = idempotency;
        let mut in_this_batch = self.new_idempotency.iter();
        let earlier = match in_this_batch.find(|(by, known, _)| *by == sender && known.key == *key) {
            Some((_, known, answer)) => Some((known.fingerprint.clone(), Ok(answer.clone()))),
            None => {
                let oldest = self.now.plus_seconds(-self.windows.dedupe_seconds);
                idempotency::load(conn, self.workspace_id, sender, key, oldest)?
            }
        };
        let answered = |(earlier, answer)| {
            if earlier == *fingerprint { answer } else { Err(Error::IdempotencyKeyReused) }
        };
        Ok(earlier.map(answered))
    }

    /// Numbers an event that is stored. `keep_seconds`: how long its dedupe key is known; None is for ever.
    fn number(
        &mut self,
        sender: &'a str,
        keep_seconds: Option<i64>,
        event: &'a mut Prepared,
    ) -> (AppendResult, &'a EventRow) {
        let Prepared { dedupe, row } = event;
        let key = dedupe.as_ref().map(|dedupe| dedupe.key);
        if let Some(first) = key.and_then(|key| self.known.first(sender, &key, row)) {
            return (AppendResult { id: first, seq: first.seq, duplicate: true }, row);
        }
        self.last_seq += 1;
        row.workspace_id = self.workspace_id;
        row.seq = self.last_seq;
        // One that comes out of quarantine has the time at which it first arrived.
        if row.received_at == Timestamp(0) {
            row.received_at = self.now;
        }
        let row = &*row;
        let id = EventId::new(row.workspace_id, row.seq, row.occurred_at);
        if let Some(key) = key {
            let expires_at = keep_seconds.map(|seconds| self.now.plus_seconds(seconds));
            self.known.add(sender, key, row, expires_at);
        }
        self.rows.push(row);
        (AppendResult { id, seq: self.last_seq, duplicate: false }, row)
    }

    fn write(self, conn: &mut Conn, known_keys: &mut KnownKeys, dedupe: &mut Remembered) -> Result<()> {
        let Self { workspace_id, now, last_seq, rows, known, new_idempotency, positions, learned, .. } = self;
        dialect::insert_events(conn, rows.iter().copied())?;
        known.write(conn, dedupe, last_seq)?;
        counts::delta::insert_for_batch(conn, workspace_id, last_seq, now, &rows, known_keys)?;
        if !rows.is_empty() {
            diesel::update(workspace_sequences::table.find(workspace_id))
                .set(workspace_sequences::last_seq.eq(last_seq))
                .execute(conn)?;
        }
        for (sender, idempotency, answer) in new_idempotency {
            idempotency::save(conn, workspace_id, sender, idempotency, &answer, now)?;
        }
        for position in positions {
            positions::save(conn, workspace_id, position)?;
        }
        learned.write(conn, workspace_id, now)
    }
}
