//! Counts by scanning a bounded number of events, where no rollup can answer: for a search, and for filters on fields
//! that rollups do not have.

use std::ops::ControlFlow;

use super::{
    Cells, calendar, damaged,
    packed::{CellsBuilder, Key, PackedCells},
};
use crate::{
    db::{Conn, timestamp::Timestamp},
    error::Result,
    event::{Common, Event},
    filter::{
        Accepted, Dimension, Filter,
        rows::{Columns, Reading, Scanned},
    },
    index::Index,
    order::Order,
    query::{self, PATIENCE},
};

/// Most events that are scanned, newest first. When more match, the count is a lower bound. Reading an event takes some
/// microseconds, and a count may take about as long as a page.
pub const SCAN_LIMIT: usize = 1000;

/// How far a scan came.
pub(super) struct Sample {
    pub events: usize,
    /// The scanned events are all that match.
    pub is_all: bool,
    /// From when on all are scanned that match, where those are not all.
    pub since: Option<Timestamp>,
}

/// Passes the matching events to `show`, newest first.
pub(super) fn scan(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    columns: Columns,
    mut show: impl FnMut(&Event),
) -> Result<Sample> {
    let (mut events, mut oldest) = (0, None);
    let reading = Reading { expected: SCAN_LIMIT + 1, patience: PATIENCE, columns };
    let scanned = query::scan(conn, index, filter, (Order::Desc, None), reading, &mut |event: Event| {
        if events == SCAN_LIMIT {
            return ControlFlow::Break(());
        }
        (events, oldest) = (events + 1, Some(event.occurred_at));
        show(&event);
        ControlFlow::Continue(())
    })?;
    let since = match scanned {
        Scanned::All => None,
        Scanned::Enough => oldest,
        Scanned::Until(position) => Some(position.occurred_at),
    };
    Ok(Sample { events, is_all: scanned == Scanned::All, since })
}

pub(super) fn key_of(event: &Event) -> Key<'_> {
    let Common { action, outcome, role, target, .. } = &event.common;
    Key {
        action,
        outcome: *outcome,
        role: role.as_deref(),
        target_type: target.kind.as_deref(),
        source: &event.source,
    }
}

/// Counts the events that the filter matches.
///
/// # Errors
/// The database's.
pub fn cells(conn: &mut Conn, index: &Index, filter: &Filter) -> Result<Cells> {
    let mut cells = Cells::default();
    cells.exact = scan(conn, index, filter, Columns::Brief, |event| cells.add(key_of(event), 1))?.is_all;
    Ok(cells)
}

/// Counts the events that the filter matches by quarter hour, and returns whether those are all.
///
/// # Errors
/// The database's.
pub fn quarters(conn: &mut Conn, index: &Index, filter: &Filter) -> Result<(PackedCells, bool)> {
    let mut draft = CellsBuilder::default();
    let sample = scan(conn, index, filter, Columns::Brief, |event| {
        draft.add(calendar::quarter_of(event.occurred_at), key_of(event), 1)
    })?;
    Ok((PackedCells::parse(draft.pack()).ok_or_else(damaged)?, sample.is_all))
}

/// Counts the events that each of `filters` matches: one filter for each facet, which is `filter` without the facet's
/// own dimension. One scan serves them all.
///
/// # Errors
/// The database's.
pub fn facets(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    facets: &[(&str, Dimension)],
    mut filters: Vec<Filter>,
) -> Result<(Vec<Cells>, bool)> {
    let wide = facets.iter().fold(filter.clone(), |filter, (_, dimension)| filter.without(*dimension));
    for filter in &mut filters {
        // Every scanned event matches these already, and checking them again would be the costly part.
        filter.search = None;
        filter.fields = Accepted::default();
        filter.changed = Accepted::default();
        filter.metadata.clear();
    }
    let columns = filters.iter().fold(Columns::Brief, |columns, filter| columns.for_filter(filter));
    let mut counted = vec![Cells::default(); filters.len()];
    let sample = scan(conn, index, &wide, columns, |event| {
        for (filter, cells) in filters.iter().zip(&mut counted) {
            if filter.matches(event) {
                cells.add(key_of(event), 1);
            }
        }
    })?;
    Ok((counted, sample.is_all))
}
