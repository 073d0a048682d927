//! Writes the index to the database, in transactions that are short enough not to hold up other writers.

use diesel::prelude::*;

use super::{
    building::Made,
    directory::Level,
    run::{FORMAT, PieceNumber, Run},
    store::{State, stored_number},
};
use crate::{
    db::{
        Conn, dialect,
        rows::{PieceRow, RunRow},
        schema::{index_merges, index_pieces, index_removals, index_runs, index_states},
        timestamp::Timestamp,
    },
    error::Result,
};

/// The format of an index that is being removed. [`FORMAT`] never has this number.
const NO_FORMAT: i32 = 0;
/// Pieces that one transaction removes at most: some 8 MiB.
const CLEARED: i64 = 1000;

/// Writes a run, which is a segment of its own, in place of the smaller ones that it replaces. Does nothing and returns
/// false when another process has changed the index since `state` was read.
///
/// A large run has some nine megabytes. Its pieces come first, about `written` bytes in each transaction, so that other writers need not wait
/// for all of them; nobody reads them before the last one adds the run. Until then the run is listed as one to remove,
/// for whoever comes after a process that was killed.
///
/// # Errors
/// The database's.
pub fn swap_runs(
    conn: &mut Conn,
    workspace_id: i32,
    state: State,
    old: &[i32],
    (level, (run, pieces)): (Level, Made),
    written: usize,
) -> Result<bool> {
    let mut parts = in_parts(pieces, written);
    let Some(last) = parts.pop() else { return Ok(false) };
    let reserved = if parts.is_empty() { Some(state) } else { reserve(conn, workspace_id, state)? };
    let Some(reserved) = reserved else { return Ok(false) };
    let was_listed = !parts.is_empty();
    for part in parts {
        let is_ours = writing(conn, |conn| {
            let is_ours = lock(conn, workspace_id, reserved)?;
            if is_ours {
                insert(conn, workspace_id, run.number, part)?;
            }
            Ok(is_ours)
        })?;
        if !is_ours {
            return Ok(false);
        }
    }
    writing(conn, |conn| {
        let indexed_seq = reserved.indexed_seq.max(run.last_seq);
        let next = State { indexed_seq, next_segment: run.number + 1, ..reserved };
        if !advance(conn, workspace_id, reserved, next)? {
            return Ok(false);
        }
        if was_listed {
            diesel::delete(index_removals::table.find((workspace_id, run.number))).execute(conn)?;
        }
        for number in old {
            diesel::delete(index_runs::table.find((workspace_id, number))).execute(conn)?;
            // Several runs have as much as a larger one.
            if old.len() > 1 {
                remove_later(conn, workspace_id, *number)?;
            } else {
                remove_pieces(conn, workspace_id, *number, PieceNumber::MAX)?;
            }
        }
        let Run { number, first_seq, last_seq, first_time, last_time } = run;
        let row = RunRow {
            workspace_id,
            run: number,
            segment: number,
            level,
            first_seq,
            last_seq,
            first_time: Timestamp(first_time),
            last_time: Timestamp(last_time),
        };
        diesel::insert_into(index_runs::table).values(row).execute(conn)?;
        insert(conn, workspace_id, number, last)?;
        Ok(true)
    })
}

/// Takes the number of the next run, and lists it as one to remove. Returns the state with it; None when another process
/// has changed the index since `state` was read.
fn reserve(conn: &mut Conn, workspace_id: i32, state: State) -> Result<Option<State>> {
    writing(conn, |conn| {
        let reserved = State { next_segment: state.next_segment + 1, ..state };
        if !advance(conn, workspace_id, state, reserved)? {
            return Ok(None);
        }
        remove_later(conn, workspace_id, state.next_segment)?;
        Ok(Some(State { revision: state.revision + 1, ..reserved }))
    })
}

/// A transaction that begins with the lock for writing.
pub(super) fn writing<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    conn.transaction(|conn| {
        dialect::lock_for_writing(conn)?;
        work(conn)
    })
}

/// Cuts pieces into parts of about so many bytes.
fn in_parts(pieces: Vec<(PieceNumber, Vec<u8>)>, most: usize) -> Vec<Vec<(PieceNumber, Vec<u8>)>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut bytes = 0;
    for piece in pieces {
        bytes += piece.1.len();
        part.push(piece);
        if bytes >= most {
            bytes = 0;
            parts.push(std::mem::take(&mut part));
        }
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// Lists pieces of a run or segment as ones to remove: [`super::merge::remove_some`] does.
pub(super) fn remove_later(conn: &mut Conn, workspace_id: i32, owner: i32) -> Result<()> {
    let removal = (index_removals::workspace_id.eq(workspace_id), index_removals::segment.eq(owner));
    diesel::insert_into(index_removals::table).values(removal).execute(conn)?;
    Ok(())
}

/// Inserts pieces of a run or segment.
///
/// # Errors
/// The database's.
pub fn insert(
    conn: &mut Conn,
    workspace_id: i32,
    owner: i32,
    pieces: Vec<(PieceNumber, Vec<u8>)>,
) -> Result<()> {
    let row = |(number, bits)| PieceRow { workspace_id, piece: stored_number(owner, number), bits };
    let rows: Vec<PieceRow> = pieces.into_iter().map(row).collect();
    Ok(dialect::insert_pieces(conn, &rows)?)
}

/// Removes the pieces of a run or segment with numbers below `end`.
fn remove_pieces(conn: &mut Conn, workspace_id: i32, owner: i32, end: PieceNumber) -> Result<()> {
    let pieces = index_pieces::table
        .filter(index_pieces::workspace_id.eq(workspace_id))
        .filter(index_pieces::piece.ge(stored_number(owner, 0)))
        .filter(index_pieces::piece.lt(stored_number(owner, end)));
    diesel::delete(pieces).execute(conn)?;
    Ok(())
}

/// Updates the state if it has not changed, and locks its row until the transaction ends.
pub(super) fn advance(conn: &mut Conn, workspace_id: i32, from: State, to: State) -> Result<bool> {
    let changed = diesel::update(index_states::table.find(workspace_id))
        .filter(index_states::revision.eq(from.revision))
        .set((
            index_states::indexed_seq.eq(to.indexed_seq),
            index_states::next_segment.eq(to.next_segment),
            index_states::revision.eq(from.revision + 1),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Locks the row of the state until the transaction ends, if it has not changed.
fn lock(conn: &mut Conn, workspace_id: i32, state: State) -> Result<bool> {
    let locked = diesel::update(index_states::table.find(workspace_id))
        .filter(index_states::revision.eq(state.revision))
        .set(index_states::revision.eq(state.revision))
        .execute(conn)?;
    Ok(locked == 1)
}

/// Invalidates a workspace's whole index: it is not read any more, [`remove_batch`] removes it, and it is rebuilt from
/// the first event.
///
/// # Errors
/// The database's.
pub fn invalidate(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    diesel::update(index_states::table.find(workspace_id))
        .set((index_states::format.eq(NO_FORMAT), index_states::revision.eq(index_states::revision + 1)))
        .execute(conn)?;
    Ok(())
}

/// Removes a part of an index of another format, in a transaction that is short enough not to hold up other writers.
/// When nothing is left, the workspace has an empty index of this format.
///
/// # Errors
/// The database's.
pub fn remove_batch(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    writing(conn, |conn| {
        let state = index_states::table.find(workspace_id).filter(index_states::format.ne(FORMAT));
        // Locks the row. Another process may have finished meanwhile.
        let locked = diesel::update(state).set(index_states::format.eq(NO_FORMAT)).execute(conn)?;
        if locked == 0 {
            return Ok(());
        }
        diesel::delete(index_runs::table.filter(index_runs::workspace_id.eq(workspace_id))).execute(conn)?;
        diesel::delete(index_merges::table.filter(index_merges::workspace_id.eq(workspace_id)))
            .execute(conn)?;
        let removals = index_removals::table.filter(index_removals::workspace_id.eq(workspace_id));
        diesel::delete(removals).execute(conn)?;
        let pieces = index_pieces::table.filter(index_pieces::workspace_id.eq(workspace_id));
        let next: Vec<i64> =
            pieces.order(index_pieces::piece).limit(CLEARED).select(index_pieces::piece).load(conn)?;
        if let Some(last) = next.last() {
            diesel::delete(pieces.filter(index_pieces::piece.le(last))).execute(conn)?;
        }
        if (next.len() as i64) < CLEARED {
            // Segment numbers continue, so that a cached piece is never taken for one of a new segment.
            diesel::update(index_states::table.find(workspace_id))
                .set((
                    index_states::indexed_seq.eq(0),
                    index_states::revision.eq(index_states::revision + 1),
                    index_states::format.eq(FORMAT),
                ))
                .execute(conn)?;
        }
        Ok(())
    })
}
