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

pub mod prepared;
pub mod queue;

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    append::prepared::Prepared,
    counts,
    db::{
        Conn, dialect,
        partitions::Partitions,
        roles,
        rows::{DedupeKeyRow, EventRow},
        schema::{dedupe_keys, idempotency_keys, import_positions, workspace_sequences},
        timestamp::Timestamp,
    },
    error::{Error, Result},
    event::{
        NewEvent,
        id::{EventId, MAX_SEQ},
        limits::SourceName,
        masking::Masker,
    },
};

/// Events that are stored together or not at all.
#[derive(Clone, Debug)]
pub struct AppendRequest {
    pub workspace_id: i32,
    pub events: Vec<Prepared>,
    pub idempotency: Option<Idempotency>,
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
        Self { workspace_id, events, idempotency: None, import_positions: Vec::new() }
    }
}

/// The key of a request that may be sent again: the same key with the same body returns the first response.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    /// SHA-256 of the path and the body, in hexadecimal.
    pub fingerprint: String,
}

impl Idempotency {
    pub fn new(key: String, path: &str, body: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize();
        Self { key, fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// How far an import has read one table of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPosition {
    pub source: String,
    pub source_table: String,
    pub position: String,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// Stores one request in its own transaction.
///
/// # Errors
/// [`Error::UnknownWorkspace`], [`Error::IdempotencyKeyReused`], or the database's.
pub fn store(conn: &mut Conn, mut request: AppendRequest) -> Result<Appended> {
    let requests = std::slice::from_mut(&mut request);
    let mut answers = store_group(conn, &mut Partitions::default(), requests, DedupeWindow::default())?;
    answers.pop().unwrap_or(Err(Error::UnknownWorkspace))
}

/// Stores many requests in one transaction. The outer error means that nothing was stored; an inner one concerns
/// its request alone. The requests stay with the caller, who may try them again.
///
/// # Errors
/// The database's: then nothing was stored. Of a request: [`Error::UnknownWorkspace`], [`Error::IdempotencyKeyReused`],
/// [`Error::WorkspaceFull`].
pub fn store_group(
    conn: &mut Conn,
    partitions: &mut Partitions,
    requests: &mut [AppendRequest],
    windows: DedupeWindow,
) -> Result<Vec<Result<Appended>>> {
    let times = requests.iter().flat_map(|request| &request.events).map(|event| event.row.occurred_at);
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
            for (place, answer) in store_in_workspace(conn, workspace_id, requests, windows)? {
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
    let mut batch = Batch { workspace_id, now, last_seq, ..Batch::default() };
    batch.load_known_keys(conn, &requests, windows)?;
    let answers = requests
        .into_iter()
        .map(|(place, request)| Ok((place, batch.take(conn, request, windows)?)))
        .collect::<Result<Answers>>()?;
    batch.write(conn)?;
    Ok(answers)
}

/// What one transaction adds to one workspace.
#[derive(Default)]
struct Batch<'a> {
    workspace_id: i32,
    now: Timestamp,
    last_seq: i64,
    rows: Vec<&'a EventRow>,
    known: HashMap<String, EventId>,
    new_keys: Vec<DedupeKeyRow>,
    new_idempotency: Vec<(&'a Idempotency, Appended)>,
    positions: Vec<&'a ImportPosition>,
}

impl<'a> Batch<'a> {
    fn load_known_keys(
        &mut self,
        conn: &mut Conn,
        requests: &[(usize, &mut AppendRequest)],
        windows: DedupeWindow,
    ) -> Result<()> {
        let keys: Vec<&str> = requests
            .iter()
            .flat_map(|(_, request)| &request.events)
            .filter_map(|event| event.dedupe_key.as_deref())
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        // Keys older than the window are deleted first, so that they can be used again.
        let oldest = self.now.plus_seconds(-windows.dedupe_seconds);
        diesel::delete(
            dedupe_keys::table
                .filter(dedupe_keys::workspace_id.eq(self.workspace_id))
                .filter(dedupe_keys::received_at.lt(oldest)),
        )
        .execute(conn)?;
        for keys in keys.chunks(1000) {
            let known = dedupe_keys::table
                .filter(dedupe_keys::workspace_id.eq(self.workspace_id))
                .filter(dedupe_keys::dedupe_key.eq_any(keys.iter().copied()))
                .select((dedupe_keys::dedupe_key, dedupe_keys::seq, dedupe_keys::occurred_at))
                .load::<(String, i64, Timestamp)>(conn)?;
            for (key, seq, occurred_at) in known {
                self.known.insert(key, EventId::new(self.workspace_id, seq, occurred_at));
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        conn: &mut Conn,
        request: &'a mut AppendRequest,
        windows: DedupeWindow,
    ) -> Result<Result<Appended>> {
        let AppendRequest { workspace_id: _, events, idempotency, import_positions } = request;
        if let Some(idempotency) = idempotency
            && let Some(answer) = self.earlier_answer(conn, idempotency, windows)?
        {
            return Ok(answer);
        }
        if self.last_seq + events.len() as i64 >= MAX_SEQ {
            return Ok(Err(Error::WorkspaceFull));
        }
        let mut appended = Appended::default();
        for event in events {
            let result = self.number(event);
            if result.duplicate {
                appended.duplicates += 1;
            } else {
                appended.accepted += 1;
            }
            appended.results.push(result);
        }
        if let Some(idempotency) = idempotency {
            self.new_idempotency.push((idempotency, appended.clone()));
        }
        self.positions.extend(&*import_positions);
        Ok(Ok(appended))
    }

    fn earlier_answer(
        &self,
        conn: &mut Conn,
        idempotency: &Idempotency,
        windows: DedupeWindow,
    ) -> Result<Option<Result<Appended>>> {
        let in_this_batch = self.new_idempotency.iter().find(|(known, _)| known.key == idempotency.key);
        let (fingerprint, answer) = if let Some((known, answer)) = in_this_batch {
            (known.fingerprint.clone(), Ok(answer.clone()))
        } else {
            let oldest = self.now.plus_seconds(-windows.dedupe_seconds);
            diesel::delete(
                idempotency_keys::table
                    .filter(idempotency_keys::workspace_id.eq(self.workspace_id))
                    .filter(idempotency_keys::created_at.lt(oldest)),
            )
            .execute(conn)?;
            let stored = idempotency_keys::table
                .find((self.workspace_id, &idempotency.key))
                .select((idempotency_keys::fingerprint, idempotency_keys::response))
                .first::<(String, String)>(conn)
                .optional()?;
            let Some((fingerprint, response)) = stored else { return Ok(None) };
            let answer = serde_json::from_str(&response)
                .map_err(|_| Error::Damaged("the stored response to this Idempotency-Key cannot be read"));
            (fingerprint, answer)
        };
        if fingerprint != idempotency.fingerprint {
            return Ok(Some(Err(Error::IdempotencyKeyReused)));
        }
        Ok(Some(answer))
    }

    fn number(&mut self, event: &'a mut Prepared) -> AppendResult {
        let Prepared { dedupe_key, row } = event;
        if let Some(first) = dedupe_key.as_ref().and_then(|key| self.known.get(key)) {
            return AppendResult { id: *first, seq: first.seq, duplicate: true };
        }
        self.last_seq += 1;
        row.workspace_id = self.workspace_id;
        row.seq = self.last_seq;
        row.received_at = self.now;
        let id = EventId::new(row.workspace_id, row.seq, row.occurred_at);
        if let Some(dedupe_key) = dedupe_key {
            self.new_keys.push(DedupeKeyRow {
                workspace_id: row.workspace_id,
                dedupe_key: dedupe_key.clone(),
                seq: row.seq,
                occurred_at: row.occurred_at,
                received_at: row.received_at,
            });
            self.known.insert(dedupe_key.clone(), id);
        }
        self.rows.push(row);
        AppendResult { id, seq: self.last_seq, duplicate: false }
    }

    fn write(self, conn: &mut Conn) -> Result<()> {
        let Self { workspace_id, now, last_seq, rows, known: _, new_keys, new_idempotency, positions } = self;
        dialect::insert_events(conn, rows.iter().copied())?;
        dialect::insert_dedupe_keys(conn, &new_keys)?;
        counts::delta::insert_for_batch(conn, workspace_id, last_seq, now, &rows)?;
        if !rows.is_empty() {
            diesel::update(workspace_sequences::table.find(workspace_id))
                .set(workspace_sequences::last_seq.eq(last_seq))
                .execute(conn)?;
        }
        for (Idempotency { key, fingerprint }, answer) in new_idempotency {
            let response = serde_json::to_string(&answer).unwrap_or_default();
            diesel::insert_into(idempotency_keys::table)
                .values((
                    idempotency_keys::workspace_id.eq(workspace_id),
                    idempotency_keys::idempotency_key.eq(key),
                    idempotency_keys::fingerprint.eq(fingerprint),
                    idempotency_keys::response.eq(response),
                    idempotency_keys::created_at.eq(now),
                ))
                .execute(conn)?;
        }
        for position in positions {
            save_position(conn, workspace_id, position)?;
        }
        Ok(())
    }
}

fn save_position(conn: &mut Conn, workspace_id: i32, position: &ImportPosition) -> Result<()> {
    let ImportPosition { source, source_table, position } = position;
    let updated = diesel::update(import_positions::table.find((workspace_id, source, source_table)))
        .set(import_positions::position.eq(position))
        .execute(conn)?;
    if updated == 0 {
        diesel::insert_into(import_positions::table)
            .values((
                import_positions::workspace_id.eq(workspace_id),
                import_positions::source.eq(source),
                import_positions::source_table.eq(source_table),
                import_positions::position.eq(position),
            ))
            .execute(conn)?;
    }
    Ok(())
}
