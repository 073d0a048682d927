//! The quarantine: what a source sent and could not be read, byte for byte, with the reason.
//!
//! A rejected record stays until it is replayed, after the mapping was mended, or discarded. Its events have the time at
//! which it first arrived.

use bytes::Bytes;
use diesel::prelude::*;

use super::Record;
use crate::{
    db::{
        Conn,
        schema::{rejected_records, source_states},
        timestamp::Timestamp,
    },
    error::Result,
};

/// What a rejected record takes beside its bytes: its row, its key.
const ROW_BYTES: usize = 200;

/// A record on its way into quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRejected {
    pub record: Record,
    /// For programs, such as `malformed_json`.
    pub code: String,
    /// For people. At most [`NewRejected::LONGEST_REASON`] characters are kept.
    pub reason: String,
    /// The place in the record or the field of the mapping, where there is one.
    pub pointer: Option<String>,
}

impl NewRejected {
    pub const LONGEST_REASON: usize = 1000;

    /// Bytes that it takes in quarantine.
    pub fn size(&self) -> i64 {
        size(self.record.bytes.len(), self.record.context.as_deref(), &self.reason)
    }

    /// The same, with texts that PostgreSQL can store and that are not too long.
    pub fn bounded(self) -> Self {
        Self { reason: bounded(&self.reason), pointer: self.pointer.as_deref().map(bounded), ..self }
    }
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(NewRejected::LONGEST_REASON).collect()
}

fn size(record: usize, context: Option<&str>, reason: &str) -> i64 {
    (ROW_BYTES + record + context.map_or(0, str::len) + reason.len()) as i64
}

/// A record in quarantine.
#[derive(Clone, Debug, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = rejected_records, treat_none_as_default_value = false)]
pub struct Rejected {
    pub workspace_id: i32,
    pub source: String,
    /// Counts from 1 in its source, in the order of arrival.
    pub id: i64,
    /// When it first arrived.
    pub received_at: Timestamp,
    pub code: String,
    pub reason: String,
    pub pointer: Option<String>,
    pub record: Vec<u8>,
    pub context: Option<String>,
}

impl Rejected {
    fn size(&self) -> i64 {
        size(self.record.len(), self.context.as_deref(), &self.reason)
    }

    /// Its bytes and what belongs to them.
    pub fn into_record(self) -> Record {
        Record { bytes: Bytes::from(self.record), context: self.context.map(Into::into) }
    }
}

/// Stores records under the ids from `first_id` on.
pub(super) fn insert(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    first_id: i64,
    rejected: Vec<NewRejected>,
    now: Timestamp,
) -> Result<()> {
    for (id, new) in (first_id..).zip(rejected) {
        let NewRejected { record, code, reason, pointer } = new;
        let row = Rejected {
            workspace_id,
            source: source.to_owned(),
            id,
            received_at: now,
            code,
            reason,
            pointer,
            record: record.bytes.to_vec(),
            context: record.context.as_deref().map(str::to_owned),
        };
        diesel::insert_into(rejected_records::table).values(&row).execute(conn)?;
    }
    Ok(())
}

/// How many records and how many of their bytes left the quarantine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removed {
    pub records: i64,
    pub bytes: i64,
}

/// Removes records from the quarantine.
pub(super) fn remove(conn: &mut Conn, workspace_id: i32, source: &str, ids: &[i64]) -> Result<Removed> {
    let mut removed = Removed::default();
    for ids in ids.chunks(500) {
        let rows = diesel::delete(
            rejected_records::table
                .filter(rejected_records::workspace_id.eq(workspace_id))
                .filter(rejected_records::source.eq(source))
                .filter(rejected_records::id.eq_any(ids.iter().copied())),
        )
        .returning(rejected_records::all_columns)
        .get_results::<Rejected>(conn)?;
        removed.records += rows.len() as i64;
        removed.bytes += rows.iter().map(Rejected::size).sum::<i64>();
    }
    Ok(removed)
}

/// How many of these records are in quarantine.
pub(super) fn count(conn: &mut Conn, workspace_id: i32, source: &str, ids: &[i64]) -> Result<usize> {
    let mut found = 0;
    for ids in ids.chunks(500) {
        found += rejected_records::table
            .filter(rejected_records::workspace_id.eq(workspace_id))
            .filter(rejected_records::source.eq(source))
            .filter(rejected_records::id.eq_any(ids.iter().copied()))
            .count()
            .get_result::<i64>(conn)? as usize;
    }
    Ok(found)
}

/// Rejected records of a source after an id, in their order: at most `limit`.
///
/// # Errors
/// The database's.
pub fn list(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Rejected>> {
    Ok(rejected_records::table
        .filter(rejected_records::workspace_id.eq(workspace_id))
        .filter(rejected_records::source.eq(source))
        .filter(rejected_records::id.gt(after))
        .order(rejected_records::id.asc())
        .limit(limit)
        .select(Rejected::as_select())
        .load(conn)?)
}

/// Those of the given records that are in quarantine, in their order.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut Conn, workspace_id: i32, source: &str, ids: &[i64]) -> Result<Vec<Rejected>> {
    let mut found = Vec::new();
    for ids in ids.chunks(500) {
        found.extend(
            rejected_records::table
                .filter(rejected_records::workspace_id.eq(workspace_id))
                .filter(rejected_records::source.eq(source))
                .filter(rejected_records::id.eq_any(ids.iter().copied()))
                .select(Rejected::as_select())
                .load::<Rejected>(conn)?,
        );
    }
    found.sort_by_key(|rejected| rejected.id);
    Ok(found)
}

/// Discards records; returns how many. To be called in a transaction of the appender's role.
///
/// # Errors
/// The database's.
pub fn discard(conn: &mut Conn, workspace_id: i32, source: &str, ids: &[i64]) -> Result<i64> {
    let removed = remove(conn, workspace_id, source, ids)?;
    diesel::update(source_states::table.find((workspace_id, source)))
        .set((
            source_states::rejected.eq(source_states::rejected - removed.records),
            source_states::rejected_bytes.eq(source_states::rejected_bytes - removed.bytes),
        ))
        .execute(conn)?;
    Ok(removed.records)
}

/// Says anew why a record cannot be read. To be called in a transaction of the appender's role.
///
/// # Errors
/// The database's.
pub fn reject_again(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    id: i64,
    new: &NewRejected,
) -> Result<()> {
    let row = rejected_records::table.find((workspace_id, source, id));
    let before = row.select(rejected_records::reason).first::<String>(conn).optional()?;
    let Some(before) = before else { return Ok(()) };
    diesel::update(row)
        .set((
            rejected_records::code.eq(&new.code),
            rejected_records::reason.eq(&new.reason),
            rejected_records::pointer.eq(&new.pointer),
        ))
        .execute(conn)?;
    let more = new.reason.len() as i64 - before.len() as i64;
    diesel::update(source_states::table.find((workspace_id, source)))
        .set(source_states::rejected_bytes.eq(source_states::rejected_bytes + more))
        .execute(conn)?;
    Ok(())
}
