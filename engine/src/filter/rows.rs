//! The rows that a filter's SQL matches, in the order of a page.

use std::time::Duration;

use diesel::prelude::*;

use crate::{
    db::{
        Backend, Conn,
        dialect::AtMost,
        rows::{BriefRow, EventRow},
        schema::events,
    },
    filter::Filter,
    order::{Order, Position},
};

/// Rows that one statement fetches: one of these. The number is part of the statement's text, so there are few.
const STEPS: [usize; 7] = [1, 2, 11, 26, 51, 101, 251];
/// … and at most.
pub const LARGEST_STEP: usize = 500;
/// Why a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// Every row was scanned.
    All,
    /// The caller had seen enough.
    Enough,
    /// Time was up; everything up to this position was scanned.
    Until(Position),
}

/// How much is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// About how many events are wanted.
    pub expected: usize,
    pub patience: Duration,
    pub columns: Columns,
}

/// The smallest step that fetches this many rows, or the largest step.
pub fn step_of(rows: usize) -> usize {
    STEPS.into_iter().find(|step| *step >= rows).unwrap_or(LARGEST_STEP)
}

/// Which columns are read of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    All,
    /// Those of [`BriefRow`], in half the time. Filters that need more of an event read all.
    Brief,
}

impl Columns {
    /// Enough of them for a filter.
    pub fn for_filter(self, filter: &Filter) -> Self {
        if filter.needs_rows() { Self::All } else { self }
    }

    /// At most `limit` rows of a query.
    ///
    /// # Errors
    /// The database's.
    pub fn load(
        self,
        conn: &mut Conn,
        query: events::BoxedQuery<'_, Backend>,
        limit: usize,
    ) -> QueryResult<Vec<EventRow>> {
        match self {
            Self::All => AtMost::new(query.select(EventRow::as_select()), limit).load::<EventRow>(conn),
            Self::Brief => {
                let rows = AtMost::new(query.select(BriefRow::as_select()), limit).load::<BriefRow>(conn)?;
                Ok(rows.into_iter().map(EventRow::from).collect())
            }
        }
    }
}

/// Rows in the order of a page, filtered as far as SQL can decide. The caller selects the columns.
pub fn ordered(filter: &Filter, order: Order, after: Option<Position>) -> events::BoxedQuery<'_, Backend> {
    let mut query = events::table.filter(filter.to_sql()).into_boxed();
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
    match order {
        Order::Asc => query.order((events::occurred_at.asc(), events::seq.asc())),
        Order::Desc => query.order((events::occurred_at.desc(), events::seq.desc())),
    }
}
