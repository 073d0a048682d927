//! Compaction: adds the appender's deltas to the rollups.
//!
//! One transaction takes deltas in order of seq, adds their cells to the rows they touch and deletes them, so a reader
//! sees each event counted once at any time. Compaction locks the workspace's state first; the appender never waits for
//! it.

use std::collections::{BTreeMap, HashSet};

use diesel::{
    dsl::{count_star, min, sum},
    prelude::*,
    result::DatabaseErrorKind,
};

use super::{
    build,
    calendar::{self, DAY_QUARTERS},
    damaged, delta,
    packed::{CellsBuilder, PackedCells},
    rows::{self, Grain, Rows},
};
use crate::{
    db::{
        self, Conn,
        schema::{count_deltas, count_states},
        timestamp::Timestamp,
    },
    error::{Error, Result},
    event::Log,
};

/// Compaction rewrites a day's row and a month's row, some tens of kilobytes, so it waits until there is enough to
/// compact …
const DUE_ROWS: i64 = 500;
const DUE_CELLS: i64 = 20_000;
/// … but not forever: each reader adds up the deltas.
const DUE_SECONDS: i64 = 600;
/// What one transaction compacts at most. The first delta is compacted however large it is.
const MOST_ROWS: i64 = 1000;
const MOST_CELLS: i64 = 50_000;
/// Days, each of which is a row to be rewritten.
const MOST_DAYS: usize = 1000;

/// Workspaces with deltas to compact or rollups to build, in order.
///
/// # Errors
/// The database's.
pub fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<i32>> {
    let waiting: Vec<(i32, i64, Option<i64>, Option<Timestamp>)> = count_deltas::table
        .group_by(count_deltas::workspace_id)
        .select((
            count_deltas::workspace_id,
            count_star(),
            sum(count_deltas::cell_count),
            min(count_deltas::received_at),
        ))
        .load(conn)?;
    let is_due = |rows: i64, cells: Option<i64>, oldest: Option<Timestamp>| {
        rows > DUE_ROWS
            || cells.is_some_and(|cells| cells > DUE_CELLS)
            || oldest.is_some_and(|oldest| oldest <= now.plus_seconds(-DUE_SECONDS))
    };
    let compaction = waiting.into_iter().filter(|(_, rows, cells, oldest)| is_due(*rows, *cells, *oldest));
    let mut due: Vec<i32> = compaction.map(|(workspace_id, ..)| workspace_id).collect();
    let unbuilt = count_states::table
        .filter(count_states::unbuilt_from.is_not_null())
        .select(count_states::workspace_id)
        .load::<i32>(conn)?;
    due.extend(unbuilt);
    due.sort_unstable();
    due.dedup();
    Ok(due)
}

/// Does a bounded part of a workspace's building or compaction, due or not. True when there is more.
///
/// # Errors
/// The database's, or damaged bytes.
pub fn compact(conn: &mut Conn, workspace_id: i32) -> Result<bool> {
    let compacted = if rows::state(conn, workspace_id)?.unbuilt_from.is_some() {
        build::advance(conn, workspace_id)
    } else {
        conn.transaction(|conn| compact_some(conn, workspace_id))
    };
    match compacted {
        // Two processes created the workspace's state at the same time.
        Err(Error::Database(db::Error::Query(diesel::result::Error::DatabaseError(
            DatabaseErrorKind::UniqueViolation,
            _,
        )))) => Ok(true),
        compacted => compacted,
    }
}

/// Compacts until no deltas are left.
///
/// # Errors
/// As [`compact`].
pub fn compact_all(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    while compact(conn, workspace_id)? {}
    Ok(())
}

fn compact_some(conn: &mut Conn, workspace_id: i32) -> Result<bool> {
    let state = rows::lock_state(conn, workspace_id)?;
    if state.unbuilt_from.is_some() {
        return Ok(true);
    }
    let own = count_deltas::table.filter(count_deltas::workspace_id.eq(workspace_id));
    let sizes: Vec<(i64, i32)> = own
        .order(count_deltas::seq.asc())
        .limit(MOST_ROWS)
        .select((count_deltas::seq, count_deltas::cell_count))
        .load(conn)?;
    let mut cells = 0;
    let taken = sizes.iter().enumerate().take_while(|(place, (_, count))| {
        cells += i64::from(*count);
        *place == 0 || cells <= MOST_CELLS
    });
    let Some((last_place, (last, _))) = taken.last() else { return Ok(false) };
    let (mut last, mut more) = (*last, last_place + 1 < sizes.len() || sizes.len() as i64 == MOST_ROWS);

    let deltas: Vec<(i64, Vec<u8>)> = own
        .filter(count_deltas::seq.le(last))
        .order(count_deltas::seq.asc())
        .select((count_deltas::seq, count_deltas::cells))
        .load(conn)?;
    let mut drafts: BTreeMap<i16, CellsBuilder> = BTreeMap::new();
    let mut days = HashSet::new();
    let mut before = None;
    for (seq, bytes) in deltas {
        let cells = delta::parse(&bytes, None)?;
        let touched = cells
            .iter()
            .flat_map(|(log, packed)| packed.slots().iter().map(|slot| (*log, calendar::day_of(slot.at))));
        days.extend(touched);
        if let Some(before) = before.filter(|_| days.len() > MOST_DAYS) {
            (last, more) = (before, true);
            break;
        }
        before = Some(seq);
        for (log, packed) in cells {
            drafts.entry(log).or_default().add_all(&packed, packed.slots(), |slot| slot);
        }
    }
    for (log, draft) in drafts {
        let log = Log::from_number(log)?;
        let added = PackedCells::parse(draft.pack()).ok_or_else(damaged)?;
        add(conn, (workspace_id, log, state.revision), &added)?;
    }
    diesel::delete(own.filter(count_deltas::seq.le(last))).execute(conn)?;
    rows::set_state(conn, workspace_id, rows::State { compacted_seq: last, ..state })?;
    Ok(more)
}

/// Adds cells of quarter hours to the rollups of their days and months.
fn add(conn: &mut Conn, (workspace_id, log, revision): (i32, Log, i64), added: &PackedCells) -> Result<()> {
    for slots in added.slots().chunk_by(|a, b| calendar::day_of(a.at) == calendar::day_of(b.at)) {
        let rollups = Rows { workspace_id, log, grain: Grain::Day };
        let day = calendar::bucket(calendar::day_of(slots[0].at))?;
        let mut draft = rollups.draft(conn, day)?;
        draft.add_all(added, slots, |quarter| quarter);
        rollups.write(conn, day, revision, &draft)?;
    }
    let month_of = |quarter: i64| calendar::month_of(quarter.div_euclid(DAY_QUARTERS));
    for slots in added.slots().chunk_by(|a, b| month_of(a.at) == month_of(b.at)) {
        let rollups = Rows { workspace_id, log, grain: Grain::Month };
        let month = month_of(slots[0].at);
        let mut draft = rollups.draft(conn, month)?;
        draft.add_all(added, slots, calendar::day_of);
        rollups.write(conn, month, revision, &draft)?;
    }
    Ok(())
}
