//! The most frequent values of a field: of those with rollups exactly, of all others among the newest matching events.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    CountsCache, Effort,
    cells::has_rollup,
    is_complete, open,
    sample::{self, Sample},
};
use crate::{
    db::{Conn, timestamp::Timestamp},
    error::Result,
    event::Event,
    filter::{Dimension, Filter, metadata::each_leaf, rows::Columns},
    index::Index,
};

/// Bytes of different values and names that one count keeps. The values of a field may be long, such as reasons, and an
/// event may have a thousand of them, such as changed fields.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Passes the values of a field in an event to `visit`, each with a name beside it, if there is one.
pub type ValuesOf = fn(&Event, &mut dyn FnMut(&str, Option<&str>));

/// What is counted.
#[derive(Clone)]
pub enum By {
    Dimension(Dimension),
    /// The values, and which columns they need.
    Values(ValuesOf, Columns),
    /// The values at a path in the metadata.
    Metadata(Arc<str>),
}

impl By {
    /// The columns from which its values are read.
    pub(super) fn columns(&self) -> Columns {
        match self {
            Self::Dimension(_) => Columns::Brief,
            Self::Values(_, columns) => *columns,
            Self::Metadata(_) => Columns::All,
        }
    }

    /// Passes the values of an event to `visit`, each with a name beside it, if there is one.
    pub(super) fn each_value(&self, event: &Event, visit: &mut dyn FnMut(&str, Option<&str>)) {
        match self {
            Self::Dimension(dimension) => {
                if let Some(value) = sample::key_of(event).value(*dimension) {
                    visit(value, None);
                }
            }
            Self::Values(values, _) => values(event, visit),
            Self::Metadata(wanted) => each_leaf(&event.parse_metadata(), &mut |path, value| {
                if path == &**wanted {
                    visit(value, None);
                }
            }),
        }
    }
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TopValue {
    #[schema(example = "17")]
    pub value: String,
    /// The newest name beside the value, where the field is an id.
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
    /// Events that have the value.
    #[schema(minimum = 1)]
    pub count: u64,
}

/// The most frequent values of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Top {
    /// Most frequent first; equal ones by value.
    pub data: Vec<TopValue>,
    /// True when every matching event was counted. Otherwise the newest ones were.
    pub exact: bool,
    /// How many matching events were counted, with or without a value.
    #[schema(minimum = 0)]
    pub counted: u64,
    /// When the oldest event that was counted happened, where not all were.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub since: Option<Timestamp>,
}

/// Counts the values of a field in the events that the filter matches. Rollups must be read inside a snapshot.
///
/// # Errors
/// [`crate::Error::NeedsScan`] with [`Effort::Quick`]; the database's.
pub fn top(
    conn: &mut Conn,
    cache: &CountsCache,
    index: &Index,
    filter: &Filter,
    (by, limit): (&By, usize),
    effort: Effort,
) -> Result<Top> {
    match by {
        By::Dimension(dimension) if has_rollup(filter) => {
            let kept = |conn: &mut Conn| kept(conn, cache, filter, (*dimension, limit), effort);
            effort.answer(conn, kept, |conn| newest(conn, index, filter, by, limit))
        }
        _ => newest(conn, index, filter, by, limit),
    }
}

fn kept(
    conn: &mut Conn,
    cache: &CountsCache,
    filter: &Filter,
    (dimension, limit): (Dimension, usize),
    effort: Effort,
) -> Result<Top> {
    let cells = open(conn, cache, filter, &[], effort)?.whole()?.of(filter);
    let values = cells.by(dimension);
    let exact = is_complete(&values);
    let value = |(value, count)| TopValue { value, name: None, count };
    let data = values.into_iter().take(limit).map(value).collect();
    Ok(Top { data, exact, counted: cells.total(), since: None })
}

/// Counts the newest events that are scanned.
fn newest(conn: &mut Conn, index: &Index, filter: &Filter, by: &By, limit: usize) -> Result<Top> {
    let mut counter = Counter::default();
    let Sample { events, is_all, since } = sample::scan(conn, index, filter, by.columns(), |event| {
        counter.begin_event();
        by.each_value(event, &mut |value, name| counter.add(value, name));
    })?;
    let exact = is_all && !counter.is_full;
    Ok(Top { exact, counted: events as u64, since, data: counter.most(limit) })
}

#[derive(Default)]
struct Counter {
    values: HashMap<String, Counted>,
    bytes: usize,
    /// Some values were left out, since there were too many.
    is_full: bool,
    event: u64,
}

#[derive(Default)]
struct Counted {
    name: Option<String>,
    count: u64,
    /// The last event that had the value: an event counts once.
    event: u64,
}

impl Counter {
    fn begin_event(&mut self) {
        self.event += 1;
    }

    fn add(&mut self, value: &str, name: Option<&str>) {
        let name_bytes = name.map_or(0, str::len);
        match self.values.get_mut(value) {
            Some(counted) => {
                counted.count += u64::from(counted.event != self.event);
                counted.event = self.event;
                // The newest events come first.
                if let (None, Some(name)) = (&counted.name, name)
                    && self.bytes + name_bytes <= MOST_BYTES
                {
                    self.bytes += name_bytes;
                    counted.name = Some(name.to_owned());
                }
            }
            None if self.bytes + value.len() + name_bytes + size_of::<Counted>() <= MOST_BYTES => {
                self.bytes += value.len() + name_bytes + size_of::<Counted>();
                let counted = Counted { name: name.map(str::to_owned), count: 1, event: self.event };
                self.values.insert(value.to_owned(), counted);
            }
            None => self.is_full = true,
        }
    }

    fn most(self, limit: usize) -> Vec<TopValue> {
        let value = |(value, Counted { name, count, event: _ })| TopValue { value, name, count };
        let mut all: Vec<TopValue> = self.values.into_iter().map(value).collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        all.truncate(limit);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_once_for_a_value_and_the_newest_name_stays() {
        let mut counter = Counter::default();
        for (value, name) in [("7", Some("Asha Rao")), ("7", Some("Asha")), ("9", None)] {
            counter.begin_event();
            counter.add(value, name);
            counter.add(value, name);
        }
        counter.begin_event();
        counter.add("9", Some("Ben Kim"));
        counter.add("8", None);
        let most = counter.most(2);
        let value =
            |value: &str, name: &str, count| TopValue { value: value.into(), name: Some(name.into()), count };
        assert_eq!(most, [value("7", "Asha Rao", 2), value("9", "Ben Kim", 2)]);
    }

    #[test]
    fn values_without_end_are_bounded_and_said_to_be() {
        let mut counter = Counter::default();
        for n in 0..10_000 {
            counter.begin_event();
            counter.add(&format!("{n:01000}"), None);
        }
        assert!(counter.is_full && counter.values.len() < 4200);
        counter.add(&format!("{:01000}", 1), None);
        assert_eq!(counter.most(1)[0].count, 2, "those that are known are counted on");
    }
}
