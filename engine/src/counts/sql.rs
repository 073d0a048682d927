//! Counts by SQL, which reads every event that it counts: for the ends of a range inside a quarter hour, for what is in
//! no rollup yet, and for building and checking rollups.

use diesel::{dsl::count_star, prelude::*};

use super::{
    calendar,
    packed::{CellsBuilder, Key},
};
use crate::{
    db::{Conn, dialect::QuarterHour, schema::events, timestamp::Timestamp},
    error::Result,
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

/// The cells, by quarter hour, of a log's events with `from <= occurred_at < to` and `seq <= last`.
///
/// # Errors
/// The database's.
pub fn count(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    (from, to): (Timestamp, Timestamp),
    last: i64,
) -> Result<CellsBuilder> {
    let dimensions = (events::action, events::outcome, events::role, events::target_type, events::source);
    let quarter = QuarterHour(events::occurred_at);
    let rows: Vec<(i64, Dimensions, i64)> = events::table
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
        .select((quarter, dimensions, count_star()))
        .load(conn)?;
    let mut draft = CellsBuilder::default();
    for (quarter, dimensions, events) in &rows {
        draft.add(*quarter, key(dimensions)?, events.unsigned_abs());
    }
    Ok(draft)
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
