//! The rollups: packed rows of `event_counts`.
//!
//! | grain | a row is | its cells are of |
//! |---|---|---|
//! | day | a UTC day | quarter hours |
//! | month | a UTC month | UTC days |

use std::{collections::BTreeMap, sync::Arc};

use diesel::prelude::*;

use super::{
    CountsCache,
    budget::Budget,
    cache::Place,
    damaged,
    packed::{CellsBuilder, PackedCells},
    projection::Projection,
};
use crate::{
    db::{
        Conn, dialect,
        schema::{count_states, event_counts},
        timestamp::Timestamp,
    },
    error::Result,
    event::Log,
};

/// What a rollup covers: a UTC day or a UTC month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    Day = 1,
    Month = 2,
}

impl Grain {
    pub fn number(self) -> i16 {
        self as i16
    }
}

/// How far a workspace is compacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = count_states)]
pub struct State {
    /// Increases with each change of any rollup.
    pub revision: i64,
    /// Events up to this seq are in rollups, later ones in deltas. While `unbuilt_from` is set, 0 means that building
    /// has not begun.
    pub compacted_seq: i64,
    /// Events from this time on, with seqs up to `compacted_seq`, are in no rollup yet.
    pub unbuilt_from: Option<Timestamp>,
}

/// The state. A workspace without a row has no rollups and needs none.
///
/// # Errors
/// The database's.
pub fn state(conn: &mut Conn, workspace_id: i32) -> Result<State> {
    let state = count_states::table.find(workspace_id).select(State::as_select()).first(conn).optional()?;
    Ok(state.unwrap_or_default())
}

/// The state, with a new revision, locked until the transaction ends. Every transaction that changes rollups begins
/// with it.
///
/// # Errors
/// The database's; a unique violation when two processes create the state at the same time.
pub fn lock_state(conn: &mut Conn, workspace_id: i32) -> Result<State> {
    dialect::lock_for_writing(conn)?;
    let updated = diesel::update(count_states::table.find(workspace_id))
        .set(count_states::revision.eq(count_states::revision + 1))
        .returning((count_states::revision, count_states::compacted_seq, count_states::unbuilt_from))
        .get_result(conn)
        .optional()?;
    if let Some(state) = updated {
        return Ok(state);
    }
    diesel::insert_into(count_states::table)
        .values((
            count_states::workspace_id.eq(workspace_id),
            count_states::revision.eq(1),
            count_states::compacted_seq.eq(0),
            count_states::unbuilt_from.eq(None::<Timestamp>),
        ))
        .execute(conn)?;
    Ok(State { revision: 1, ..State::default() })
}

/// As [`lock_state`], with a revision that no row ever had, even if the state was lost and created again.
///
/// # Errors
/// As [`lock_state`].
pub fn lock_state_anew(conn: &mut Conn, workspace_id: i32) -> Result<State> {
    let state = lock_state(conn, workspace_id)?;
    // Far greater than any revision that was increased by one at a time.
    let state = State { revision: state.revision.max(Timestamp::now().micros()), ..state };
    set_state(conn, workspace_id, state)?;
    Ok(state)
}

/// Writes the state. The caller has locked it.
///
/// # Errors
/// The database's.
pub fn set_state(conn: &mut Conn, workspace_id: i32, state: State) -> Result<()> {
    let State { revision, compacted_seq, unbuilt_from } = state;
    diesel::update(count_states::table.find(workspace_id))
        .set((
            count_states::revision.eq(revision),
            count_states::compacted_seq.eq(compacted_seq),
            count_states::unbuilt_from.eq(unbuilt_from),
        ))
        .execute(conn)?;
    Ok(())
}

/// One log's rollups of one grain.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub workspace_id: i32,
    pub log: Log,
    pub grain: Grain,
}

impl Rows {
    fn place(self, bucket: i32) -> Place {
        let Self { workspace_id, log, grain } = self;
        Place { workspace_id, log: log.number(), grain: grain.number(), bucket, projection: None }
    }

    fn projected_place(self, bucket: i32, projection: &Projection<'_>) -> Place {
        Place { projection: Some(projection.id()), ..self.place(bucket) }
    }

    /// The rows of `first..=last` that `wanted` accepts, by bucket. Reads only rows that are not cached in their
    /// current revision.
    ///
    /// # Errors
    /// The database's, damaged bytes, or the budget's.
    pub fn load(
        self,
        conn: &mut Conn,
        cache: &CountsCache,
        (first, last): (i32, i32),
        wanted: impl Fn(i32) -> bool,
        budget: &mut Budget,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut missing = Vec::new();
        for Stored { bucket, revision, bytes } in self.stored(conn, (first, last))? {
            if wanted(bucket) {
                budget.take(bytes)?;
                match cache.get(&self.place(bucket), revision) {
                    Some(packed) => rows.push(Row { bucket, revision, packed }),
                    None => missing.push((bucket, bytes)),
                }
            }
        }
        for missing in pieces(&missing) {
            for (bucket, revision, cells) in self.read(conn, &missing)? {
                budget.check()?;
                let packed = Arc::new(PackedCells::parse(cells).ok_or_else(damaged)?);
                cache.insert(self.place(bucket), revision, packed.clone());
                rows.push(Row { bucket, revision, packed });
            }
        }
        rows.sort_unstable_by_key(|row| row.bucket);
        Ok(rows)
    }

    /// A row's projection, if it is cached.
    pub fn known_projection(
        self,
        cache: &CountsCache,
        row: &Row,
        projection: &Projection<'_>,
    ) -> Option<Arc<PackedCells>> {
        cache.get(&self.projected_place(row.bucket, projection), row.revision)
    }

    /// A row's projection, which is cached from now on.
    pub fn projected(self, cache: &CountsCache, row: &Row, projection: &Projection<'_>) -> Arc<PackedCells> {
        self.known_projection(cache, row, projection).unwrap_or_else(|| {
            let projected = Arc::new(projection.of(&row.packed));
            let place = self.projected_place(row.bucket, projection);
            cache.insert(place, row.revision, projected.clone());
            projected
        })
    }

    /// As [`Rows::load`], projected.
    ///
    /// # Errors
    /// As [`Rows::load`].
    pub fn load_projected(
        self,
        conn: &mut Conn,
        cache: &CountsCache,
        (first, last): (i32, i32),
        wanted: impl Fn(i32) -> bool,
        projection: &Projection<'_>,
        budget: &mut Budget,
    ) -> Result<Vec<(i32, Arc<PackedCells>)>> {
        let mut rows = Vec::new();
        let mut missing = Vec::new();
        for Stored { bucket, revision, bytes } in self.stored(conn, (first, last))? {
            if wanted(bucket) {
                match cache.get(&self.projected_place(bucket, projection), revision) {
                    Some(packed) => rows.push((bucket, packed)),
                    None => missing.push((bucket, bytes)),
                }
            }
        }
        // A piece at a time: what is projected is no longer needed.
        for missing in pieces(&missing) {
            let (Some(first), Some(last)) = (missing.first(), missing.last()) else { continue };
            let is_missing = |bucket| missing.binary_search(&bucket).is_ok();
            let mut piece = budget.of_a_piece();
            for row in self.load(conn, cache, (*first, *last), is_missing, &mut piece)? {
                let projected = self.projected(cache, &row, projection);
                budget.take(projected.weight())?;
                rows.push((row.bucket, projected));
            }
        }
        rows.sort_unstable_by_key(|(bucket, _)| *bucket);
        Ok(rows)
    }

    fn stored(self, conn: &mut Conn, (first, last): (i32, i32)) -> Result<Vec<Stored>> {
        let rows: Vec<(i32, i64, i32)> = event_counts::table
            .filter(event_counts::workspace_id.eq(self.workspace_id))
            .filter(event_counts::log.eq(self.log.number()))
            .filter(event_counts::grain.eq(self.grain.number()))
            .filter(event_counts::bucket.between(first, last))
            .order(event_counts::bucket.asc())
            .select((event_counts::bucket, event_counts::revision, length(event_counts::cells)))
            .load(conn)?;
        let stored = |(bucket, revision, bytes): (i32, i64, i32)| Stored {
            bucket,
            revision,
            bytes: usize::try_from(bytes).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// `missing` is in order.
    fn read(self, conn: &mut Conn, missing: &[i32]) -> Result<Vec<(i32, i64, Vec<u8>)>> {
        let (Some(first), Some(last)) = (missing.first(), missing.last()) else { return Ok(Vec::new()) };
        let rows = event_counts::table
            .filter(event_counts::workspace_id.eq(self.workspace_id))
            .filter(event_counts::log.eq(self.log.number()))
            .filter(event_counts::grain.eq(self.grain.number()));
        let columns = (event_counts::bucket, event_counts::revision, event_counts::cells);
        // The statement's text should not depend on the number of rows. Reading a few too many costs less than listing
        // them.
        let span = i64::from(*last) - i64::from(*first) + 1;
        if span <= missing.len() as i64 * 2 {
            let rows = rows.filter(event_counts::bucket.between(first, last)).select(columns).load(conn)?;
            return Ok(rows);
        }
        Ok(rows.filter(event_counts::bucket.eq_any(missing)).select(columns).load(conn)?)
    }

    /// A builder on top of the stored row, or an empty one.
    ///
    /// # Errors
    /// The database's, or damaged bytes.
    pub fn draft(self, conn: &mut Conn, bucket: i32) -> Result<CellsBuilder> {
        let key = (self.workspace_id, self.log.number(), self.grain.number(), bucket);
        let cells: Option<Vec<u8>> =
            event_counts::table.find(key).select(event_counts::cells).first(conn).optional()?;
        match cells {
            Some(cells) => Ok(CellsBuilder::over(PackedCells::parse(cells).ok_or_else(damaged)?)),
            None => Ok(CellsBuilder::default()),
        }
    }

    /// Replaces the row, or deletes it when `draft` is empty. The caller has locked the state.
    ///
    /// # Errors
    /// The database's.
    pub fn write(self, conn: &mut Conn, bucket: i32, revision: i64, draft: &CellsBuilder) -> Result<()> {
        let row =
            event_counts::table.find((self.workspace_id, self.log.number(), self.grain.number(), bucket));
        if draft.is_empty() {
            diesel::delete(row).execute(conn)?;
            return Ok(());
        }
        let cells = draft.pack();
        let updated = diesel::update(row)
            .set((event_counts::revision.eq(revision), event_counts::cells.eq(&cells)))
            .execute(conn)?;
        if updated == 0 {
            diesel::insert_into(event_counts::table)
                .values((
                    event_counts::workspace_id.eq(self.workspace_id),
                    event_counts::log.eq(self.log.number()),
                    event_counts::grain.eq(self.grain.number()),
                    event_counts::bucket.eq(bucket),
                    event_counts::revision.eq(revision),
                    event_counts::cells.eq(&cells),
                ))
                .execute(conn)?;
        }
        Ok(())
    }
}

/// A row that was read.
pub struct Row {
    pub bucket: i32,
    revision: i64,
    pub packed: Arc<PackedCells>,
}

/// A row that was not read yet.
struct Stored {
    bucket: i32,
    revision: i64,
    bytes: usize,
}

diesel::define_sql_function! {
    /// The number of bytes; neither database reads them for it.
    fn length(bytes: diesel::sql_types::Binary) -> diesel::sql_types::Integer;
}

/// Divides rows into pieces that one statement reads.
fn pieces(missing: &[(i32, usize)]) -> Vec<Vec<i32>> {
    const PIECE_BYTES: usize = 4 * 1024 * 1024;
    let mut pieces: Vec<Vec<i32>> = Vec::new();
    let mut filled = 0;
    for (bucket, bytes) in missing {
        if pieces.is_empty() || filled + bytes > PIECE_BYTES {
            pieces.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        pieces.last_mut().into_iter().for_each(|piece| piece.push(*bucket));
    }
    pieces
}

/// Every row of a month, of all logs, as it is stored.
///
/// # Errors
/// The database's.
pub fn of_month(
    conn: &mut Conn,
    workspace_id: i32,
    buckets: [(Grain, (i32, i32)); 2],
) -> Result<BTreeMap<(Log, Grain, i32), Vec<u8>>> {
    let mut found = BTreeMap::new();
    for (grain, (first, last)) in buckets {
        let rows: Vec<(i16, i32, Vec<u8>)> = event_counts::table
            .filter(event_counts::workspace_id.eq(workspace_id))
            .filter(event_counts::grain.eq(grain.number()))
            .filter(event_counts::bucket.between(first, last))
            .select((event_counts::log, event_counts::bucket, event_counts::cells))
            .load(conn)?;
        for (log, bucket, cells) in rows {
            found.insert((Log::from_number(log)?, grain, bucket), cells);
        }
    }
    Ok(found)
}
