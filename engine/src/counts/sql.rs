//! Counts by SQL, which reads every event that it counts: for the ends of a range inside a quarter hour, for what is in
//! no rollup yet, and for building and checking rollups.

use diesel::{dsl::count_star, prelude::*};

use super::{
    calendar,
    keys::Registry,
    packed::{CellsBuilder, Key},
};
use crate::{
    db::{
        Conn,
        dialect::{AtMost, QuarterHour},
        schema::events,
        timestamp::Timestamp,
    },
    error::{Error, Result},
    event::{Log, Outcome},
};

type Dimensions = (String, i16, Option<String>, Option<String>, String);

fn key((action, outcome, role, target_type, source): &Dimensions) -> Result<Key<'_>> {
    Ok(Key {
        action,
        outcome: Outcome::from_number(*outcome)?,
        role: role.as_deref(),
        target_type: target_type.as_deref(),
        source,
    })
}

/// Most cells that a reader counts by SQL.
const MOST_CELLS: usize = 50_000;

type Counted = Vec<(i64, Dimensions, i64)>;

/// The cells, by quarter hour, of a log's events with `from <= occurred_at < to`, under their own values.
///
/// # Errors
/// [`Error::NeedsScan`] when these are too many; the database's.
pub fn count(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    range: (Timestamp, Timestamp),
) -> Result<CellsBuilder> {
    let rows = grouped(conn, workspace_id, log, range, i64::MAX, MOST_CELLS + 1)?;
    if rows.len() > MOST_CELLS {
        return Err(Error::NeedsScan);
    }
    let mut draft = CellsBuilder::default();
    for (quarter, dimensions, events) in &rows {
        draft.add(*quarter, key(dimensions)?, events.unsigned_abs());
    }
    Ok(draft)
}

/// As [`count`], of the events up to a seq, and as they count in rollups.
///
/// # Errors
/// The database's.
pub fn recount(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    range: (Timestamp, Timestamp),
    last: i64,
    registry: &mut Registry,
) -> Result<CellsBuilder> {
    let mut draft = CellsBuilder::default();
    for (quarter, dimensions, events) in &grouped(conn, workspace_id, log, range, last, i64::MAX as usize)? {
        draft.add(*quarter, registry.counted(key(dimensions)?), events.unsigned_abs());
    }
    Ok(draft)
}

fn grouped(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    (from, to): (Timestamp, Timestamp),
    last: i64,
    most: usize,
) -> Result<Counted> {
    let dimensions = (events::action, events::outcome, events::role, events::target_type, events::source);
    let quarter = QuarterHour(events::occurred_at);
    let rows = events::table
        .filter(events::workspace_id.eq(workspace_id))
        .filter(events::log.eq(log.number()))
        .filter(events::occurred_at.ge(from))
        .filter(events::occurred_at.lt(to))
        .filter(events::seq.le(last))
        .group_by((
            quarter,
            events::action,
            events::outcome,
            events::role,
            events::target_type,
            events::source,
        ))
        .select((quarter, dimensions, count_star()));
    Ok(AtMost::new(rows, most).load(conn)?)
}

/// Passes every key of a log's events up to a seq to `show`, in the order of their first events; a key may come again.
///
/// # Errors
/// The database's.
pub fn keys(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    last: i64,
    mut show: impl FnMut(Key<'_>),
) -> Result<()> {
    /// A statement of a few seconds at most.
    const STEP: i64 = 1_000_000;
    let mut after = 0;
    while after < last {
        let end = last.min(after + STEP);
        let rows: Vec<Dimensions> = events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::log.eq(log.number()))
            .filter(events::seq.gt(after))
            .filter(events::seq.le(end))
            .group_by((events::action, events::outcome, events::role, events::target_type, events::source))
            .order(diesel::dsl::min(events::seq))
            .select((events::action, events::outcome, events::role, events::target_type, events::source))
            .load(conn)?;
        for dimensions in &rows {
            show(key(dimensions)?);
        }
        after = end;
    }
    Ok(())
}

/// Passes all events with `after < seq <= last` to `show`, by seq: seq, log, quarter hour and key.
///
/// # Errors
/// The database's, or what `show` returns.
pub fn visit(
    conn: &mut Conn,
    workspace_id: i32,
    mut after: i64,
    last: i64,
    mut show: impl FnMut(i64, Log, i64, Key<'_>) -> Result<()>,
) -> Result<()> {
    const STEP: usize = 10_000;
    while after < last {
        let rows: Vec<(i64, i16, Timestamp, Dimensions)> = events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::seq.gt(after))
            .filter(events::seq.le(last))
            .order(events::seq.asc())
            .limit(STEP as i64)
            .select((
                events::seq,
                events::log,
                events::occurred_at,
                (events::action, events::outcome, events::role, events::target_type, events::source),
            ))
            .load(conn)?;
        for (seq, log, occurred_at, dimensions) in &rows {
            show(*seq, Log::from_number(*log)?, calendar::quarter_of(*occurred_at), key(dimensions)?)?;
            after = *seq;
        }
        if rows.len() < STEP {
            break;
        }
    }
    Ok(())
}

/// The time of the first event at or after `from`, of any log.
///
/// # Errors
/// The database's.
pub fn next_event(conn: &mut Conn, workspace_id: i32, from: Timestamp) -> Result<Option<Timestamp>> {
    let mut first: Option<Timestamp> = None;
    for log in Log::ALL {
        let found = events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::log.eq(log.number()))
            .filter(events::occurred_at.ge(from))
            .order((events::occurred_at.asc(), events::seq.asc()))
            .select(events::occurred_at)
            .first(conn)
            .optional()?;
        first = first.into_iter().chain(found).min();
    }
    Ok(first)
}
