//! Counting by looking at events: for a search, and for filters that no counts are kept of.

use std::ops::ControlFlow;

use super::{
    Cells, calendar, damaged,
    packed::{CellsBuilder, Key, PackedCells},
};
use crate::{
    db::Conn,
    error::Result,
    event::{Common, Event},
    filter::{Dimension, Filter, rows::Scanned},
    index::Index,
    order::Order,
    query,
};

/// Most events that are looked at, the newest ones: what is beyond makes the count a lower bound. Reading an event takes some
/// microseconds, and a count may take about as long as a page.
pub const SCAN_LIMIT: usize = 2000;

/// Shows the events of a filter, newest first. True when those were all.
fn look(conn: &mut Conn, index: &Index, filter: &Filter, mut show: impl FnMut(&Event)) -> Result<bool> {
    let mut seen = 0;
    let scanned = query::scan(conn, index, filter, (Order::Desc, None), SCAN_LIMIT + 1, &mut |event| {
        if seen == SCAN_LIMIT {
            return ControlFlow::Break(());
        }
        seen += 1;
        show(&event);
        ControlFlow::Continue(())
    })?;
    Ok(scanned == Scanned::All)
}

fn key_of(event: &Event) -> Key<'_> {
    let Common { action, outcome, role, target, .. } = &event.common;
    Key { action, outcome: *outcome, role: role.as_deref(), target_type: target.kind.as_deref() }
}

/// Counts what the filter means.
///
/// # Errors
/// The database's.
pub fn cells(conn: &mut Conn, index: &Index, filter: &Filter) -> Result<Cells> {
    let mut cells = Cells::default();
    cells.exact = look(conn, index, filter, |event| cells.add(key_of(event), 1))?;
    Ok(cells)
}

/// Counts what the filter means by quarter hour, and whether that is all.
///
/// # Errors
/// The database's.
pub fn quarters(conn: &mut Conn, index: &Index, filter: &Filter) -> Result<(PackedCells, bool)> {
    let mut draft = CellsBuilder::default();
    let exact = look(conn, index, filter, |event| {
        draft.add(calendar::quarter_of(event.occurred_at), key_of(event), 1)
    })?;
    Ok((PackedCells::parse(draft.pack()).ok_or_else(damaged)?, exact))
}

/// Counts what each of `filters` means: one for each facet, `filter` without the facet's own dimension. One look serves all.
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
        // Whatever is looked at has these already, and to see it again is the costly part.
        filter.search = None;
        filter.fields.clear();
    }
    let mut counted = vec![Cells::default(); filters.len()];
    let exact = look(conn, index, &wide, |event| {
        for (filter, cells) in filters.iter().zip(&mut counted) {
            if filter.matches(event) {
                cells.add(key_of(event), 1);
            }
        }
    })?;
    Ok((counted, exact))
}
