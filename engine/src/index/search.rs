//! Finds events through the index, in the order of a page.
//!
//! Segments, their runs, and the newest events, which are not indexed yet, are sources. Each knows a bound on its
//! next event. The source that may have the next event is read first; its candidates are fetched, checked with the
//! filter, and shown once no source can have an earlier event.
//!
//! ```text
//! time  ───────────────────────────────────────────────>
//! segment 1   [ . . . . . . . . ]
//! segment 2           [ . . . . . . . . . . ]           an import: it overlaps
//! small ones                           [ . . ][ . . ]
//! not indexed                                      . ..
//! ```

mod open;
mod rows;

use std::{collections::BinaryHeap, ops::ControlFlow, time::Instant};

use super::{
    Index,
    plan::Plan,
    run::Segment,
    sources::{OpenRun, Queued, Ready, Source, segment_rank},
    store::{self, Pieces, State},
};
use crate::{
    db::{Conn, timestamp::Timestamp, waiting},
    error::Result,
    event::Event,
    filter::{
        Filter,
        rows::{Columns, Reading, Scanned},
    },
    order::{Order, Position},
};

/// Up to this many events that are not indexed are looked up by their times first. More are read in time order.
const SHORT_TAIL: i64 = 2000;
/// Rows that are fetched together, at least and at most …
const FETCH: std::ops::Range<usize> = 16..500;
/// … and at first, where they are read whole. More follow when these are small.
const FIRST_FETCH: usize = 64;
/// Bytes of rows that are fetched together, more or less.
const FETCH_BYTES: usize = 4 * 1024 * 1024;
/// Segments whose pieces one statement fetches, at most.
const TOGETHER: usize = 32;
/// Groups that one statement fetches, at most.
const GROUPS: usize = 64;

/// Of an event's time and seq, each as [`rank`] has it.
type Rank = (i64, i64);

/// One query on its way through a workspace's segments.
struct Walk<'a> {
    index: &'a Index,
    /// An event is looked for that any of them matches.
    filters: &'a [&'a Filter],
    /// Of each filter.
    plans: Vec<Plan>,
    /// What matches the events that are not indexed, and maybe more. No two of them match the same one.
    tails: Vec<Filter>,
    workspace_id: i32,
    columns: Columns,
    order: Order,
    after: Option<Position>,
    state: State,
    queue: BinaryHeap<Queued>,
    ready: BinaryHeap<Ready>,
    /// Candidates that were fetched and not checked yet, the next one last.
    unchecked: Vec<Event>,
    /// The position of the last one that was checked.
    checked: Option<Position>,
    /// How many rows are fetched together.
    fetch: usize,
    deadline: Instant,
    /// Segments that have not been read yet, the next one last.
    unopened: Vec<Segment>,
    /// How many segments are read at once; doubles each time.
    together: usize,
    /// How many groups, and runs, are read at once; doubles each time.
    ahead: usize,
    pieces: Pieces,
}

/// Passes every event that any of the filters matches to `show`, once and in order, until `show` breaks or time is up.
/// The filters are of one workspace.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn scan(
    conn: &mut Conn,
    index: &Index,
    filters: &[&Filter],
    (order, after): (Order, Option<Position>),
    Reading { expected, patience, columns }: Reading,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    let deadline = Instant::now() + patience;
    let Some(first) = filters.first() else { return Ok(Scanned::All) };
    let columns = filters.iter().fold(columns, |columns, filter| columns.for_filter(filter));
    let of = (first.workspace_id, filters, columns);
    let mut walk = Walk::new(conn, index, of, (order, after), deadline)?;
    let (mut shown, mut last_shown) = (0, None);
    loop {
        let next = walk.next();
        while let Some(ready) = walk.ready.peek()
            && next.is_none_or(|next| ready.rank > next)
            && let Some(Ready { event, .. }) = walk.ready.pop()
        {
            (shown, last_shown) = (shown + 1, Some(event.position()));
            if show(event).is_break() {
                return Ok(Scanned::Enough);
            }
        }
        let Some(next) = next else { return Ok(Scanned::All) };
        if Instant::now() >= deadline {
            let position = walk.done(next, last_shown);
            // A page must come further than the one before, however long that takes.
            if after.is_none_or(|after| walk.rank_of(position) < walk.rank_of(after)) {
                return Ok(Scanned::Until(position));
            }
        }
        waiting::check()?;
        if walk.unchecked.is_empty() {
            // Events that are ready will be shown too.
            let want = expected.saturating_sub(shown + walk.ready.len()).clamp(FETCH.start, walk.fetch);
            walk.gather(conn, want)?;
        }
        walk.check();
    }
}

impl<'a> Walk<'a> {
    fn new(
        conn: &mut Conn,
        index: &'a Index,
        (workspace_id, filters, columns): (i32, &'a [&'a Filter], Columns),
        (order, after): (Order, Option<Position>),
        deadline: Instant,
    ) -> Result<Self> {
        let state = store::state(conn, workspace_id)?;
        let plans: Vec<Plan> = filters.iter().map(|filter| Plan::new(filter, (order, after))).collect();
        let mut unopened: Vec<Segment> = index
            .cache
            .segments(conn, workspace_id, state)?
            .iter()
            .filter(|segment| plans.iter().any(|plan| plan.reaches(segment.times())))
            .cloned()
            .collect();
        unopened.sort_by_key(|segment| segment_rank(order, segment));
        let mut walk = Self {
            index,
            filters,
            plans,
            tails: Vec::new(),
            workspace_id,
            columns,
            order,
            after,
            state,
            queue: BinaryHeap::new(),
            ready: BinaryHeap::new(),
            unchecked: Vec::new(),
            checked: None,
            fetch: if columns == Columns::All { FIRST_FETCH } else { FETCH.end },
            deadline,
            unopened,
            together: 1,
            ahead: 1,
            pieces: Pieces::new(workspace_id),
        };
        walk.queue_unopened();
        if state.last_seq - state.indexed_seq <= SHORT_TAIL {
            walk.read_short_tail(conn)?;
        } else {
            walk.tails = rows::tails(filters);
            let sources = (0..walk.tails.len()).map(|nth| Source::LongTail(nth, after));
            walk.queue.extend(sources.map(|source| Queued { rank: i64::MAX, source }));
        }
        Ok(walk)
    }

    /// The greatest rank that an event can have that was not checked yet.
    fn next(&self) -> Option<Rank> {
        let queued = self.queue.peek().map(|queued| self.rank_of(self.start_of(queued.rank)));
        queued.max(self.unchecked.last().map(|event| self.rank_of(event.position())))
    }

    /// The position before everything of this rank or a lower one.
    fn start_of(&self, rank: i64) -> Position {
        match self.order {
            // Seqs are below 2^42.
            Order::Desc => Position { occurred_at: Timestamp(rank), seq: i64::MAX },
            Order::Asc => Position { occurred_at: Timestamp(-rank), seq: 0 },
        }
    }

    /// The last position up to which everything was checked and shown, where `next` is next.
    fn done(&self, next: Rank, last_shown: Option<Position>) -> Position {
        let start = self.start_of(next.0);
        // Of events of one microsecond some may have been checked.
        let passed = [self.checked, last_shown].into_iter().flatten();
        let passed = passed.filter(|position| self.rank_of(*position) >= next).chain([start]);
        passed.min_by_key(|position| self.rank_of(*position)).unwrap_or(start)
    }

    fn queue_unopened(&mut self) {
        if let Some(segment) = self.unopened.last() {
            self.queue.push(Queued { rank: segment_rank(self.order, segment), source: Source::Unopened });
        }
    }

    /// Reads sources in order until there are `want` candidates, then fetches their rows.
    fn gather(&mut self, conn: &mut Conn, want: usize) -> Result<()> {
        let mut seqs = Vec::new();
        let (mut lowest, mut highest) = (i64::MAX, i64::MIN);
        while seqs.len() < want
            && let Some(Queued { rank, source }) = self.queue.pop()
        {
            match source {
                Source::Unopened => {
                    if !seqs.is_empty() {
                        // These candidates may be enough.
                        self.queue.push(Queued { rank, source });
                        break;
                    }
                    self.open(conn)?;
                }
                Source::LongTail(nth, after) => {
                    if !seqs.is_empty() {
                        self.queue.push(Queued { rank, source });
                        break;
                    }
                    return self.read_long_tail(conn, (nth, after), want);
                }
                Source::ShortTail(mut tail) => {
                    let taken = tail.split_off(tail.len().saturating_sub(want - seqs.len()));
                    for Position { occurred_at, seq } in taken {
                        seqs.push(seq);
                        (lowest, highest) = (lowest.min(occurred_at.0), highest.max(occurred_at.0));
                    }
                    self.queue_short_tail(tail);
                }
                Source::Run(mut run) => {
                    let Some(span) = run.take_columns(&mut seqs) else {
                        self.read_ahead(conn, run, want - seqs.len())?;
                        continue;
                    };
                    (lowest, highest) = (lowest.min(span.0), highest.max(span.1));
                    self.queue_run(run);
                }
            }
        }
        self.fetch(conn, seqs, (lowest, highest))
    }

    /// Requeues a run, unless it has no more candidates.
    fn queue_run(&mut self, run: Box<OpenRun>) {
        if run.has_more() {
            self.queue.push(Queued { rank: run.rank(), source: Source::Run(run) });
        }
    }

    /// Reads what the next run needs: its large sets and the times of its groups, then its next groups. Runs that come
    /// after it are read with the same statement, unless those before them have enough.
    fn read_ahead(&mut self, conn: &mut Conn, first: Box<OpenRun>, want: usize) -> Result<()> {
        // What a text leaves of the columns may be many that do not have it.
        let has_text = self.has_text();
        let known = |run: &OpenRun| if has_text { 0 } else { run.known() };
        let (rank, mut enough) = (first.rank(), known(&first));
        let mut runs = vec![first];
        let mut others = Vec::new();
        while runs.len() < self.ahead
            && let Some(queued) = self.queue.pop()
        {
            if enough >= want && queued.rank < rank {
                others.push(queued);
                break;
            }
            match queued.source {
                Source::Run(run) if run.needs_reading() => {
                    enough += known(&run);
                    runs.push(run);
                }
                Source::Run(run) => {
                    enough += known(&run);
                    others.push(Queued { rank: queued.rank, source: Source::Run(run) });
                }
                source => {
                    // What is behind it may not be needed.
                    others.push(Queued { rank: queued.rank, source });
                    break;
                }
            }
        }
        self.queue.extend(others);
        let mut wanted = Vec::new();
        let mut left = want.max(self.ahead).min(GROUPS);
        let mut asked = 0;
        for (nth, run) in runs.iter_mut().enumerate() {
            let most = if nth == 0 { self.ahead.min(GROUPS) } else { left.min(2) };
            let pieces = run.wanted(most, want);
            left = left.saturating_sub(pieces.len());
            wanted.extend(pieces.into_iter().map(|piece| (run.number(), piece)));
            asked += 1;
            if left == 0 {
                break;
            }
        }
        self.ahead = (self.ahead * 2).min(GROUPS);
        self.pieces.load(conn, &self.index.cache, wanted)?;
        for (nth, mut run) in runs.into_iter().enumerate() {
            if nth < asked {
                let number = run.number();
                run.read(&self.plans, &|piece| self.pieces.get(number, piece));
            }
            self.queue_run(run);
        }
        self.pieces.clear();
        Ok(())
    }
}
