//! The index in the database, and the pieces of it that are kept in memory.

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

/// The format of an index that is being removed; [`FORMAT`] is another.
const NO_FORMAT: i32 = 0;
/// Pieces that one transaction removes at the most: some 8 MiB.
const CLEARED: i64 = 1000;

/// How far a workspace's index has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Events up to this seq are in segments.
    pub indexed_seq: i64,
    /// The number of the next segment.
    pub next_segment: i32,
    /// Changes whenever a segment comes or goes.
    pub revision: i64,
    /// The newest event.
    pub last_seq: i64,
    /// What is stored has another format. Nothing of it counts: no event is indexed.
    pub is_foreign: bool,
}

/// The state, in one statement. Of a workspace that was never indexed, the beginning.
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
pub fn segments(conn: &mut Conn, workspace_id: i32) -> Result<Vec<Segment>> {
    let rows = index_segments::table
        .filter(index_segments::workspace_id.eq(workspace_id))
        .order(index_segments::first_seq)
        .select(SegmentRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Segment::from).collect())
}

/// What tells a piece from others in the database.
fn stored_number(segment: i32, number: PieceNumber) -> i64 {
    i64::from(number) << 32 | i64::from(segment)
}

type PieceKey = (i32, i32, PieceNumber);

#[derive(Clone)]
struct ByLength;

impl quick_cache::Weighter<PieceKey, Piece> for ByLength {
    fn weight(&self, _: &PieceKey, piece: &Piece) -> u64 {
        // What the cache itself needs for an entry is a guess.
        piece.as_ref().map_or(0, |bytes| bytes.len() as u64) + 96
    }
}

/// A piece as it is stored; None when it is empty.
pub type Piece = Option<Arc<[u8]>>;

/// A workspace's segments as of a revision.
type Listed = (i64, Arc<[Segment]>);

/// What of the index is in memory. Pieces never change and segments' numbers are never given twice, so nothing here
/// ever has to be thrown away for being old.
#[derive(Clone)]
pub struct Cache {
    pieces: Arc<quick_cache::sync::Cache<PieceKey, Piece, ByLength>>,
    segments: Arc<quick_cache::sync::Cache<i32, Listed>>,
}

impl Cache {
    /// A cache for so many bytes of pieces.
    pub fn new(bytes: u64) -> Self {
        // A guess of how many there will be: most are slices of 8 KiB.
        let pieces = quick_cache::sync::Cache::with_weighter((bytes / 4096) as usize, bytes, ByLength);
        Self { pieces: Arc::new(pieces), segments: Arc::new(quick_cache::sync::Cache::new(1000)) }
    }

    /// The segments, read again when the revision is another.
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

/// The pieces that one question needs of some segments.
pub struct Pieces {
    workspace_id: i32,
    found: HashMap<(i32, PieceNumber), Piece>,
}

impl Pieces {
    pub fn new(workspace_id: i32) -> Self {
        Self { workspace_id, found: HashMap::new() }
    }

    /// Brings pieces in: from memory, and what is not there with one statement.
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

    /// Lets go of what is needed only once.
    pub fn keep_order(&mut self) {
        self.found.retain(|(_, number), _| *number > TIMES);
    }

    /// A piece that was brought in; None when it is empty.
    pub fn get(&self, segment: &Segment, number: PieceNumber) -> Option<&[u8]> {
        if segment.is_small() {
            return unpack(self.found.get(&(segment.number, PACKED))?.as_deref()?, number);
        }
        self.found.get(&(segment.number, number))?.as_deref()
    }
}

/// Writes a segment, and takes away those that it replaces. Nothing happens (false) when somebody else has changed
/// the index since `state` was read.
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

/// Moves the state on, if it still is what it was. Locks its row until the transaction ends.
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

/// What is stored of a segment in the place of `expected`; a piece that is missing is left out.
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

/// Lets go of a workspace's whole index: nobody reads it any more, [`clear_some`] removes it, and it is built anew from the
/// first event on.
pub fn invalidate(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    diesel::update(index_states::table.find(workspace_id))
        .set((index_states::format.eq(NO_FORMAT), index_states::revision.eq(index_states::revision + 1)))
        .execute(conn)?;
    Ok(())
}

/// Removes so much of an index of another format as takes no long transaction, since others may want to write. When nothing
/// is left, the workspace's index is an empty one of this format.
pub fn remove_batch(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    conn.transaction(|conn| {
        dialect::lock_for_writing(conn)?;
        let state = index_states::table.find(workspace_id).filter(index_states::format.ne(FORMAT));
        // Locks the row. Somebody else may have come to the end meanwhile.
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
            // Numbers go on, so that no piece in anybody's memory is taken for one of the new segments.
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
