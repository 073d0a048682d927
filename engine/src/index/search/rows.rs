//! The rows of a query's candidates: they are fetched together, and checked one by one until time is up.

use std::time::Instant;

use diesel::prelude::*;

use super::{FETCH, FETCH_BYTES, Rank, Walk};
use crate::{
    db::{Conn, dialect::AnyOf, rows::EventRow, schema::events, timestamp::Timestamp},
    error::Result,
    event::Event,
    filter::{
        Filter,
        rows::{ordered, step_of},
    },
    index::sources::{Queued, Ready, Source, rank},
    order::{Order, Position},
};

/// A filter for each log: the only one, or one within which the others are, since to look for each of them would read the
/// same rows again and again.
pub(super) fn tails(filters: &[&Filter]) -> Vec<Filter> {
    let mut tails: Vec<Filter> = Vec::new();
    for filter in filters {
        let Some(tail) = tails.iter_mut().find(|tail| tail.log == filter.log) else {
            tails.push((*filter).clone());
            continue;
        };
        *tail = Filter {
            // None is the earliest since, and the latest until.
            since: tail.since.min(filter.since),
            until: tail.until.zip(filter.until).map(|(one, other)| one.max(other)),
            ..Filter::all(filter.workspace_id, filter.log)
        };
    }
    tails
}

impl Walk<'_> {
    pub(super) fn rank_of(&self, Position { occurred_at, seq }: Position) -> Rank {
        (rank(self.order, occurred_at.0), rank(self.order, seq))
    }

    /// Fetches candidates, which are checked in the order of the page.
    pub(super) fn fetch(
        &mut self,
        conn: &mut Conn,
        mut seqs: Vec<i64>,
        (lowest, highest): (i64, i64),
    ) -> Result<()> {
        // Events with close seqs are stored close together.
        seqs.sort_unstable();
        let mut rows = Vec::with_capacity(seqs.len());
        for seqs in seqs.chunks(FETCH.end) {
            let query = events::table
                .filter(events::workspace_id.eq(self.workspace_id))
                .filter(AnyOf::new(events::seq, seqs))
                // Implied by the seqs; it selects the partitions.
                .filter(events::occurred_at.between(Timestamp(lowest), Timestamp(highest)));
            rows.extend(self.columns.load(conn, query.into_boxed(), FETCH.end)?);
        }
        self.queue_unchecked(rows)
    }

    fn queue_unchecked(&mut self, rows: Vec<EventRow>) -> Result<()> {
        let mut events = rows.into_iter().map(Event::try_from).collect::<Result<Vec<_>>>()?;
        let bytes: usize = events.iter().map(Event::bytes).sum();
        self.fetch = match bytes {
            FETCH_BYTES.. => self.fetch / 4,
            _ if bytes < FETCH_BYTES / 4 => self.fetch * 2,
            _ => self.fetch,
        }
        .clamp(FETCH.start, FETCH.end);
        events.sort_by_key(|event| self.rank_of(event.position()));
        self.unchecked = events;
        Ok(())
    }

    /// Checks what was fetched, and keeps what matches, until time is up.
    pub(super) fn check(&mut self) {
        while let Some(event) = self.unchecked.pop() {
            let position = event.position();
            let is_after = self.after.is_none_or(|after| match self.order {
                Order::Asc => position > after,
                Order::Desc => position < after,
            });
            if is_after {
                self.checked = Some(position);
                if self.filters.iter().any(|filter| filter.matches(&event)) {
                    self.ready.push(Ready { rank: self.rank_of(position), event });
                }
                if Instant::now() >= self.deadline {
                    break;
                }
            }
        }
    }

    /// Queues the events that are not indexed, by their times.
    pub(super) fn read_short_tail(&mut self, conn: &mut Conn) -> Result<()> {
        if self.state.last_seq <= self.state.indexed_seq {
            return Ok(());
        }
        let rows: Vec<(i16, Timestamp, i64)> = events::table
            .filter(events::workspace_id.eq(self.workspace_id))
            .filter(events::seq.gt(self.state.indexed_seq))
            .select((events::log, events::occurred_at, events::seq))
            .load(conn)?;
        let is_wanted = |(log, time, _): &(i16, Timestamp, i64)| {
            self.plans.iter().any(|plan| plan.log.number() == *log && plan.reaches((time.0, time.0)))
        };
        let rows = rows.into_iter().filter(is_wanted);
        let mut tail: Vec<Position> =
            rows.map(|(_, occurred_at, seq)| Position { occurred_at, seq }).collect();
        tail.sort_by_key(|position| self.rank_of(*position));
        self.queue_short_tail(tail);
        Ok(())
    }

    /// The next one last.
    pub(super) fn queue_short_tail(&mut self, tail: Vec<Position>) {
        if let Some(next) = tail.last() {
            let rank = rank(self.order, next.occurred_at.0);
            self.queue.push(Queued { rank, source: Source::ShortTail(tail) });
        }
    }

    pub(super) fn read_long_tail(
        &mut self,
        conn: &mut Conn,
        (nth, after): (usize, Option<Position>),
        want: usize,
    ) -> Result<()> {
        let step = step_of((want * 4).min(self.fetch));
        let query =
            ordered(&self.tails[nth], self.order, after).filter(events::seq.gt(self.state.indexed_seq));
        let rows = self.columns.load(conn, query, step)?;
        let last = rows.last().map(|row| Position { occurred_at: row.occurred_at, seq: row.seq });
        if let Some(last) = last.filter(|_| rows.len() == step) {
            let rank = rank(self.order, last.occurred_at.0);
            self.queue.push(Queued { rank, source: Source::LongTail(nth, Some(last)) });
        }
        self.queue_unchecked(rows)
    }
}
