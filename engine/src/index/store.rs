//! The index in the database, and the cache of its pieces.

use std::{collections::HashMap, sync::Arc};

use diesel::prelude::*;

use super::{
    building::Made,
    directory::Level,
    run::{FORMAT, PieceNumber, Run, Segment},
};
use crate::{
    db::{
        Conn,
        dialect::{self, AnyOf},
        rows::{PieceRow, RunRow},
        schema::{index_merges, index_pieces, index_removals, index_runs, index_states, workspace_sequences},
        timestamp::Timestamp,
    },
    error::Result,
};

/// The format of an index that is being removed. [`FORMAT`] never has this number.
const NO_FORMAT: i32 = 0;
/// Pieces that one transaction removes at most: some 8 MiB.
const CLEARED: i64 = 1000;

/// How far a workspace is indexed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Events up to this seq are in segments.
    pub indexed_seq: i64,
    /// The number of the next segment.
    pub next_segment: i32,
    /// Changes whenever a segment is added or removed.
    pub revision: i64,
    /// The seq of the newest event.
    pub last_seq: i64,
    /// The stored index has another format and is not used: no event counts as indexed.
    pub is_foreign: bool,
}

/// The state, read with one statement. The initial state of a workspace that was never indexed.
///
/// # Errors
/// The database's.
pub fn state(conn: &mut Conn, workspace_id: i32) -> Result<State> {
    let found = workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .filter(workspace_sequences::workspace_id.eq(workspace_id))
        .select((
            workspace_sequences::last_seq,
            (
                index_states::indexed_seq,
                index_states::next_segment,
                index_states::revision,
                index_states::format,
            )
                .nullable(),
        ))
        .first::<(i64, Option<(i64, i32, i64, i32)>)>(conn)
        .optional()?;
    let (last_seq, indexed) = found.unwrap_or_default();
    let (indexed_seq, next_segment, revision, format) = indexed.unwrap_or((0, 0, 0, FORMAT));
    let is_foreign = format != FORMAT;
    let indexed_seq = if is_foreign { 0 } else { indexed_seq };
    Ok(State { indexed_seq, next_segment, revision, last_seq, is_foreign })
}

/// Every segment of a workspace, by seq.
///
/// # Errors
/// The database's.
pub fn segments(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Segment>> {
    let rows = index_runs::table
        .filter(index_runs::workspace_id.eq(workspace_id))
        .order(index_runs::first_seq)
        .select(RunRow::as_select())
        .load(conn)?;
    let mut segments: Vec<Segment> = Vec::new();
    for row in rows {
        let RunRow { workspace_id: _, run, segment, level, first_seq, last_seq, first_time, last_time } = row;
        let run = Run { number: run, first_seq, last_seq, first_time: first_time.0, last_time: last_time.0 };
        match segments.last_mut() {
            Some(last) if last.number == segment => last.runs.push(run),
            _ => segments.push(Segment { number: segment, level, runs: vec![run] }),
        }
    }
    Ok(segments)
}

/// The number of a piece in the database, unique in its workspace.
pub fn stored_number(owner: i32, number: PieceNumber) -> i64 {
    i64::from(owner) << 32 | i64::from(number)
}

type PieceKey = (i32, i32, PieceNumber);

#[derive(Clone)]
struct ByLength;

impl quick_cache::Weighter<PieceKey, Piece> for ByLength {
    fn weight(&self, _: &PieceKey, piece: &Piece) -> u64 {
        // The cache's own bytes per entry are an estimate.
        piece.as_ref().map_or(0, |bytes| bytes.len() as u64) + 96
    }
}

/// A piece as it is stored; None when it is empty.
pub type Piece = Option<Arc<[u8]>>;

/// A workspace's segments as of a revision.
type Listed = (i64, Arc<[Segment]>);

/// The cached part of the index. Pieces never change and segment numbers are never reused, so a cached piece never
/// becomes stale.
#[derive(Clone)]
pub struct Cache {
    pieces: Arc<quick_cache::sync::Cache<PieceKey, Piece, ByLength>>,
    segments: Arc<quick_cache::sync::Cache<i32, Listed>>,
}

impl Cache {
    /// A cache of at most this many bytes of pieces.
    pub fn new(bytes: u64) -> Self {
        // An estimate of the number of pieces.
        let pieces = quick_cache::sync::Cache::with_weighter((bytes / 2048) as usize, bytes, ByLength);
        Self { pieces: Arc::new(pieces), segments: Arc::new(quick_cache::sync::Cache::new(1000)) }
    }

    /// The segments, read again when the revision has changed.
    ///
    /// # Errors
    /// The database's.
    pub fn segments(&self, conn: &mut Conn, workspace_id: i32, state: State) -> Result<Arc<[Segment]>> {
        if state.is_foreign {
            return Ok(Arc::default());
        }
        if let Some((revision, segments)) = self.segments.get(&workspace_id)
            && revision == state.revision
        {
            return Ok(segments);
        }
        let segments: Arc<[Segment]> = segments(conn, workspace_id)?.into();
        self.segments.insert(workspace_id, (state.revision, segments.clone()));
        Ok(segments)
    }
}

/// The pieces that one query needs of some segments.
pub struct Pieces {
    workspace_id: i32,
    found: HashMap<(i32, PieceNumber), Piece>,
}

impl Pieces {
    pub fn new(workspace_id: i32) -> Self {
        Self { workspace_id, found: HashMap::new() }
    }

    /// Loads pieces from the cache, and the missing ones with one statement.
    ///
    /// # Errors
    /// The database's.
    pub fn load(
        &mut self,
        conn: &mut Conn,
        cache: &Cache,
        wanted: impl IntoIterator<Item = (i32, PieceNumber)>,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for (segment, number) in wanted {
            if self.found.contains_key(&(segment, number)) {
                continue;
            }
            // Empty until the database says otherwise.
            let known = cache.pieces.get(&(self.workspace_id, segment, number));
            if known.is_none() {
                missing.push(stored_number(segment, number));
            }
            self.found.insert((segment, number), known.flatten());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let rows: Vec<(i64, Vec<u8>)> = index_pieces::table
            .filter(index_pieces::workspace_id.eq(self.workspace_id))
            .filter(AnyOf::new(index_pieces::piece, &missing))
            .select((index_pieces::piece, index_pieces::bits))
            .load(conn)?;
        let mut rows: HashMap<i64, Vec<u8>> = rows.into_iter().collect();
        for stored in missing {
            let (segment, number) = ((stored >> 32) as i32, stored as PieceNumber);
            let piece: Piece = rows.remove(&stored).map(Arc::from);
            cache.pieces.insert((self.workspace_id, segment, number), piece.clone());
            self.found.insert((segment, number), piece);
        }
        Ok(())
    }

    /// None yet, of the same workspace.
    pub fn others(&self) -> Self {
        Self::new(self.workspace_id)
    }

    /// Drops what was loaded. What is needed again is in the cache.
    pub fn clear(&mut self) {
        self.found.clear();
    }

    /// A loaded piece, of a run or a segment with this number; None when it is empty.
    pub fn get(&self, owner: i32, number: PieceNumber) -> Option<&[u8]> {
        self.found.get(&(owner, number))?.as_deref()
    }
}

/// Writes a run, which is a segment of its own, and removes the small ones that it replaces. Does nothing and returns
/// false when another process has changed the index since `state` was read.
///
/// # Errors
/// The database's.
pub fn swap_runs(
    conn: &mut Conn,
    workspace_id: i32,
    state: State,
    old: &[i32],
    level: Level,
    (run, pieces): Made,
) -> Result<bool> {
    conn.transaction(|conn| {
        dialect::lock_for_writing(conn)?;
        let indexed_seq = state.indexed_seq.max(run.last_seq);
        let next = State { indexed_seq, next_segment: run.number + 1, ..state };
        if !advance(conn, workspace_id, state, next)? {
            return Ok(false);
        }
        for number in old {
            diesel::delete(index_runs::table.find((workspace_id, number))).execute(conn)?;
            remove_pieces(conn, workspace_id, *number, PieceNumber::MAX)?;
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
        insert(conn, workspace_id, number, pieces)?;
        Ok(true)
    })
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

/// The stored pieces of a run or segment with numbers from `start` to before `end`, at most `limit` of them.
///
/// # Errors
/// The database's.
pub fn pieces(
    conn: &mut Conn,
    workspace_id: i32,
    owner: i32,
    (start, end): (PieceNumber, PieceNumber),
    limit: i64,
) -> Result<Vec<(PieceNumber, Vec<u8>)>> {
    let rows = index_pieces::table
        .filter(index_pieces::workspace_id.eq(workspace_id))
        .filter(index_pieces::piece.ge(stored_number(owner, start)))
        .filter(index_pieces::piece.lt(stored_number(owner, end)))
        .order(index_pieces::piece)
        .limit(limit)
        .select((index_pieces::piece, index_pieces::bits))
        .load::<(i64, Vec<u8>)>(conn)?;
    Ok(rows.into_iter().map(|(stored, bits)| (stored as PieceNumber, bits)).collect())
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
    conn.transaction(|conn| {
        dialect::lock_for_writing(conn)?;
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
