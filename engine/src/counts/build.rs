//! Builds rollups from the events: for events that are older than the kept counts, and where a rollup proved wrong.
//!
//! One month at a time. It is counted outside the transaction that writes it, which would otherwise block other writers
//! on SQLite. What is counted (events up to a compacted seq) does not change meanwhile.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{
    calendar::{self, DAY_QUARTERS},
    damaged,
    keys::{self, Registry},
    packed::{CellsBuilder, PackedCells},
    rows::{self, Grain, Rows, State},
    sql,
};
use crate::{
    db::{
        self, Conn,
        schema::{count_deltas, event_counts, workspace_sequences},
    },
    error::Result,
    event::Log,
};

/// A month's rollups, counted from its events.
pub struct Month {
    pub month: i32,
    /// Each row that should exist; empty ones are left out.
    pub rows: BTreeMap<(Log, Grain, i32), CellsBuilder>,
    /// Events up to this seq are counted.
    last: i64,
}

impl Month {
    /// Counts the month's events up to a seq.
    ///
    /// # Errors
    /// The database's.
    pub fn count(conn: &mut Conn, workspace_id: i32, month: i32, last: i64) -> Result<Self> {
        let mut rows = BTreeMap::new();
        for &log in Log::ALL {
            let mut registry = Registry::load(conn, workspace_id, log)?;
            let mut whole = CellsBuilder::default();
            for day in calendar::month_start(month)..calendar::month_start(month + 1) {
                let range = (calendar::day_start(day), calendar::day_start(day + 1));
                let draft = sql::recount(conn, workspace_id, log, range, last, &mut registry)?;
                if !draft.is_empty() {
                    let packed = PackedCells::parse(draft.pack()).ok_or_else(damaged)?;
                    whole.add_all(&packed, packed.slots(), |quarter| quarter.div_euclid(DAY_QUARTERS));
                    rows.insert((log, Grain::Day, calendar::bucket(day)?), draft);
                }
            }
            if !whole.is_empty() {
                rows.insert((log, Grain::Month, month), whole);
            }
        }
        Ok(Self { month, rows, last })
    }

    /// Counts the later events too, up to a later seq.
    fn go_on(&mut self, conn: &mut Conn, workspace_id: i32, last: i64) -> Result<()> {
        let Self { month, rows, last: counted } = self;
        // What was appended since may have registered more.
        let mut registries = Registry::load_all(conn, workspace_id)?;
        let (first_day, next_month) = (calendar::month_start(*month), calendar::month_start(*month + 1));
        sql::visit(conn, workspace_id, *counted, last, |_, log, quarter, key| {
            let day = calendar::day_of(quarter);
            if (first_day..next_month).contains(&day) {
                let key = keys::counted(&mut registries, log, key);
                rows.entry((log, Grain::Day, calendar::bucket(day)?)).or_default().add(quarter, key, 1);
                rows.entry((log, Grain::Month, *month)).or_default().add(day, key, 1);
            }
            Ok(())
        })?;
        *counted = last;
        Ok(())
    }

    /// Replaces all rows of the month. The caller has locked the state.
    fn write(&self, conn: &mut Conn, workspace_id: i32, revision: i64) -> Result<()> {
        for (grain, (first, last)) in buckets(self.month)? {
            diesel::delete(
                event_counts::table
                    .filter(event_counts::workspace_id.eq(workspace_id))
                    .filter(event_counts::grain.eq(grain.number()))
                    .filter(event_counts::bucket.between(first, last)),
            )
            .execute(conn)?;
        }
        for ((log, grain, bucket), draft) in &self.rows {
            let rollups = Rows { workspace_id, log: *log, grain: *grain };
            rollups.write(conn, *bucket, revision, draft)?;
        }
        Ok(())
    }
}

/// The first and last bucket of a month, in each grain.
///
/// # Errors
/// For a month outside the range of event times.
pub fn buckets(month: i32) -> Result<[(Grain, (i32, i32)); 2]> {
    let (first, last) = (calendar::month_start(month), calendar::month_start(month + 1) - 1);
    Ok([(Grain::Day, (calendar::bucket(first)?, calendar::bucket(last)?)), (Grain::Month, (month, month))])
}

/// Builds the rollups of the next month that has none. True when there is more to do.
///
/// # Errors
/// The database's.
pub fn advance(conn: &mut Conn, workspace_id: i32) -> Result<bool> {
    let State { compacted_seq, unbuilt_from, .. } = rows::state(conn, workspace_id)?;
    let Some(unbuilt_from) = unbuilt_from else { return Ok(true) };
    if compacted_seq == 0 {
        return begin(conn, workspace_id);
    }
    let next = sql::next_event(conn, workspace_id, unbuilt_from)?;
    let month = next.map(|next| calendar::month_of(calendar::day_of(calendar::quarter_of(next))));
    let counted = month.map(|month| Month::count(conn, workspace_id, month, compacted_seq)).transpose()?;
    conn.transaction(|conn| {
        let state = rows::lock_state(conn, workspace_id)?;
        if (state.compacted_seq, state.unbuilt_from) != (compacted_seq, Some(unbuilt_from)) {
            // Another process was quicker.
            return Ok(true);
        }
        let unbuilt_from = match counted {
            Some(counted) => {
                counted.write(conn, workspace_id, state.revision)?;
                Some(calendar::day_start(calendar::month_start(counted.month + 1)))
            }
            None => None,
        };
        rows::set_state(conn, workspace_id, State { unbuilt_from, ..state })?;
        Ok(true)
    })
}

/// Fixes the seq up to which events are built; later ones are compacted.
fn begin(conn: &mut Conn, workspace_id: i32) -> Result<bool> {
    conn.transaction(|conn| {
        let state = rows::lock_state(conn, workspace_id)?;
        if state.compacted_seq == 0 && state.unbuilt_from.is_some() {
            let last: i64 = workspace_sequences::table
                .find(workspace_id)
                .select(workspace_sequences::last_seq)
                .first(conn)?;
            diesel::delete(
                count_deltas::table
                    .filter(count_deltas::workspace_id.eq(workspace_id))
                    .filter(count_deltas::seq.le(last)),
            )
            .execute(conn)?;
            rows::set_state(conn, workspace_id, State { compacted_seq: last, ..state })?;
        }
        Ok(true)
    })
}

/// Rebuilds a month's rollups from the events up to the compacted seq.
///
/// # Errors
/// The database's; `Busy` when compaction was set back meanwhile.
pub fn rebuild(conn: &mut Conn, workspace_id: i32, month: i32) -> Result<()> {
    let compacted_seq = rows::state(conn, workspace_id)?.compacted_seq;
    let mut counted = Month::count(conn, workspace_id, month, compacted_seq)?;
    // Catches up first, to leave little to the transaction, which blocks compaction.
    let compacted_seq = rows::state(conn, workspace_id)?.compacted_seq;
    counted.go_on(conn, workspace_id, compacted_seq)?;
    conn.transaction(|conn| {
        let state = rows::lock_state_anew(conn, workspace_id)?;
        if state.compacted_seq < counted.last {
            return Err(db::Error::Busy.into());
        }
        counted.go_on(conn, workspace_id, state.compacted_seq)?;
        counted.write(conn, workspace_id, state.revision)
    })
}
