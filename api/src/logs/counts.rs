//! Counting: metrics, facets and histograms, all sums of the same cells.
//!
//! A [`Cell`] counts the events of one quarter hour with one action, outcome, role and target type. The quarter hour is
//! the finest grain that every time zone's offset is a multiple of, so a day of any zone is a sum of cells.

use std::{collections::HashMap, ops::ControlFlow};

use diesel::{dsl::count_star, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    db::{Conn, dialect::QuarterHour, schema::events},
    error::Result,
    logs::{
        event::{Event, Outcome},
        filter::{Dimension, Filter},
        index::Index,
        query::{self, Scanned},
    },
    page::Order,
};

/// Microseconds in a quarter hour.
pub const QUARTER_MICROS: i64 = 900_000_000;

/// Most values that a facet shows, the most frequent ones.
const MOST_VALUES: usize = 100;

/// How finely cells divide time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Not at all: every cell is of quarter hour 0.
    Whole,
    QuarterHour,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CellKey {
    /// Quarter hours since 1970.
    pub quarter: i64,
    pub action: String,
    pub outcome: Outcome,
    pub role: Option<String>,
    pub target_type: Option<String>,
}

impl CellKey {
    fn of(event: &Event, grain: Grain) -> Self {
        let quarter = match grain {
            Grain::Whole => 0,
            Grain::QuarterHour => event.occurred_at.micros().div_euclid(QUARTER_MICROS),
        };
        Self {
            quarter,
            action: event.action.clone(),
            outcome: event.outcome,
            role: event.role.clone(),
            target_type: event.target.kind.clone(),
        }
    }

    /// The cell's value in a dimension; None where the events have none.
    pub fn value(&self, dimension: Dimension) -> Option<&str> {
        match dimension {
            Dimension::Action => Some(&self.action),
            Dimension::Outcome => Some(self.outcome.as_str()),
            Dimension::Role => self.role.as_deref(),
            Dimension::TargetType => self.target_type.as_deref(),
        }
    }
}

/// The counts of all events that a filter means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    pub cells: HashMap<CellKey, u64>,
    /// False when there may be more than was counted.
    pub exact: bool,
}

impl Cells {
    pub fn total(&self) -> u64 {
        self.cells.values().sum()
    }

    /// How many events have each value of a dimension, most first.
    pub fn by(&self, dimension: Dimension) -> Vec<(String, u64)> {
        let mut sums: HashMap<&str, u64> = HashMap::new();
        for (key, n) in &self.cells {
            if let Some(value) = key.value(dimension) {
                *sums.entry(value).or_default() += n;
            }
        }
        let mut sums: Vec<_> = sums.into_iter().map(|(value, n)| (value.to_owned(), n)).collect();
        sums.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        sums
    }

    pub fn with(&self, dimension: Dimension, value: &str) -> u64 {
        self.cells.iter().filter(|(key, _)| key.value(dimension) == Some(value)).map(|(_, n)| n).sum()
    }
}

/// Counts what the filter means.
pub fn cells(conn: &mut Conn, index: &Index, filter: &Filter, grain: Grain) -> Result<Cells> {
    if filter.needs_rows() {
        cells_by_looking(conn, index, filter, grain)
    } else {
        cells_by_sql(conn, filter, grain)
    }
}

fn cells_by_sql(conn: &mut Conn, filter: &Filter, grain: Grain) -> Result<Cells> {
    type Dimensions = (String, i16, Option<String>, Option<String>);
    let counted = events::table.filter(filter.condition());
    let dimensions = (events::action, events::outcome, events::role, events::target_type);
    let rows: Vec<(i64, Dimensions, i64)> = match grain {
        Grain::Whole => {
            let rows = counted.group_by(dimensions).select((dimensions, count_star()));
            rows.load(conn)?.into_iter().map(|(dimensions, n)| (0, dimensions, n)).collect()
        }
        Grain::QuarterHour => {
            let quarter = QuarterHour(events::occurred_at);
            let grouped = counted.group_by((
                quarter,
                events::action,
                events::outcome,
                events::role,
                events::target_type,
            ));
            grouped.select((quarter, dimensions, count_star())).load(conn)?
        }
    };
    let cells = rows.into_iter().map(|(quarter, (action, outcome, role, target_type), n)| {
        let key = CellKey { quarter, action, outcome: Outcome::from_number(outcome), role, target_type };
        (key, n as u64)
    });
    Ok(Cells { cells: cells.collect(), exact: true })
}

fn cells_by_looking(conn: &mut Conn, index: &Index, filter: &Filter, grain: Grain) -> Result<Cells> {
    let mut cells: HashMap<CellKey, u64> = HashMap::new();
    let scanned = query::scan(conn, index, filter, (Order::Desc, None), usize::MAX, &mut |event| {
        *cells.entry(CellKey::of(&event, grain)).or_default() += 1;
        ControlFlow::Continue(())
    })?;
    Ok(Cells { cells, exact: scanned == Scanned::All })
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    #[schema(example = "login")]
    pub value: String,
    #[schema(minimum = 0)]
    pub count: u64,
}

/// A filter's values and how many events each would show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facet {
    /// The name of the filter's parameter.
    #[schema(example = "event_type")]
    pub field: String,
    /// Most first; the 100 most frequent ones.
    pub values: Vec<FacetValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facets {
    pub data: Vec<Facet>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

/// Counts each facet with all filters applied but its own.
pub fn facets(
    conn: &mut Conn,
    index: &Index,
    filter: &Filter,
    facets: &[(&str, Dimension)],
) -> Result<Facets> {
    let all = cells(conn, index, filter, Grain::Whole)?;
    let mut exact = all.exact;
    let mut data = Vec::new();
    for (field, dimension) in facets {
        let without = filter.without(*dimension);
        let sums = if without == *filter {
            all.by(*dimension)
        } else {
            let cells = cells(conn, index, &without, Grain::Whole)?;
            exact &= cells.exact;
            cells.by(*dimension)
        };
        let values =
            sums.into_iter().take(MOST_VALUES).map(|(value, count)| FacetValue { value, count }).collect();
        data.push(Facet { field: (*field).to_owned(), values });
    }
    Ok(Facets { data, exact })
}
