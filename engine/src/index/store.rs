//! The index in the database, and the cache of its pieces.

use std::{collections::HashMap, sync::Arc};

use diesel::prelude::*;

use super::run::{FORMAT, PieceNumber, Run, Segment};
use crate::{
    db::{
        Conn,
        dialect::AnyOf,
        rows::RunRow,
        schema::{index_pieces, index_runs, index_states, workspace_sequences},
    },
    error::Result,
};

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
