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

use std::{
    ops::{ControlFlow, RangeInclusive},
    time::Duration,
};

use diesel::prelude::*;

use crate::{
    db::{
        Backend, Conn,
        copy_out::{self, Stretch},
        rows::EventRow,
        schema::{events, workspace_sequences},
        waiting,
    },
    error::Result,
    event::{Event, Log, id::EventId},
    filter::{
        AccessPath, Filter,
        rows::{Columns, LARGEST_STEP, Reading, Scanned, ordered, step_of},
    },
    index::{Index, search},
    order::{Order, Position},
};

/// Seqs that are read at a time to find missing ones, and how many stretches of them are returned.
const SEQS: i64 = 10_000;
const MOST_STRETCHES: usize = 100;

/// Events of one page, and where the next one begins.
pub struct Found {
    pub events: Vec<Event>,
    /// None on the last page.
    pub next: Option<Position>,
}

/// How long one request may scan.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// A page ends early once its events have this many bytes of text.
pub const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// Rows that one request of the feed reads before it answers with what it has.
const FEED_ROWS: usize = 10_000;

/// A page that is being filled.
struct PageBuilder {
    events: Vec<Event>,
    bytes: usize,
    limit: usize,
}

impl PageBuilder {
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

/// A page after a position. A page with fewer events than `limit`, even none, is not always the last: it also ends
/// early when finding events takes too long, or when they are large.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn list(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    limit: usize,
) -> Result<Found> {
    list_where(conn, index, filter, (order, after), limit, PATIENCE, |_| true)
}

/// As [`list`], of the events for which `keep` is true, and for at most `patience`.
///
/// # Errors
/// As [`list`].
pub fn list_where(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    limit: usize,
    patience: Duration,
    keep: impl Fn(&Event) -> bool,
) -> Result<Found> {
    let reading = Reading { expected: limit + 1, patience, columns: Columns::All };
    page(limit, keep, |show| scan(conn, index, filter, (order, after), reading, &mut |event| show(event)))
}

/// As [`list_where`], of as many events as are expected, that any of these filters matches, each once. They are of one
/// workspace, and their events are found through the index.
///
/// # Errors
/// As [`list`].
pub fn list_any(
    conn: &mut Conn,
    index: &Index,
    filters: &[&Filter],
    (order, after): (Order, Option<Position>),
    reading: Reading,
    keep: impl Fn(&Event) -> bool,
) -> Result<Found> {
    let one_more = Reading { expected: reading.expected + 1, ..reading };
    page(reading.expected, keep, |show| {
        search::scan(conn, index, filters, (order, after), one_more, &mut |event| show(event))
    })
}

/// The page of the events that `scan` shows and `keep` keeps.
fn page(
    limit: usize,
    keep: impl Fn(&Event) -> bool,
    scan: impl FnOnce(&mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<Scanned>,
) -> Result<Found> {
    let mut page = PageBuilder::new(limit);
    let scanned = scan(&mut |event| if keep(&event) { page.take(event) } else { ControlFlow::Continue(()) })?;
    let PageBuilder { events, .. } = page;
    let next = match scanned {
        Scanned::All => None,
        Scanned::Enough => events.last().map(Event::position),
        Scanned::Until(position) => Some(position),
    };
    Ok(Found { events, next })
}

/// Passes every matching event to `show`, in order, until `show` breaks or time is up. Several statements may run; they
/// see one moment only inside a snapshot.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn scan(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    reading: Reading,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    match filter.plan() {
        AccessPath::Key | AccessPath::Order => scan_in_order(conn, filter, (order, after), reading, show),
        AccessPath::Index => search::scan(conn, index, &[filter], (order, after), reading, show),
    }
}

/// Reads the rows in the order of a database index, where few of them do not match.
fn scan_in_order(
    conn: &mut Conn,
    filter: &Filter,
    (order, mut after): (Order, Option<Position>),
    Reading { expected, columns, .. }: Reading,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    if expected > LARGEST_STEP
        && columns == Columns::All
        && filter.is_of_times_only()
        && let Some(scanned) = scan_many(conn, filter, (order, after), expected, show)?
    {
        return Ok(scanned);
    }
    let columns = columns.for_filter(filter);
    let mut step = step_of(expected);
    let mut shown = 0;
    loop {
        waiting::check()?;
        let rows = columns.load(conn, ordered(filter, order, after), step)?;
        let last_step = rows.len() < step;
        let shown_before = shown;
        for row in rows {
            let event = Event::try_from(row)?;
            after = Some(event.position());
            // SQL decides only part of the filter.
            if filter.matches(&event) {
                shown += 1;
                if show(event).is_break() {
                    return Ok(Scanned::Enough);
                }
            }
        }
        if last_step {
            return Ok(Scanned::All);
        }
        // While every row matches, it is known how many are still needed.
        let all_match = shown - shown_before == step && shown < expected;
        step = if all_match { step_of(expected - shown) } else { (step * 4).min(LARGEST_STEP) };
    }
}

/// Reads many rows of a log at once, whole. To plan that takes as long as a page, so that it is worth it only for many. None where
/// the database cannot.
fn scan_many(
    conn: &mut Conn,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    rows: usize,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Option<Scanned>> {
    waiting::check()?;
    let Filter { log, since, until, .. } = *filter;
    let stretch = Stretch {
        log: log.number(),
        since,
        until,
        is_descending: order == Order::Desc,
        after: after.map(|Position { occurred_at, seq }| (occurred_at, seq)),
        rows,
    };
    let mut ended = Ok(Scanned::All);
    let mut last = after;
    let read = copy_out::events(conn, stretch, |row| match Event::try_from(row) {
        Ok(event) => {
            last = Some(event.position());
            let shown = show(event);
            if shown.is_break() {
                ended = Ok(Scanned::Enough);
            }
            shown
        }
        Err(error) => {
            ended = Err(error);
            ControlFlow::Break(())
        }
    })?;
    let Some(read) = read else { return Ok(None) };
    Ok(Some(match (ended?, last) {
        // There may be more.
        (Scanned::All, Some(last)) if read >= rows => Scanned::Until(last),
        (ended, _) => ended,
    }))
}

/// One event of a log by its public id. None when the workspace or the log has no such event.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
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
    // The time is part of the id: a known seq with another time is not an id that Logbook issued.
    Ok(row.map(Event::try_from).transpose()?.filter(|event| event.id() == id))
}

/// A part of the feed.
pub struct Fed {
    pub events: Vec<Event>,
    /// The seq up to which everything was read, also what was left out.
    pub until: i64,
    pub has_more: bool,
}

/// Events of these logs after a seq, in commit order. What belongs to other logs is passed over, at most [`FEED_ROWS`]
/// rows at once: a part with few events, even none, is not always the last.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn feed(conn: &mut Conn, workspace_id: i32, logs: &[Log], after: i64, limit: usize) -> Result<Fed> {
    feed_where(conn, workspace_id, after, limit, |event| logs.contains(&event.common.log))
}

/// As [`feed`], of the events for which `wanted` is true.
///
/// # Errors
/// As [`feed`].
pub fn feed_where(
    conn: &mut Conn,
    workspace_id: i32,
    after: i64,
    limit: usize,
    wanted: impl Fn(&Event) -> bool,
) -> Result<Fed> {
    let mut page = PageBuilder::new(limit);
    let (mut until, mut read) = (after, 0);
    let has_more = loop {
        let step = step_of(limit + 1 - page.events.len());
        waiting::check()?;
        let rows = Columns::All.load(conn, feed_query(workspace_id, until), step)?;
        let last_step = rows.len() < step;
        read += rows.len();
        let mut is_full = false;
        for row in rows {
            let event = Event::try_from(row)?;
            let seq = event.seq;
            is_full = wanted(&event) && page.take(event).is_break();
            if is_full {
                break;
            }
            until = seq;
        }
        if is_full || last_step || read >= FEED_ROWS {
            break is_full || !last_step;
        }
    };
    Ok(Fed { events: page.events, until, has_more })
}

fn feed_query(workspace_id: i32, after: i64) -> events::BoxedQuery<'static, Backend> {
    events::table
        .filter(events::workspace_id.eq(workspace_id))
        .filter(events::seq.gt(after))
        .into_boxed()
        .order(events::seq.asc())
}

/// The seq of a workspace's newest event; 0 where there is none.
///
/// # Errors
/// The database's.
pub fn last_seq(conn: &mut Conn, workspace_id: i32) -> Result<i64> {
    let row = workspace_sequences::table.find(workspace_id);
    Ok(row.select(workspace_sequences::last_seq).first(conn).optional()?.unwrap_or_default())
}

/// Seqs that a workspace should have and does not, or has twice: seqs are given without gaps, and no event is ever removed.
/// At most a hundred stretches.
///
/// # Errors
/// The database's.
pub fn missing(conn: &mut Conn, workspace_id: i32) -> Result<Vec<RangeInclusive<i64>>> {
    let last = last_seq(conn, workspace_id)?;
    let mut missing = Vec::new();
    let (mut after, mut expected) = (0, 1);
    while missing.len() < MOST_STRETCHES {
        let seqs: Vec<i64> = events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::seq.gt(after))
            .order(events::seq.asc())
            .limit(SEQS)
            .select(events::seq)
            .load(conn)?;
        let Some(newest) = seqs.last() else { break };
        after = *newest;
        for seq in seqs {
            if seq != expected {
                missing.push(expected.min(seq)..=(seq - 1).max(expected - 1));
            }
            expected = seq + 1;
        }
    }
    if missing.len() < MOST_STRETCHES && expected <= last {
        missing.push(expected..=last);
    }
    // Of those after the last seq, the ones that were appended meanwhile are none.
    let last = last_seq(conn, workspace_id)?;
    if expected > last + 1 {
        missing.push(last + 1..=expected - 1);
    }
    missing.truncate(MOST_STRETCHES);
    Ok(missing)
}
