//! Groups: the events that share the values of one or two fields, most frequent groups first, each with its course over
//! time.

mod newest;

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    CountsCache, Effort, Tally,
    calendar::{DAY_QUARTERS, quarter_from, quarter_of, quarter_start},
    cells::{has_rollup, matches_key},
    keys::OTHER,
    open,
    packed::PackedCells,
    projection::Projection,
    top::By,
};
use crate::{
    db::{Conn, timestamp::Timestamp},
    error::Result,
    filter::{Dimension, Filter},
    index::Index,
};

/// Most fields by which events are grouped.
pub const MOST_FIELDS: usize = 2;

/// How events are grouped.
#[derive(Clone)]
pub struct Grouping {
    /// One or two different fields.
    pub by: Vec<By>,
    /// Maximum number of groups.
    pub limit: usize,
    /// Maximum number of points of a group's course.
    pub points: usize,
}

/// A value of a field that groups events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GroupValue {
    #[schema(example = "17")]
    pub value: String,
    /// The newest name beside the value, where the field is an id.
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
}

/// The events that share these values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Group {
    /// One for each field, in the order in which the request names them.
    pub values: Vec<GroupValue>,
    #[schema(minimum = 1)]
    pub count: u64,
    /// Events from each of `starts` on, up to the next one.
    pub series: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Groups {
    /// Most frequent first; equal ones by their values. Events without a value in one of the fields are in no group.
    pub data: Vec<Group>,
    /// True when every matching event was counted. Otherwise the newest ones were.
    pub exact: bool,
    /// How many matching events were counted, in a group or not.
    #[schema(minimum = 0)]
    pub counted: u64,
    /// When the oldest event that was counted happened, where not all were.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub since: Option<Timestamp>,
    /// When each point of a series begins: equally long stretches of whole quarter hours. The first may begin before the
    /// range does, and counts what is in the range.
    #[schema(value_type = Vec<String>)]
    pub starts: Vec<Timestamp>,
}

/// Groups the events that the filter matches. Rollups must be read inside a snapshot.
///
/// # Errors
/// [`crate::Error::NeedsScan`] with [`Effort::Quick`]; the database's.
pub fn groups(
    conn: &mut Conn,
    cache: &CountsCache,
    index: &Index,
    filter: &Filter,
    grouping: &Grouping,
    effort: Effort,
) -> Result<Groups> {
    let newest = |conn: &mut Conn| newest::groups(conn, index, filter, grouping);
    match dimensions(&grouping.by).filter(|_| has_rollup(filter)) {
        Some(dimensions) => {
            let kept = |conn: &mut Conn| kept(conn, cache, filter, (&dimensions, grouping), effort);
            effort.answer(conn, kept, newest)
        }
        None => newest(conn),
    }
}

/// The fields as dimensions of the rollups, if all of them are.
pub fn dimensions(by: &[By]) -> Option<Vec<Dimension>> {
    let dimension = |by: &By| match by {
        By::Dimension(dimension) => Some(*dimension),
        By::Values(..) | By::Metadata(_) => None,
    };
    by.iter().map(dimension).collect()
}

/// The quarter hours at which the points of a range begin.
fn starts(since: Timestamp, until: Timestamp, points: usize) -> Vec<i64> {
    let (first, end) = (quarter_of(since), quarter_from(until));
    let points = points.max(1) as i64;
    let (mut first, mut step) = (first, (end - first + points - 1) / points);
    if step >= DAY_QUARTERS {
        // Days that are not cut are quick to count.
        first = first.div_euclid(DAY_QUARTERS) * DAY_QUARTERS;
        let days = (end - first + points * DAY_QUARTERS - 1) / (points * DAY_QUARTERS);
        step = days * DAY_QUARTERS;
    }
    (0..points).map(|n| first + n * step.max(1)).take_while(|start| *start < end).collect()
}

fn kept(
    conn: &mut Conn,
    cache: &CountsCache,
    filter: &Filter,
    (dimensions, grouping): (&[Dimension], &Grouping),
    effort: Effort,
) -> Result<Groups> {
    let mut counts = open(conn, cache, filter, &[], effort)?.kept;
    let range = match (filter.since, filter.until) {
        (Some(since), Some(until)) => Some((since, until)),
        (since, until) => counts.first_and_last(filter)?.map(|(first, last)| {
            (since.unwrap_or(quarter_start(first)), until.unwrap_or(quarter_start(last + 1)))
        }),
    };
    let starts = range.map_or_else(Vec::new, |(since, until)| starts(since, until, grouping.points));
    let mut sums = Sums {
        filter,
        dimensions,
        buckets: starts.len().max(1),
        groups: HashMap::new(),
        of_place: Vec::new(),
        sums: Vec::new(),
        alone: 0,
    };
    counts.tally(starts.get(1..).unwrap_or_default(), &mut sums)?;
    let counted = |events: i64| u64::try_from(events).unwrap_or_default();
    let mut all = counted(sums.alone);
    let mut data = Vec::new();
    for (values, group) in &sums.groups {
        let series: Vec<u64> = sums.of(*group).iter().map(|events| counted(*events)).collect();
        let count = series.iter().sum();
        all += count;
        if count > 0 {
            let value = |value: &String| GroupValue { value: value.clone(), name: None };
            data.push(Group { values: values.iter().map(value).collect(), count, series });
        }
    }
    let exact = data.iter().all(|group| group.values.iter().all(|value| value.value != OTHER));
    let starts = starts.into_iter().map(quarter_start).collect();
    Ok(Groups { data: most(data, grouping.limit), exact, counted: all, since: None, starts })
}

/// The most frequent groups.
fn most(mut groups: Vec<Group>, limit: usize) -> Vec<Group> {
    let values = |group: &Group| group.values.iter().map(|value| value.value.clone()).collect::<Vec<_>>();
    groups.sort_by_cached_key(|group| (std::cmp::Reverse(group.count), values(group)));
    groups.truncate(limit);
    groups
}

/// Adds up the kept counts by group and bucket.
struct Sums<'a> {
    filter: &'a Filter,
    dimensions: &'a [Dimension],
    buckets: usize,
    groups: HashMap<Vec<String>, usize>,
    /// Of each key of the open row: its group, or None in one. The outer None: the filter does not match it.
    of_place: Vec<Option<Option<usize>>>,
    /// By group, then by bucket. May be negative until all cells are added.
    sums: Vec<i64>,
    /// Events that are in no group.
    alone: i64,
}

impl Sums<'_> {
    fn of(&self, group: usize) -> &[i64] {
        &self.sums[group * self.buckets..(group + 1) * self.buckets]
    }

    /// Begins a row, of which `matches` says which keys count.
    fn begin(&mut self, packed: &PackedCells, matches: impl Fn(&super::packed::Key<'_>) -> bool) {
        // A row has hundreds of keys and few values: their texts are looked up once for each pair.
        let mut known: HashMap<[usize; MOST_FIELDS], Option<usize>> = HashMap::new();
        let columns: Vec<Vec<usize>> =
            self.dimensions.iter().map(|dimension| packed.values(*dimension).collect()).collect();
        self.of_place.clear();
        for (place, key) in packed.keys().enumerate() {
            if !matches(&key) {
                self.of_place.push(None);
                continue;
            }
            let mut numbers = [0; MOST_FIELDS];
            for (number, column) in numbers.iter_mut().zip(&columns) {
                *number = column[place];
            }
            let group = *known.entry(numbers).or_insert_with(|| {
                let values = self.dimensions.iter().map(|dimension| key.value(*dimension).map(str::to_owned));
                let next = self.groups.len();
                let group = *self.groups.entry(values.collect::<Option<Vec<_>>>()?).or_insert(next);
                self.sums.resize(self.groups.len() * self.buckets, 0);
                Some(group)
            });
            self.of_place.push(Some(group));
        }
    }
}

impl Tally for Sums<'_> {
    fn open(&mut self, packed: &PackedCells) {
        let filter = self.filter;
        self.begin(packed, |key| matches_key(filter, key));
    }

    fn open_projected(&mut self, packed: &PackedCells) {
        self.begin(packed, |_| true);
    }

    fn projection(&self) -> Option<Projection<'_>> {
        let [first, rest @ ..] = self.dimensions else { return None };
        Some(Projection::new(self.filter, (*first, rest.first().copied())))
    }

    fn add(&mut self, bucket: usize, key: usize, events: i64) {
        match self.of_place[key] {
            Some(Some(group)) => self.sums[group * self.buckets + bucket] += events,
            Some(None) => self.alone += events,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(quarter: i64) -> Timestamp {
        quarter_start(quarter)
    }

    #[test]
    fn points_are_equal_stretches_of_whole_quarter_hours() {
        assert_eq!(starts(at(10), at(14), 30), [10, 11, 12, 13]);
        assert_eq!(starts(at(10), at(20), 4), [10, 13, 16, 19]);
        assert_eq!(starts(Timestamp(at(10).micros() + 1), Timestamp(at(11).micros() + 1), 30), [10, 11]);
        // Long ones are whole days of UTC.
        let days = starts(at(96 + 5), at(96 * 61 + 5), 30);
        assert_eq!((days.len(), days[0], days[1]), (21, 96, 96 * 4));
        assert!(days.len() <= 30);
        assert_eq!(starts(at(10), at(10), 30), Vec::<i64>::new());
    }
}
