//! Groups of the newest events that match, by scanning them.

use std::collections::HashMap;

use super::{Group, GroupValue, Grouping, Groups, most, starts};
use crate::{
    counts::{
        calendar::{QUARTER_MICROS, quarter_of, quarter_start},
        sample::{self, Sample},
        top::By,
    },
    db::{Conn, timestamp::Timestamp},
    error::Result,
    event::Event,
    filter::{Filter, rows::Columns},
    index::Index,
};

/// Bytes of values and names that one count keeps.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Memberships that one count keeps: an event may be in many groups, such as one for each changed field.
const MOST_MEMBERSHIPS: usize = 100_000;

/// Groups the newest events that are scanned.
pub(super) fn groups(conn: &mut Conn, index: &Index, filter: &Filter, grouping: &Grouping) -> Result<Groups> {
    let mut members = Members::default();
    let mut times: Option<(Timestamp, Timestamp)> = None;
    let is_brief = grouping.by.iter().all(|by| by.columns() == Columns::Brief);
    let columns = if is_brief { Columns::Brief } else { Columns::All };
    let Sample { events, is_all, since } = sample::scan(conn, index, filter, columns, |event| {
        times = Some((event.occurred_at, times.map_or(event.occurred_at, |(_, newest)| newest)));
        members.add(event, &grouping.by);
    })?;
    let points = times.map(|(oldest, newest)| {
        let since = since.or(filter.since).unwrap_or(oldest);
        let until = filter.until.unwrap_or(Timestamp(newest.micros() + 1));
        starts(since, until.max(Timestamp(since.micros() + QUARTER_MICROS)), grouping.points)
    });
    let points = points.unwrap_or_default();
    let exact = is_all && !members.is_full;
    let data = most(members.groups(&points), grouping.limit);
    let starts = points.into_iter().map(quarter_start).collect();
    Ok(Groups { data, exact, counted: events as u64, since, starts })
}

/// Which events are in which group, while they are scanned.
#[derive(Default)]
struct Members {
    groups: HashMap<Vec<String>, usize>,
    /// By group: the names beside its values, and the quarter hours of its events.
    found: Vec<(Vec<Option<String>>, Vec<i64>)>,
    bytes: usize,
    memberships: usize,
    /// Some groups or events were left out, since there were too many.
    is_full: bool,
}

/// A value with the name beside it.
type Named = (String, Option<String>);

impl Members {
    fn add(&mut self, event: &Event, by: &[By]) {
        let quarter = quarter_of(event.occurred_at);
        let [first, rest @ ..] = by else { return };
        for one in values(event, first) {
            match rest.first() {
                None => self.add_one(vec![one], quarter),
                Some(second) => {
                    for other in values(event, second) {
                        self.add_one(vec![one.clone(), other], quarter);
                    }
                }
            }
        }
    }

    fn add_one(&mut self, named: Vec<Named>, quarter: i64) {
        let bytes: usize =
            named.iter().map(|(value, name)| value.len() + name.as_ref().map_or(0, String::len)).sum();
        let (key, names): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        let known = self.groups.get(&key).copied();
        let cost = if known.is_some() { 0 } else { bytes + size_of::<(Vec<String>, usize)>() };
        if self.memberships == MOST_MEMBERSHIPS || self.bytes + cost > MOST_BYTES {
            self.is_full = true;
            return;
        }
        (self.memberships, self.bytes) = (self.memberships + 1, self.bytes + cost);
        match known {
            Some(group) => {
                // The newest events come first: the first name that is known stays.
                for (have, name) in self.found[group].0.iter_mut().zip(names) {
                    if have.is_none() && self.bytes < MOST_BYTES {
                        self.bytes += name.as_ref().map_or(0, String::len);
                        *have = name;
                    }
                }
                self.found[group].1.push(quarter);
            }
            None => {
                self.groups.insert(key, self.found.len());
                self.found.push((names, vec![quarter]));
            }
        }
    }

    fn groups(self, points: &[i64]) -> Vec<Group> {
        let mut found = self.found;
        let group = |(values, group): (Vec<String>, usize)| {
            let (names, quarters) = std::mem::take(&mut found[group]);
            let value = |(value, name)| GroupValue { value, name };
            let mut series = vec![0; points.len()];
            for quarter in &quarters {
                let point = points.partition_point(|start| start <= quarter).saturating_sub(1);
                if let Some(count) = series.get_mut(point) {
                    *count += 1;
                }
            }
            Group {
                values: values.into_iter().zip(names).map(value).collect(),
                count: quarters.len() as u64,
                series,
            }
        };
        self.groups.into_iter().map(group).collect()
    }
}

/// The different values of a field in an event.
fn values(event: &Event, by: &By) -> HashMap<String, Option<String>> {
    let mut all = HashMap::new();
    by.each_value(event, &mut |value, name| {
        if !all.contains_key(value) {
            all.insert(value.to_owned(), name.map(str::to_owned));
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_without_end_are_bounded_and_said_to_be() {
        let mut members = Members::default();
        for n in 0..10_000 {
            members.add_one(vec![(format!("{n:01000}"), None), ("x".into(), None)], 7);
        }
        assert!(members.is_full && members.groups.len() < 4200);
        let mut members = Members::default();
        for _ in 0..=MOST_MEMBERSHIPS {
            members.add_one(vec![("x".into(), None)], 7);
        }
        assert!(members.is_full);
        assert_eq!(members.groups(&[0, 7])[0].series, [0, MOST_MEMBERSHIPS as u64]);
    }
}
