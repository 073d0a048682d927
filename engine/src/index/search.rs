//! Finds events through the index, in the order of a page.
//!
//! Segments, their blocks, and the newest events, which are not indexed yet, are sources. Each knows a bound on its
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

use std::{
    collections::BinaryHeap,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use diesel::prelude::*;

use super::{
    Index,
    candidates::{Open, Queued, Ready, Source, rank, segment_rank},
    segment::{
        BLOCK, PACKED, PieceNumber, Segment, TIMES, Words, candidate_blocks, candidate_columns, order_piece,
        order_pieces, seq_at, slice_piece,
    },
    signature::Plan,
    store::{self, Pieces, State},
};
use crate::{
    db::{
        self, Conn,
        dialect::{AnyOf, AtMost},
        rows::EventRow,
        schema::events,
    },
    error::Result,
    event::Event,
    filter::{
        Filter,
        rows::{Scanned, in_order, step_of},
    },
    order::{Order, Position},
};

/// Up to this many events that are not indexed are all scanned. More are read in time order.
const SHORT_TAIL: i64 = 2000;
/// Rows that one statement fetches.
const FETCH: std::ops::Range<usize> = 16..500;
/// Segments whose pieces one statement fetches, at most.
const TOGETHER: usize = 32;

/// One query on its way through a workspace's segments.
struct Walk<'a> {
    index: &'a Index,
    filter: &'a Filter,
    plan: Plan,
    first_look: Plan,
    order: Order,
    after: Option<Position>,
    /// First and last time of the range.
    times: (i64, i64),
    state: State,
    queue: BinaryHeap<Queued>,
    ready: BinaryHeap<Ready>,
    /// Segments that have not been read yet, the next one last.
    unopened: Vec<Segment>,
    /// How many segments are read at once; doubles each time.
    together: usize,
    pieces: Pieces,
}

/// Passes every matching event to `show`, in order, until `show` breaks or time is up. `expected` is about how many
/// events `show` takes.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn scan(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    (order, after): (Order, Option<Position>),
    expected: usize,
    patience: Duration,
    show: &mut impl FnMut(Event) -> ControlFlow<()>,
) -> Result<Scanned> {
    let deadline = Instant::now() + patience;
    let mut walk = Walk::new(conn, index, filter, order, after)?;
    let mut shown = 0;
    loop {
        let next = walk.queue.peek().map(|queued| queued.rank);
        while let Some(ready) = walk.ready.peek()
            && next.is_none_or(|next| ready.rank.0 > next)
            && let Some(Ready { event, .. }) = walk.ready.pop()
        {
            shown += 1;
            if show(event).is_break() {
                return Ok(Scanned::Enough);
            }
        }
        let Some(next) = next else { return Ok(Scanned::All) };
        if Instant::now() >= deadline {
            return Ok(Scanned::Until(walk.before(next)));
        }
        // Events that are ready will be shown too.
        let want = expected.saturating_sub(shown + walk.ready.len()).clamp(FETCH.start, FETCH.end);
        walk.gather(conn, want)?;
    }
}

impl<'a> Walk<'a> {
    fn new(
        conn: &mut Conn,
        index: &'a Index,
        filter: &'a Filter,
        order: Order,
        after: Option<Position>,
    ) -> Result<Self> {
        let state = store::state(conn, filter.workspace_id)?;
        let mut lowest = filter.since.map_or(i64::MIN, |since| since.0);
        let mut highest = filter.until.map_or(i64::MAX, |until| until.0 - 1);
        if let Some(Position { occurred_at, seq: _ }) = after {
            match order {
                Order::Desc => highest = highest.min(occurred_at.0),
                Order::Asc => lowest = lowest.max(occurred_at.0),
            }
        }
        let mut unopened: Vec<Segment> = index
            .cache
            .segments(conn, filter.workspace_id, state)?
            .iter()
            .filter(|segment| segment.first_time <= highest && segment.last_time >= lowest)
            .cloned()
            .collect();
        unopened.sort_by_key(|segment| segment_rank(order, segment));
        let plan = Plan::new(filter);
        let mut walk = Self {
            index,
            filter,
            first_look: plan.first_look(),
            plan,
            order,
            after,
            times: (lowest, highest),
            state,
            queue: BinaryHeap::new(),
            ready: BinaryHeap::new(),
            unopened,
            together: 1,
            pieces: Pieces::new(filter.workspace_id),
        };
        walk.queue_unopened();
        if state.last_seq - state.indexed_seq <= SHORT_TAIL {
            walk.read_short_tail(conn)?;
        } else {
            walk.queue.push(Queued { rank: i64::MAX, source: Source::LongTail(after) });
        }
        Ok(walk)
    }

    /// The position before everything of this rank or a lower one.
    fn before(&self, rank: i64) -> Position {
        match self.order {
            // Seqs are below 2^42.
            Order::Desc => Position { occurred_at: db::timestamp::Timestamp(rank), seq: i64::MAX },
            Order::Asc => Position { occurred_at: db::timestamp::Timestamp(-rank), seq: 0 },
        }
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
                Source::LongTail(after) => {
                    self.read_long_tail(conn, after, want)?;
                    break;
                }
                Source::Open(mut open) => {
                    let block = open.block(self.order, open.next);
                    let (first, last) = open.span(block);
                    (lowest, highest) = (lowest.min(first), highest.max(last));
                    self.name(conn, &open, block, &mut seqs)?;
                    open.next += 1;
                    self.queue_open(open);
                }
            }
        }
        self.look_at(conn, seqs, (lowest, highest))
    }

    /// Requeues a segment with the rank of its next block, if it has one.
    fn queue_open(&mut self, mut open: Box<Open>) {
        if let Some(block) = open.advance(self.order, self.times) {
            let (first, last) = open.span(block);
            let rank = match self.order {
                Order::Desc => rank(self.order, last),
                Order::Asc => rank(self.order, first),
            };
            self.queue.push(Queued { rank, source: Source::Open(open) });
        }
    }

    /// Reads the next segments.
    fn open(&mut self, conn: &mut Conn) -> Result<()> {
        let from = self.unopened.len().saturating_sub(self.together);
        let mut segments = self.unopened.split_off(from);
        self.together = (self.together * 2).min(TOGETHER);
        let with = |numbers: &dyn Fn(&Segment) -> Vec<PieceNumber>, segments: &[Segment]| {
            let wanted = segments.iter().flat_map(|segment| {
                let numbers = if segment.is_small() { vec![PACKED] } else { numbers(segment) };
                numbers.into_iter().map(|number| (segment.number, number))
            });
            wanted.collect::<Vec<_>>().into_iter()
        };
        let cache = &self.index.cache;

        let mut blocks: Vec<Words> = Vec::new();
        for plan in [&self.first_look, &self.plan] {
            let keys = plan.keys();
            let directory =
                |segment: &Segment| keys.iter().map(|key| segment.directory_piece(*key)).collect::<Vec<_>>();
            self.pieces.load(conn, cache, with(&directory, &segments))?;
            blocks.clear();
            segments.retain(|segment| {
                let found = candidate_blocks(segment, plan, &mut |number| self.pieces.get(segment, number));
                let any = found.iter().any(|word| *word != 0);
                if any {
                    blocks.push(found);
                }
                any
            });
        }

        let most = blocks.iter().map(|words| words.iter().map(|word| word.count_ones()).sum::<u32>()).max();
        let plan = self.plan.for_columns(most.unwrap_or_default() as usize * BLOCK);
        let bits = plan.bits();
        let slices = |_: &Segment| bits.iter().map(|bit| slice_piece(*bit)).collect::<Vec<_>>();
        self.pieces.load(conn, cache, with(&slices, &segments))?;
        let mut columns: Vec<Words> = Vec::new();
        let mut blocks = blocks.into_iter();
        segments.retain(|segment| {
            let blocks = blocks.next().unwrap_or_default();
            let found =
                candidate_columns(segment, &plan, &blocks, &mut |number| self.pieces.get(segment, number));
            let any = found.iter().any(|word| *word != 0);
            if any {
                columns.push(found);
            }
            any
        });

        // A page may need all of a few candidates. Of many, it needs those of one or two pieces.
        let few = columns.iter().flatten().map(|word| word.count_ones() as usize).sum::<usize>() <= FETCH.end;
        let needed = segments.iter().zip(&columns).flat_map(|(segment, columns)| {
            let mut pieces = if few && !segment.is_small() { order_pieces(columns) } else { Vec::new() };
            pieces.push(if segment.is_small() { PACKED } else { TIMES });
            pieces.into_iter().map(|piece| (segment.number, piece))
        });
        let needed: Vec<_> = needed.collect();
        self.pieces.load(conn, cache, needed.into_iter())?;
        for (segment, columns) in segments.into_iter().zip(columns) {
            let times = self.pieces.get(&segment, TIMES).unwrap_or_default().into();
            self.queue_open(Box::new(Open { segment, columns, times, next: 0 }));
        }
        self.pieces.keep_order();
        self.queue_unopened();
        Ok(())
    }

    /// Adds the seqs of a block's candidates.
    fn name(&mut self, conn: &mut Conn, open: &Open, block: usize, seqs: &mut Vec<i64>) -> Result<()> {
        let segment = &open.segment;
        let piece = order_piece(block * BLOCK);
        let wanted = if segment.is_small() { PACKED } else { piece };
        self.pieces.load(conn, &self.index.cache, std::iter::once((segment.number, wanted)))?;
        let order = self.pieces.get(segment, piece).unwrap_or_default();
        let bits = open.bits(block);
        let columns = (0..BLOCK).filter(|n| bits >> n & 1 == 1).map(|n| block * BLOCK + n);
        seqs.extend(columns.filter_map(|column| seq_at(segment, order, column)));
        Ok(())
    }

    /// Fetches events and keeps those that match.
    fn look_at(&mut self, conn: &mut Conn, mut seqs: Vec<i64>, (lowest, highest): (i64, i64)) -> Result<()> {
        // Events with close seqs are stored close together.
        seqs.sort_unstable();
        for seqs in seqs.chunks(FETCH.end) {
            let rows = events::table
                .filter(events::workspace_id.eq(self.filter.workspace_id))
                .filter(AnyOf::new(events::seq, seqs))
                // Implied by the seqs; it selects the partitions.
                .filter(
                    events::occurred_at
                        .between(db::timestamp::Timestamp(lowest), db::timestamp::Timestamp(highest)),
                )
                .select(EventRow::as_select())
                .load::<EventRow>(conn)?;
            for row in rows {
                self.keep(Event::try_from(row)?);
            }
        }
        Ok(())
    }

    fn keep(&mut self, event: Event) {
        let position = event.position();
        let is_after = self.after.is_none_or(|after| match self.order {
            Order::Asc => position > after,
            Order::Desc => position < after,
        });
        if is_after && self.filter.matches(&event) {
            let rank = (rank(self.order, position.occurred_at.0), rank(self.order, position.seq));
            self.ready.push(Ready { rank, event });
        }
    }

    fn read_short_tail(&mut self, conn: &mut Conn) -> Result<()> {
        if self.state.last_seq <= self.state.indexed_seq {
            return Ok(());
        }
        let rows = events::table
            .filter(events::workspace_id.eq(self.filter.workspace_id))
            .filter(events::seq.gt(self.state.indexed_seq))
            .select(EventRow::as_select())
            .load::<EventRow>(conn)?;
        for row in rows {
            self.keep(Event::try_from(row)?);
        }
        Ok(())
    }

    fn read_long_tail(&mut self, conn: &mut Conn, after: Option<Position>, want: usize) -> Result<()> {
        let step = step_of(want * 4);
        let rows = AtMost::new(
            in_order(self.filter, self.order, after).filter(events::seq.gt(self.state.indexed_seq)),
            step,
        )
        .load::<EventRow>(conn)?;
        let more = rows.len() == step;
        let mut last = after;
        for row in rows {
            let event = Event::try_from(row)?;
            last = Some(event.position());
            self.keep(event);
        }
        if let Some(last) = last.filter(|_| more) {
            let rank = rank(self.order, last.occurred_at.0);
            self.queue.push(Queued { rank, source: Source::LongTail(Some(last)) });
        }
        Ok(())
    }
}
