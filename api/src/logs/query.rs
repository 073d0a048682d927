//! Reading events: a page in screen order, one by its id, the feed by seq.
//!
//! Two orders that never mix. Screens sort by `(occurred_at, seq)`: a late event appears in its proper place. The feed
//! sorts by `seq`, which is given in commit order: a late event appears at the end, so a puller that remembers the last
//! seq misses nothing.
//!
//! ```text
//! seq         1     2     3     4          occurred_at   10:00  10:01  10:02  10:03
//! feed        a     b     c     d          screen        a      d      b      c
//!                               └ d happened at 10:01 and came last
//! ```

use std::ops::ControlFlow;

use diesel::prelude::*;

use crate::{
    db::{Backend, Conn, rows::EventRow, schema::events},
    error::Result,
    logs::{
        event::{Event, Log},
        event_id::EventId,
        filter::Filter,
    },
    page::{Order, Position},
};

/// Events of one page, and whether there are more.
pub struct Found {
    pub events: Vec<Event>,
    pub has_more: bool,
}

/// Rows that one look at the database brings at most.
const LARGEST_STEP: usize = 2000;

/// A page after a position.
pub fn list(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    after: Option<Position>,
    limit: usize,
) -> Result<Found> {
    let mut events = Vec::new();
    scan(conn, filter, order, after, limit + 1, &mut |event| {
        events.push(event);
        if events.len() > limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let has_more = events.len() > limit;
    events.truncate(limit);
    Ok(Found { events, has_more })
}

/// Shows every event that the filter means, in order, until `show` has seen enough. `expected` is how many it may take.
/// Returns the number of rows that were looked at.
pub fn scan(
    conn: &mut Conn,
    filter: &Filter,
    order: Order,
    mut after: Option<Position>,
    expected: usize,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<usize> {
    let mut step = expected.clamp(1, LARGEST_STEP);
    let mut looked_at = 0;
    loop {
        let rows = step_query(filter, order, after, step).load::<EventRow>(conn)?;
        looked_at += rows.len();
        let last_step = rows.len() < step;
        for row in rows {
            let event = Event::from(row);
            after = Some(Position { occurred_at: event.occurred_at, seq: event.seq });
            if filter.matches_content(&event) && show(event).is_break() {
                return Ok(looked_at);
            }
        }
        if last_step {
            return Ok(looked_at);
        }
        // What does not match costs a look: take larger steps.
        step = (step * 4).min(LARGEST_STEP);
    }
}

type StepQuery<'a> =
    diesel::dsl::Select<events::BoxedQuery<'a, Backend>, diesel::dsl::AsSelect<EventRow, Backend>>;

fn step_query(filter: &Filter, order: Order, after: Option<Position>, step: usize) -> StepQuery<'_> {
    let mut query = events::table.filter(filter.condition()).into_boxed();
    // The first comparison is implied by the second; it lets the index start at the position.
    if let Some(Position { occurred_at, seq }) = after {
        query = match order {
            Order::Asc => query.filter(events::occurred_at.ge(occurred_at)).filter(
                events::occurred_at
                    .gt(occurred_at)
                    .or(events::occurred_at.eq(occurred_at).and(events::seq.gt(seq))),
            ),
            Order::Desc => query.filter(events::occurred_at.le(occurred_at)).filter(
                events::occurred_at
                    .lt(occurred_at)
                    .or(events::occurred_at.eq(occurred_at).and(events::seq.lt(seq))),
            ),
        };
    }
    query = match order {
        Order::Asc => query.order((events::occurred_at.asc(), events::seq.asc())),
        Order::Desc => query.order((events::occurred_at.desc(), events::seq.desc())),
    };
    query.limit(step as i64).select(EventRow::as_select())
}

/// One event of a log by its public id. None when the workspace or the log has no such event.
pub fn get(conn: &mut Conn, workspace_id: i32, log: Log, id: EventId) -> Result<Option<Event>> {
    if id.workspace_id != workspace_id {
        return Ok(None);
    }
    let row = events::table
        .find((workspace_id, id.seq))
        .filter(events::log.eq(log.number()))
        .select(EventRow::as_select())
        .first::<EventRow>(conn)
        .optional()?;
    // The time is part of the id: a right seq with a wrong time is no id that we gave out.
    Ok(row.map(Event::from).filter(|event| event.id() == id))
}

/// All three logs in commit order, after a seq.
pub fn feed(conn: &mut Conn, workspace_id: i32, after: i64, limit: usize) -> Result<Found> {
    let rows = events::table
        .filter(events::workspace_id.eq(workspace_id))
        .filter(events::seq.gt(after))
        .order(events::seq.asc())
        .limit(limit as i64 + 1)
        .select(EventRow::as_select())
        .load::<EventRow>(conn)?;
    let has_more = rows.len() > limit;
    Ok(Found { events: rows.into_iter().take(limit).map(Event::from).collect(), has_more })
}
