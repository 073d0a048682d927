//! What one transaction of the appender adds to the counts. It is a row of its own, so that writers do not wait for
//! each other.
//!
//! Its cells are of quarter hours, packed separately for each log: log, length, packed cells; then the next log.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{
    budget::Budget,
    calendar, damaged,
    keys::KnownKeys,
    packed::{CellsBuilder, PackedCells},
};
use crate::{
    db::{Conn, dialect::AtMost, rows::EventRow, schema::count_deltas, timestamp::Timestamp},
    error::Result,
    event::Log,
};

/// Inserts the delta of a transaction. `seq` is its last event's.
///
/// # Errors
/// The database's.
pub fn insert_for_batch(
    conn: &mut Conn,
    workspace_id: i32,
    seq: i64,
    received_at: Timestamp,
    rows: &[&EventRow],
    known: &mut KnownKeys,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut drafts: BTreeMap<i16, CellsBuilder> = BTreeMap::new();
    for (row, key) in rows.iter().zip(known.count(conn, workspace_id, rows)?) {
        drafts.entry(row.log).or_default().add(calendar::quarter_of(row.occurred_at), key, 1);
    }
    insert(conn, workspace_id, seq, received_at, rows.len(), &drafts)
}

/// Inserts a delta of cells that are already counted.
///
/// # Errors
/// The database's.
pub fn insert(
    conn: &mut Conn,
    workspace_id: i32,
    seq: i64,
    received_at: Timestamp,
    events: usize,
    drafts: &BTreeMap<i16, CellsBuilder>,
) -> Result<()> {
    let cell_count: usize = drafts.values().map(CellsBuilder::len).sum();
    diesel::insert_into(count_deltas::table)
        .values((
            count_deltas::workspace_id.eq(workspace_id),
            count_deltas::seq.eq(seq),
            count_deltas::received_at.eq(received_at),
            count_deltas::events.eq(i32::try_from(events).unwrap_or(i32::MAX)),
            count_deltas::cell_count.eq(i32::try_from(cell_count).unwrap_or(i32::MAX)),
            count_deltas::cells.eq(pack(drafts)),
        ))
        .execute(conn)?;
    Ok(())
}

fn pack(drafts: &BTreeMap<i16, CellsBuilder>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (log, draft) in drafts {
        let cells = draft.pack();
        bytes.push(*log as u8);
        bytes.extend_from_slice(&(cells.len() as u32).to_be_bytes());
        bytes.extend(cells);
    }
    bytes
}

/// The cells of one log, or of every log.
///
/// # Errors
/// When [`insert`] did not write these bytes.
pub fn parse(mut bytes: &[u8], wanted: Option<Log>) -> Result<Vec<(i16, PackedCells)>> {
    let mut found = Vec::new();
    while let Some((log, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (cells, rest) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(damaged)?;
        let log = i16::from(*log);
        if wanted.is_none_or(|wanted| wanted.number() == log) {
            found.push((log, PackedCells::parse(cells.to_vec()).ok_or_else(damaged)?));
        }
        bytes = rest;
    }
    Ok(found)
}

/// The cells of a log that are not compacted yet.
///
/// # Errors
/// The database's, damaged bytes, or the budget's.
pub fn waiting(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    budget: &mut Budget,
) -> Result<Vec<PackedCells>> {
    const STEP: usize = 100;
    let mut found = Vec::new();
    let mut after = i64::MIN;
    loop {
        let deltas = count_deltas::table
            .filter(count_deltas::workspace_id.eq(workspace_id))
            .filter(count_deltas::seq.gt(after))
            .order(count_deltas::seq.asc())
            .select((count_deltas::seq, count_deltas::cells));
        let deltas: Vec<(i64, Vec<u8>)> = AtMost::new(deltas, STEP).load(conn)?;
        let more = deltas.len() == STEP;
        for (seq, bytes) in deltas {
            after = seq;
            budget.take(bytes.len())?;
            found.extend(parse(&bytes, Some(log))?.into_iter().map(|(_, packed)| packed));
        }
        if !more {
            return Ok(found);
        }
    }
}

/// The number of events, of all workspaces, that are not compacted yet.
///
/// # Errors
/// The database's.
pub fn lag(conn: &mut Conn) -> Result<i64> {
    let events: Option<i64> =
        count_deltas::table.select(diesel::dsl::sum(count_deltas::events)).first(conn)?;
    Ok(events.unwrap_or_default())
}
