//! The rows that a filter's SQL matches, in the order of a page.

use diesel::prelude::*;

use crate::{
    db::{Backend, rows::EventRow, schema::events},
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

/// The smallest step that fetches this many rows, or the largest step.
pub fn step_of(rows: usize) -> usize {
    STEPS.into_iter().find(|step| *step >= rows).unwrap_or(LARGEST_STEP)
}

pub type OrderedQuery<'a> =
    diesel::dsl::Select<events::BoxedQuery<'a, Backend>, diesel::dsl::AsSelect<EventRow, Backend>>;

/// Rows in the order of a page, filtered as far as SQL can decide.
pub fn in_order(filter: &Filter, order: Order, after: Option<Position>) -> OrderedQuery<'_> {
    ordered(filter, order, after).select(EventRow::as_select())
}

/// The same with all columns, of which the caller selects some.
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
