//! Counting by SQL, which looks at every event that it counts: the ends of a range inside of a quarter hour, what is not
//! packed yet, and what packed rows are made of and checked against.

use std::collections::BTreeMap;

use diesel::{dsl::count_star, prelude::*};

use super::{
    grid,
    packed::{Draft, Key},
};
use crate::{
    db::{self, Conn, dialect::QuarterHour, schema::events, types::Instant},
    logs::event::{Log, Outcome},
};

type Dimensions = (String, i16, Option<String>, Option<String>);

fn key((action, outcome, role, target_type): &Dimensions) -> Key<'_> {
    Key {
        action,
        outcome: Outcome::from_number(*outcome),
        role: role.as_deref(),
        target_type: target_type.as_deref(),
    }
}

/// The cells, by quarter hour, of a log's events with `from <= occurred_at < to` and `seq <= last`.
///
/// # Errors
/// The database's.
pub fn count(
    conn: &mut Conn,
    workspace_id: i32,
    log: Log,
    (from, to): (Instant, Instant),
    last: i64,
) -> db::Result<Draft> {
    let dimensions = (events::action, events::outcome, events::role, events::target_type);
    let quarter = QuarterHour(events::occurred_at);
    let rows: Vec<(i64, Dimensions, i64)> = events::table
        .filter(events::workspace_id.eq(workspace_id))
        .filter(events::log.eq(log.number()))
        .filter(events::occurred_at.ge(from))
        .filter(events::occurred_at.lt(to))
        .filter(events::seq.le(last))
        .group_by((quarter, events::action, events::outcome, events::role, events::target_type))
        .select((quarter, dimensions, count_star()))
        .load(conn)?;
    let mut draft = Draft::default();
    for (quarter, dimensions, events) in &rows {
        draft.add(*quarter, key(dimensions), events.unsigned_abs());
    }
    Ok(draft)
}

/// The cells, by log and quarter hour, of all events with `after < seq <= last`, and how many events there are.
///
/// # Errors
/// The database's.
pub fn count_after(
    conn: &mut Conn,
    workspace_id: i32,
    mut after: i64,
    last: i64,
) -> db::Result<(BTreeMap<i16, Draft>, usize)> {
    const STEP: usize = 10_000;
    let mut drafts: BTreeMap<i16, Draft> = BTreeMap::new();
    let mut count = 0;
    loop {
        let rows: Vec<(i64, i16, Instant, Dimensions)> = events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::seq.gt(after))
            .filter(events::seq.le(last))
            .order(events::seq.asc())
            .limit(STEP as i64)
            .select((
                events::seq,
                events::log,
                events::occurred_at,
                (events::action, events::outcome, events::role, events::target_type),
            ))
            .load(conn)?;
        for (seq, log, occurred_at, dimensions) in &rows {
            drafts.entry(*log).or_default().add(grid::quarter_of(*occurred_at), key(dimensions), 1);
            after = *seq;
        }
        count += rows.len();
        if rows.len() < STEP {
            return Ok((drafts, count));
        }
    }
}

/// When the first event at or after a moment happened, of any log.
///
/// # Errors
/// The database's.
pub fn next_event(conn: &mut Conn, workspace_id: i32, from: Instant) -> db::Result<Option<Instant>> {
    let mut first: Option<Instant> = None;
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
