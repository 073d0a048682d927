//! Counting: metrics, facets and histograms.
//!
//! Counts are kept, not computed. A cell is the number of events of one slot of time with the same action, outcome,
//! role and target type; every count is a sum of cells. Slots are quarter hours, since every time zone's offset is a
//! multiple of them, and UTC days.
//!
//! ```text
//! appender ──> count_deltas: a row per transaction ─compact─> event_counts: a row per day and per month
//!                        └─────────────── reading adds up both ───────────────┘
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`keys`] | bounds how many values are counted by themselves |
//! | [`packed`] | packs cells into few bytes |
//! | [`delta`] | what the appender adds, in its own transaction |
//! | [`rows`], [`cache`], [`projection`] | the rollups, a cache of them, and of one dimension of them |
//! | [`compact`] | adds deltas to the rollups |
//! | [`build`] | builds the rollups of events that are older than the kept counts |
//! | [`check`] | compares the counts with the events, and repairs them |
//! | [`range`], [`budget`] | adds up a range, within bounds |
//! | [`sample`] | scans a bounded number of events, where no rollup can answer |
//! | [`top`], [`groups`] | the most frequent values of a field; those of one or two fields together, over time |
//! | [`sql`], [`calendar`] | counting by SQL; days and months |
//!
//! Invariant: every exact count equals a recount of the events, whatever is compacted and when.

pub mod budget;
pub mod build;
pub mod cache;
pub mod calendar;
pub mod cells;
pub mod check;
pub mod compact;
pub mod delta;
pub mod groups;
pub mod histogram;
pub mod keys;
pub mod packed;
pub mod projection;
pub mod range;
pub mod rows;
pub mod sample;
pub mod sql;
pub mod top;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

pub use cache::CountsCache;
use cache::KnownPlaces;
pub use cells::Cells;
use cells::{has_rollup, is_limited, matches_key};
use keys::OTHER;
use packed::PackedCells;
use projection::Projection;
use range::{RangeCounts, Tally};

use crate::{
    db::Conn,
    error::{Error, Result},
    filter::{Dimension, Filter},
    index::Index,
};

/// Most values that a facet shows.
const MOST_VALUES: usize = 100;

/// How much work a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// As much as a page. Fails with [`Error::NeedsScan`] where that does not suffice.
    Quick,
    /// As much as a scan. Where the kept counts cannot answer, a sample does.
    Scan,
}

impl Effort {
    /// The answer of the kept counts, or else a sample's.
    fn answer<T>(
        self,
        conn: &mut Conn,
        kept: impl FnOnce(&mut Conn) -> Result<T>,
        sample: impl FnOnce(&mut Conn) -> Result<T>,
    ) -> Result<T> {
        match kept(conn) {
            Err(Error::NeedsScan) if self == Self::Scan => sample(conn),
            answer => answer,
        }
    }
}

fn damaged() -> Error {
    Error::Damaged("the kept counts are damaged; compare them with the events: logbook check")
}

/// Adds up the whole range.
struct Whole {
    keys: KnownPlaces,
    /// May be negative until all cells are added.
    sums: Vec<i64>,
    places: Arc<[u32]>,
}

impl Tally for Whole {
    fn open(&mut self, packed: &PackedCells) {
        let most;
        (self.places, most) = self.keys.of(packed);
        self.sums.resize(self.sums.len().max(most), 0);
    }

    fn add(&mut self, _: usize, key: usize, events: i64) {
        self.sums[self.places[key] as usize] += events;
    }
}

/// The cells of the whole range, of every key.
fn whole(kept: &mut RangeCounts<'_>) -> Result<Cells> {
    let mut whole = Whole { keys: kept.known_places(), sums: Vec::new(), places: Arc::default() };
    kept.tally(&[], &mut whole)?;
    let events = whole.sums.into_iter().map(|n| u64::try_from(n).unwrap_or_default()).collect();
    Ok(Cells { exact: true, tables: whole.keys.tables(), events })
}

/// Rollups of a range, and the sums of all of their keys, once they are known.
struct Opened<'a> {
    kept: RangeCounts<'a>,
    whole: Option<Cells>,
}

impl Opened<'_> {
    fn whole(&mut self) -> Result<&Cells> {
        let cells = match self.whole.take() {
            Some(cells) => cells,
            None => whole(&mut self.kept)?,
        };
        Ok(self.whole.insert(cells))
    }
}

/// Opens the rollups, which must be read inside a snapshot, and makes sure that they can answer these filters.
fn open<'a>(
    conn: &'a mut Conn,
    cache: &'a CountsCache,
    filter: &Filter,
    filters: &[Filter],
    effort: Effort,
) -> Result<Opened<'a>> {
    let mut opened = Opened { kept: RangeCounts::open(conn, cache, filter, effort)?, whole: None };
    // Without a condition all events are counted, whatever they count as.
    let limited: Vec<&Filter> = filters.iter().chain([filter]).filter(|filter| is_limited(filter)).collect();
    if !limited.is_empty() && opened.kept.has_others() {
        let registry = opened.kept.registered(&limited)?;
        let cells = opened.whole()?;
        if limited.iter().any(|filter| cells.is_doubtful(filter, &registry.unregistered_in(filter))) {
            return Err(Error::NeedsScan);
        }
    }
    Ok(opened)
}

/// Whether every value of a dimension is counted by itself.
fn is_complete(values: &[(String, u64)]) -> bool {
    values.iter().all(|(value, _)| value != OTHER)
}

/// Counts the events that the filter matches. Rollups must be read inside a snapshot.
///
/// # Errors
/// [`Error::NeedsScan`]; the database's.
pub fn cells(
    conn: &mut Conn,
    cache: &CountsCache,
    index: &Index,
    filter: &Filter,
    effort: Effort,
) -> Result<Cells> {
    let sample = |conn: &mut Conn| sample::cells(conn, index, filter);
    if !has_rollup(filter) {
        return sample(conn);
    }
    let kept = |conn: &mut Conn| {
        let mut cells = open(conn, cache, filter, &[], effort)?.whole()?.of(filter);
        cells.exact = is_complete(&cells.by(Dimension::Action));
        Ok(cells)
    };
    effort.answer(conn, kept, sample)
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
///
/// # Errors
/// [`Error::NeedsScan`]; the database's.
pub fn facets(
    conn: &mut Conn,
    cache: &CountsCache,
    index: &Index,
    filter: &Filter,
    facets: &[(&str, Dimension)],
    effort: Effort,
) -> Result<Facets> {
    let filters: Vec<Filter> = facets.iter().map(|(_, dimension)| filter.without(*dimension)).collect();
    let sample = |conn: &mut Conn| sample::facets(conn, index, filter, facets, filters.clone());
    let kept = |conn: &mut Conn| {
        let mut opened = open(conn, cache, filter, &filters, effort)?;
        let all = opened.whole()?;
        let counted: Vec<Cells> = filters.iter().map(|filter| all.of(filter)).collect();
        let mut complete = counted.iter().zip(facets).map(|(cells, facet)| is_complete(&cells.by(facet.1)));
        let exact = complete.all(|complete| complete);
        Ok((counted, exact))
    };
    let (counted, exact) =
        if has_rollup(filter) { effort.answer(conn, kept, sample)? } else { sample(conn)? };
    let data = facets.iter().zip(counted).map(|((field, dimension), cells)| {
        let values = cells.by(*dimension).into_iter().take(MOST_VALUES);
        let values = values.map(|(value, count)| FacetValue { value, count }).collect();
        Facet { field: (*field).to_owned(), values }
    });
    Ok(Facets { data: data.collect(), exact })
}

/// Counts the events that the filter matches, by bucket; see [`RangeCounts::tally`].
pub struct Counted<'a> {
    opened: Opened<'a>,
    filter: &'a Filter,
    pub exact: bool,
}

impl<'a> Counted<'a> {
    /// Reads rollups, inside a snapshot.
    fn kept(conn: &'a mut Conn, cache: &'a CountsCache, filter: &'a Filter, effort: Effort) -> Result<Self> {
        Ok(Self { opened: open(conn, cache, filter, &[], effort)?, filter, exact: true })
    }

    /// Scans a sample of the events.
    fn sampled(
        conn: &'a mut Conn,
        cache: &'a CountsCache,
        index: &Index,
        filter: &'a Filter,
    ) -> Result<Self> {
        let (counted, exact) = sample::quarters(conn, index, filter)?;
        let kept = RangeCounts::from_counted(conn, cache, filter, vec![counted]);
        Ok(Self { opened: Opened { kept, whole: None }, filter, exact })
    }

    /// The first and last quarter hour with a matching event.
    ///
    /// # Errors
    /// The database's.
    pub fn first_and_last(&mut self) -> Result<Option<(i64, i64)>> {
        self.opened.kept.first_and_last(self.filter)
    }

    /// The number of events with each value of a dimension, most frequent first.
    ///
    /// # Errors
    /// The database's.
    pub fn by(&mut self, dimension: Dimension) -> Result<Vec<(String, u64)>> {
        let values = self.opened.whole()?.of(self.filter).by(dimension);
        self.exact &= is_complete(&values);
        Ok(values)
    }

    /// Events by bucket, then by group. `group_of` maps a value to its group, which is below `groups`. Buckets 1, 2, 3
    /// … begin at `borders`.
    ///
    /// # Errors
    /// The database's.
    pub fn spread(
        &mut self,
        borders: &[i64],
        dimension: Dimension,
        groups: usize,
        group_of: impl Fn(Option<&str>) -> usize,
    ) -> Result<Vec<u64>> {
        let sums = vec![0; (borders.len() + 1) * groups];
        let mut spread =
            Spread { filter: self.filter, dimension, group_of, groups, of_place: Vec::new(), sums };
        self.opened.kept.tally(borders, &mut spread)?;
        Ok(spread.sums.into_iter().map(|n| u64::try_from(n).unwrap_or_default()).collect())
    }
}

struct Spread<'a, F> {
    filter: &'a Filter,
    dimension: Dimension,
    group_of: F,
    groups: usize,
    /// The group of each key of the open row. None for keys that do not match.
    of_place: Vec<Option<usize>>,
    sums: Vec<i64>,
}

impl<F: Fn(Option<&str>) -> usize> Tally for Spread<'_, F> {
    fn open(&mut self, packed: &PackedCells) {
        let Self { filter, dimension, group_of, of_place, .. } = self;
        // Maps each value once: a row has hundreds of keys and few values, and a range of a year has hundreds of rows.
        let mut of_value: Vec<Option<usize>> = Vec::new();
        of_place.clear();
        of_place.extend(packed.keys().zip(packed.values(*dimension)).map(|(key, value)| {
            if of_value.len() <= value {
                of_value.resize(value + 1, None);
            }
            let group = *of_value[value].get_or_insert_with(|| group_of(key.value(*dimension)));
            matches_key(filter, &key).then_some(group)
        }));
    }

    fn open_projected(&mut self, packed: &PackedCells) {
        let Self { dimension, group_of, of_place, .. } = self;
        of_place.clear();
        of_place.extend(packed.keys().map(|key| Some(group_of(key.value(*dimension)))));
    }

    fn projection(&self) -> Option<Projection<'_>> {
        Some(Projection::new(self.filter, (self.dimension, None)))
    }

    fn add(&mut self, bucket: usize, key: usize, events: i64) {
        if let Some(group) = self.of_place[key] {
            self.sums[bucket * self.groups + group] += events;
        }
    }
}
