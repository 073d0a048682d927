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

use std::{ops::ControlFlow, time::Duration};

use diesel::prelude::*;

use crate::{
    db::{Backend, Conn, dialect::AtMost, rows::EventRow, schema::events},
    error::Result,
    logs::{
        event::{Event, Log},
        event_id::EventId,
        filter::{Filter, Way},
        index::{Index, walk},
    },
    page::{Order, Position},
};

/// Events of one page, and where the next one begins.
pub struct Found {
    pub events: Vec<Event>,
    /// None on the last page.
    pub next: Option<Position>,
}

/// Rows that one look at the database brings: one of these. The number stands in the statement's text, so there are few.
const STEPS: [usize; 7] = [1, 2, 11, 26, 51, 101, 251];
/// …and at most.
const LARGEST_STEP: usize = 500;
/// How long one request may look for what it wants.
const PATIENCE: Duration = Duration::from_secs(5);
/// A page ends early when its events have so many bytes of text.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Why a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// Every row was looked at.
    All,
    /// Whoever looked had seen enough.
    Enough,
    /// It took too long; everything up to this row was looked at.
    Until(Position),
}

/// A page that is being filled.
struct Filling {
    events: Vec<Event>,
    bytes: usize,
    limit: usize,
}

impl Filling {
    fn new(limit: usize) -> Self {
        Self { events: Vec::new(), bytes: 0, limit }
    }

    /// Breaks on the first event that does not fit: then there are more.
    fn take(&mut self, event: Event) -> ControlFlow<()> {
        if self.events.len() == self.limit || self.bytes >= PAGE_BYTES {
            return ControlFlow::Break(());
        }
        self.bytes += event.bytes();
        self.events.push(event);
        ControlFlow::Continue(())
    }
}

/// A page after a position. It may have fewer events than asked for, even none, and still not be the last: when it took
/// too long to find them, or when they are large.
pub fn list(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    limit: usize,
) -> Result<Found> {
    let mut page = Filling::new(limit);
    let scanned = scan(conn, index, filter, (order, after), limit + 1, &mut |event| page.take(event))?;
    let Filling { events, .. } = page;
    let next = match scanned {
        Scanned::All => None,
        Scanned::Enough => events.last().map(Event::position),
        Scanned::Until(position) => Some(position),
    };
    Ok(Found { events, next })
}

/// Shows every event that the filter means, in order, until `show` has seen enough or time is up. `expected` is how
/// many it may take. What is found by several statements is of one moment only inside of a snapshot.
pub fn scan(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    expected: usize,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    match filter.way() {
        Way::Key | Way::Order => scan_in_order(conn, filter, (order, after), expected, show),
        Way::Index => walk::scan(conn, index, filter, (order, after), expected, PATIENCE, show),
    }
}

/// The database brings the rows in their order, and few that are not meant.
fn scan_in_order(
    conn: &mut Conn,
    filter: &Filter,
    (order, mut after): (Order, Option<Position>),
    expected: usize,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    let mut step = step_of(expected);
    loop {
        let rows = AtMost::new(in_order(filter, order, after), step).load::<EventRow>(conn)?;
        let last_step = rows.len() < step;
        for row in rows {
            let event = Event::from(row);
            after = Some(event.position());
            // SQL has decided most of it; what the filter means is what `matches` says.
            if filter.matches(&event) && show(event).is_break() {
                return Ok(Scanned::Enough);
            }
        }
        if last_step {
            return Ok(Scanned::All);
        }
        step = (step * 4).min(LARGEST_STEP);
    }
}

/// The step that brings so many rows, if any does.
pub fn step_of(rows: usize) -> usize {
    STEPS.into_iter().find(|step| *step >= rows).unwrap_or(LARGEST_STEP)
}

pub type OrderedQuery<'a> =
    diesel::dsl::Select<events::BoxedQuery<'a, Backend>, diesel::dsl::AsSelect<EventRow, Backend>>;

/// Rows in the order of a screen, decided by SQL as far as it can.
pub fn in_order(filter: &Filter, order: Order, after: Option<Position>) -> OrderedQuery<'_> {
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
    query.select(EventRow::as_select())
}

/// One event of a log by its public id. None when the workspace or the log has no such event.
pub fn get(conn: &mut Conn, workspace_id: i32, log: Log, id: EventId) -> Result<Option<Event>> {
    if id.workspace_id != workspace_id {
        return Ok(None);
    }
    let (first, last) = id.times();
    let row = events::table
        .find((workspace_id, id.seq))
        .filter(events::occurred_at.between(first, last))
        .filter(events::log.eq(log.number()))
        .select(EventRow::as_select())
        .first::<EventRow>(conn)
        .optional()?;
    // The time is part of the id: a right seq with a wrong time is no id that we gave out.
    Ok(row.map(Event::from).filter(|event| event.id() == id))
}

/// All three logs in commit order, after a seq, and whether there are more.
pub fn feed(conn: &mut Conn, workspace_id: i32, after: i64, limit: usize) -> Result<(Vec<Event>, bool)> {
    let mut page = Filling::new(limit);
    loop {
        let after = page.events.last().map_or(after, |event| event.seq);
        let step = step_of(limit + 1 - page.events.len());
        let rows = AtMost::new(feed_query(workspace_id, after), step).load::<EventRow>(conn)?;
        let last_step = rows.len() < step;
        for row in rows {
            if page.take(Event::from(row)).is_break() {
                return Ok((page.events, true));
            }
        }
        if last_step {
            return Ok((page.events, false));
        }
    }
}

fn feed_query(workspace_id: i32, after: i64) -> OrderedQuery<'static> {
    events::table
        .filter(events::workspace_id.eq(workspace_id))
        .filter(events::seq.gt(after))
        .into_boxed()
        .order(events::seq.asc())
        .select(EventRow::as_select())
}
