//! The index in the database, and the cache of its pieces.

use std::{collections::HashMap, sync::Arc};

use diesel::prelude::*;

use super::segment::{FORMAT, Made, PACKED, PieceNumber, Segment, TIMES, unpack};
use crate::{
    db::{
        self, Conn,
        dialect::{self, AnyOf},
        rows::{PieceRow, SegmentRow},
        schema::{index_pieces, index_segments, index_states, workspace_sequences},
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

impl From<SegmentRow> for Segment {
    fn from(row: SegmentRow) -> Self {
        let SegmentRow { workspace_id: _, segment, first_seq, last_seq, first_time, last_time } = row;
        Self { number: segment, first_seq, last_seq, first_time: first_time.0, last_time: last_time.0 }
    }
}

/// Every segment of a workspace, by seq.
///
/// # Errors
/// The database's.
pub fn segments(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Segment>> {
    let rows = index_segments::table
        .filter(index_segments::workspace_id.eq(workspace_id))
        .order(index_segments::first_seq)
        .select(SegmentRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Segment::from).collect())
}

/// The number of a piece in the database, unique in its workspace.
fn stored_number(segment: i32, number: PieceNumber) -> i64 {
    i64::from(number) << 32 | i64::from(segment)
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
        // An estimate of the number of pieces: most are slices of 8 KiB.
        let pieces = quick_cache::sync::Cache::with_weighter((bytes / 4096) as usize, bytes, ByLength);
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
        wanted: impl Iterator<Item = (i32, PieceNumber)>,
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
            let (segment, number) = (stored as i32, (stored >> 32) as PieceNumber);
            let piece: Piece = rows.remove(&stored).map(Arc::from);
            cache.pieces.insert((self.workspace_id, segment, number), piece.clone());
            self.found.insert((segment, number), piece);
        }
        Ok(())
    }

    /// Drops what is needed only once, which is all but the order.
    pub fn keep_order(&mut self) {
        self.found.retain(|(_, number), _| *number > TIMES);
    }

    /// A loaded piece; None when it is empty.
    pub fn get(&self, segment: &Segment, number: PieceNumber) -> Option<&[u8]> {
        if segment.is_small() {
            return unpack(self.found.get(&(segment.number, PACKED))?.as_deref()?, number);
        }
        self.found.get(&(segment.number, number))?.as_deref()
    }
}

/// Writes a segment and removes those that it replaces. Does nothing and returns false when another process has changed
/// the index since `state` was read.
///
/// # Errors
/// The database's.
pub fn swap_segments(
    conn: &mut Conn,
    workspace_id: i32,
    state: State,
    old: &[i32],
    (segment, pieces): Made,
) -> Result<bool> {
    conn.transaction(|conn| {
        dialect::lock_for_writing(conn)?;
        let indexed_seq = state.indexed_seq.max(segment.last_seq);
        let next = State { indexed_seq, next_segment: segment.number + 1, ..state };
        if !advance(conn, workspace_id, state, next)? {
            return Ok(false);
        }
        remove(conn, workspace_id, old)?;
        let Segment { number, first_seq, last_seq, first_time, last_time } = segment;
        let row = SegmentRow {
            workspace_id,
            segment: number,
            first_seq,
            last_seq,
            first_time: db::timestamp::Timestamp(first_time),
            last_time: db::timestamp::Timestamp(last_time),
        };
        diesel::insert_into(index_segments::table).values(row).execute(conn)?;
        let rows: Vec<PieceRow> = pieces
            .into_iter()
            .map(|(piece, bits)| PieceRow { workspace_id, piece: stored_number(number, piece), bits })
            .collect();
        dialect::insert_pieces(conn, &rows)?;
        Ok(true)
    })
}

/// Updates the state if it has not changed, and locks its row until the transaction ends.
fn advance(conn: &mut Conn, workspace_id: i32, from: State, to: State) -> Result<bool> {
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

fn remove(conn: &mut Conn, workspace_id: i32, old: &[i32]) -> Result<()> {
    for segment in old {
        diesel::delete(index_segments::table.find((workspace_id, segment))).execute(conn)?;
        let small = index_pieces::table.find((workspace_id, stored_number(*segment, PACKED)));
        diesel::delete(small).execute(conn)?;
    }
    Ok(())
}

/// The stored pieces of a segment that `expected` names. Missing ones are left out.
///
/// # Errors
/// The database's.
pub fn pieces(
    conn: &mut Conn,
    workspace_id: i32,
    segment: i32,
    expected: &[(PieceNumber, Vec<u8>)],
) -> Result<Vec<(PieceNumber, Vec<u8>)>> {
    let numbers: Vec<i64> = expected.iter().map(|(number, _)| stored_number(segment, *number)).collect();
    let rows = index_pieces::table
        .filter(index_pieces::workspace_id.eq(workspace_id))
        .filter(AnyOf::new(index_pieces::piece, &numbers))
        .order(index_pieces::piece)
        .select((index_pieces::piece, index_pieces::bits))
        .load::<(i64, Vec<u8>)>(conn)?;
    Ok(rows.into_iter().map(|(stored, bits)| ((stored >> 32) as PieceNumber, bits)).collect())
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
        diesel::delete(index_segments::table.filter(index_segments::workspace_id.eq(workspace_id)))
            .execute(conn)?;
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
