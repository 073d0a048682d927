//! Merges the directories of several segments into one, piece by piece.
//!
//! The columns of their runs stay where they are. A merge has a row in `index_merges`, which says how far it is: each
//! step reads the next parts of all directories, and writes what they become together with the new position, in one
//! transaction. So a process that is killed loses one step, and of two processes one does each step. The last step makes
//! the new directory that of the runs. The old ones are removed after that, in steps too: a long transaction would hold
//! up everybody else who writes.

use diesel::prelude::*;

use super::{
    build::Sizes,
    directory::{Input, LARGE, TOP_LEVEL, merge_part},
    run::{DIRECTORIES_END, Part, PieceNumber, Segment, part_of_piece, part_piece, words_piece},
    store::{self, State},
    words::Dictionary,
    write,
};
use crate::{
    db::{
        Conn,
        rows::MergeRow,
        schema::{index_merges, index_pieces, index_removals, index_runs, index_states},
    },
    error::Result,
};

/// Pieces that one step reads of all segments together: some megabyte.
const READ: usize = 1024;
/// Pieces that one transaction removes: some megabyte.
const REMOVED: i64 = 1000;

/// The next segments to merge: so many of one level, one after the other.
pub fn due<'a>(segments: &'a [Segment], sizes: &Sizes) -> Option<&'a [Segment]> {
    let same_level = segments.chunk_by(|one, other| one.level == other.level);
    let mut mergeable = same_level.filter(|run| (LARGE..TOP_LEVEL).contains(&run[0].level));
    // The newest ones have the lowest level.
    mergeable.rfind(|run| run.len() >= sizes.merged).map(|run| &run[..sizes.merged])
}

/// The merge that has begun, if there is one.
///
/// # Errors
/// The database's.
pub fn current(conn: &mut Conn, workspace_id: i32) -> Result<Option<MergeRow>> {
    let merges = index_merges::table.filter(index_merges::workspace_id.eq(workspace_id));
    Ok(merges.order(index_merges::segment).select(MergeRow::as_select()).first(conn).optional()?)
}

/// The workspaces where a merge has begun, or merged directories wait to be removed.
///
/// # Errors
/// The database's.
pub fn unfinished(conn: &mut Conn) -> Result<Vec<i32>> {
    let mut workspaces: Vec<i32> = index_merges::table.select(index_merges::workspace_id).load(conn)?;
    workspaces.extend(index_removals::table.select(index_removals::workspace_id).load::<i32>(conn)?);
    Ok(workspaces)
}

/// Begins a merge. Does nothing when another process has changed the index since `state` was read.
///
/// # Errors
/// The database's.
pub fn begin(conn: &mut Conn, workspace_id: i32, state: State, segments: &[Segment]) -> Result<()> {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(()) };
    let merge = MergeRow {
        workspace_id,
        segment: state.next_segment,
        level: first.level + 1,
        first_seq: first.first_seq(),
        last_seq: last.last_seq(),
        next_piece: 0,
    };
    write::writing(conn, |conn| {
        let next = State { next_segment: state.next_segment + 1, ..state };
        if write::advance(conn, workspace_id, state, next)? {
            diesel::insert_into(index_merges::table).values(merge).execute(conn)?;
        }
        Ok(())
    })
}

/// Takes a merge one step further. `segments` are those of `state`.
///
/// # Errors
/// The database's.
pub fn step(conn: &mut Conn, state: State, segments: &[Segment], merge: &MergeRow) -> Result<()> {
    let MergeRow { workspace_id, segment, level, first_seq, last_seq, next_piece } = *merge;
    let inputs: Vec<&Segment> = segments
        .iter()
        .filter(|segment| {
            segment.level == level - 1 && segment.first_seq() >= first_seq && segment.last_seq() <= last_seq
        })
        .collect();
    let read = read(conn, workspace_id, &inputs, next_piece)?;
    let pieces = merged(&inputs, &read);
    let found =
        index_merges::table.find((workspace_id, segment)).filter(index_merges::next_piece.eq(next_piece));
    write::writing(conn, |conn| {
        if read.end < DIRECTORIES_END {
            // Another process may have done this step meanwhile.
            if diesel::update(found).set(index_merges::next_piece.eq(read.end)).execute(conn)? == 1 {
                write::insert(conn, workspace_id, segment, pieces)?;
            }
            return Ok(());
        }
        // Who has changed the index since `state` was read may have finished this merge.
        if !write::advance(conn, workspace_id, state, state)? || diesel::delete(found).execute(conn)? == 0 {
            return Ok(());
        }
        write::insert(conn, workspace_id, segment, pieces)?;
        for old in inputs {
            let runs = index_runs::table
                .filter(index_runs::workspace_id.eq(workspace_id))
                .filter(index_runs::segment.eq(old.number));
            diesel::update(runs)
                .set((index_runs::segment.eq(segment), index_runs::level.eq(level)))
                .execute(conn)?;
            write::remove_later(conn, workspace_id, old.number)?;
        }
        Ok(())
    })
}

/// What one step has read.
struct Read {
    /// Of each segment, the pieces before `end`, in order.
    pieces: Vec<Vec<(PieceNumber, Vec<u8>)>>,
    end: PieceNumber,
}

fn read(conn: &mut Conn, workspace_id: i32, inputs: &[&Segment], start: PieceNumber) -> Result<Read> {
    let limit = (READ / inputs.len().max(1)).max(1);
    let mut end = DIRECTORIES_END;
    let mut pieces = Vec::with_capacity(inputs.len());
    for input in inputs {
        let read = store::pieces(conn, workspace_id, input.number, (start, end), limit as i64)?;
        if read.len() == limit
            && let Some((last, _)) = read.last()
        {
            end = last + 1;
        }
        pieces.push(read);
    }
    pieces.iter_mut().for_each(|pieces| pieces.retain(|(number, _)| *number < end));
    Ok(Read { pieces, end })
}

/// What the pieces become.
fn merged(inputs: &[&Segment], read: &Read) -> Vec<(PieceNumber, Vec<u8>)> {
    let mut merged = Vec::new();
    let mut sources: Vec<_> = read.pieces.iter().map(|pieces| pieces.iter().peekable()).collect();
    let level = inputs.first().map_or(LARGE, |input| input.level);
    while let Some(piece) = sources.iter_mut().filter_map(|source| source.peek().map(|(n, _)| *n)).min() {
        let (kind, part) = match part_of_piece(piece) {
            Part::Directory(kind, part) => (kind, part),
            Part::Words(part) => {
                let mut words = Dictionary::new(level + 1);
                for source in &mut sources {
                    if let Some((_, bytes)) = source.next_if(|(number, _)| *number == piece) {
                        words.add_part(level, part, bytes);
                    }
                }
                merged.extend(words.finish().map(|(part, bytes)| (words_piece(part), bytes)));
                continue;
            }
        };
        let mut parts = Vec::new();
        let mut runs_before = 0;
        for (source, input) in sources.iter_mut().zip(inputs) {
            let runs = input.runs.len() as u32;
            if let Some((_, bytes)) = source.next_if(|(number, _)| *number == piece) {
                parts.push(Input { part: bytes, runs_before, runs });
            }
            runs_before += runs;
        }
        merge_part(kind, level, part, (&parts, runs_before), |part, bytes| {
            merged.push((part_piece(kind, part), bytes));
        });
    }
    merged
}

/// How many segments wait to be removed.
///
/// # Errors
/// The database's.
pub fn removals(conn: &mut Conn, workspace_id: i32) -> Result<usize> {
    let removals = index_removals::table.filter(index_removals::workspace_id.eq(workspace_id));
    Ok(usize::try_from(removals.count().get_result::<i64>(conn)?).unwrap_or_default())
}

/// Removes some pieces of what was merged or replaced, or of a run that was not finished. Returns false when there are
/// none. A run that is in use keeps what is its own: only its directories were merged.
///
/// # Errors
/// The database's.
pub fn remove_some(conn: &mut Conn, workspace_id: i32) -> Result<bool> {
    let removals = index_removals::table.filter(index_removals::workspace_id.eq(workspace_id));
    let next = removals.order(index_removals::segment).select(index_removals::segment).first::<i32>(conn);
    let Some(segment) = next.optional()? else { return Ok(false) };
    write::writing(conn, |conn| {
        // Who was held up while it wrote this run finds that it has to give up.
        diesel::update(index_states::table.find(workspace_id))
            .set(index_states::revision.eq(index_states::revision + 1))
            .execute(conn)?;
        // Another process may have removed it, and its number, meanwhile.
        if index_removals::table.find((workspace_id, segment)).count().get_result::<i64>(conn)? == 0 {
            return Ok(true);
        }
        let in_use = index_runs::table.find((workspace_id, segment)).count().get_result::<i64>(conn)? > 0;
        let end = if in_use { DIRECTORIES_END } else { PieceNumber::MAX };
        let pieces = index_pieces::table
            .filter(index_pieces::workspace_id.eq(workspace_id))
            .filter(index_pieces::piece.ge(store::stored_number(segment, 0)))
            .filter(index_pieces::piece.lt(store::stored_number(segment, end)));
        let some: Vec<i64> =
            pieces.order(index_pieces::piece).limit(REMOVED).select(index_pieces::piece).load(conn)?;
        if let Some(last) = some.last() {
            diesel::delete(pieces.filter(index_pieces::piece.le(last))).execute(conn)?;
        }
        if (some.len() as i64) < REMOVED {
            diesel::delete(index_removals::table.find((workspace_id, segment))).execute(conn)?;
        }
        Ok(true)
    })
}
