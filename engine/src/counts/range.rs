//! Reads the counts of a range: adds up rollups, deltas, and the ends of the range that no rollup covers.
//!
//! ```text
//! since 09:20                                                          until 17:50
//!     |·|--quarter hours--|------------- whole UTC days -----------|--quarters--|·|
//!     SQL     day's row                  months' rows                 day's row  SQL
//! ```
//!
//! A day that is cut, by an end of the range or by the border of a bucket, needs the cells of its quarter hours. Its
//! largest piece is computed from the whole day's cells, minus those of the other pieces.

use std::{collections::HashMap, sync::Arc};

use super::{
    CountsCache, Effort,
    budget::Budget,
    cache::KnownPlaces,
    calendar::{self, DAY_QUARTERS},
    cells::matches_key,
    damaged, delta,
    keys::{OTHER, Registry},
    packed::{PackedCells, Slot},
    projection::Projection,
    rows::{self, Grain, Row, Rows},
    sql,
};
use crate::{
    db::{Conn, timestamp::Timestamp},
    error::Result,
    filter::Filter,
};

/// From this many cut days on, projections are worth their place in the cache.
const MANY_DAYS: usize = 8;

/// Adds up the cells of a range. `open` begins a row; `add` then gets its cells.
pub trait Tally {
    fn open(&mut self, packed: &PackedCells);
    /// Begins a row that was projected with [`Tally::projection`].
    fn open_projected(&mut self, packed: &PackedCells) {
        self.open(packed);
    }
    /// What rows may be projected onto. None: every dimension is needed.
    fn projection(&self) -> Option<Projection<'_>> {
        None
    }
    /// `key` is the index of a key of the open row; `events` may be negative.
    fn add(&mut self, bucket: usize, key: usize, events: i64);
}

/// The cells of a range, loaded but not added up.
pub struct RangeCounts<'a> {
    conn: &'a mut Conn,
    cache: &'a CountsCache,
    rollups: Rows,
    /// Quarter hours, `from <= quarter < to`.
    from: i64,
    to: i64,
    /// Cells by day.
    months: Vec<Row>,
    /// Cells by quarter hour, of the days that were needed.
    days: HashMap<i64, Arc<PackedCells>>,
    /// Cells by quarter hour that are not compacted yet.
    deltas: Vec<PackedCells>,
    /// Cells by quarter hour that were counted from events; all of them are in the range.
    counted: Vec<PackedCells>,
    budget: Budget,
}

/// A day that is cut: pieces of quarter hours, each with its bucket, or None outside the range.
struct CutDay {
    day: i64,
    pieces: Vec<(i64, i64, Option<usize>)>,
    /// The bucket of the largest piece, which gets all of the day's cells first.
    given: Option<usize>,
}

impl<'a> RangeCounts<'a> {
    /// Loads the cells of the filter's range; the caller applies its other conditions. The connection must be in a
    /// snapshot.
    ///
    /// # Errors
    /// The database's, or damaged bytes.
    pub fn open(conn: &'a mut Conn, cache: &'a CountsCache, filter: &Filter, effort: Effort) -> Result<Self> {
        let (start, end) =
            (filter.since.unwrap_or(calendar::EARLIEST), filter.until.unwrap_or(calendar::LATEST));
        let mut kept =
            Self { budget: Budget::new(effort), ..Self::from_counted(conn, cache, filter, Vec::new()) };
        if start >= end {
            return Ok(kept);
        }
        let workspace_id = filter.workspace_id;
        if rows::state(kept.conn, workspace_id)?.unbuilt_from.is_some() {
            kept.count(start, end)?;
            return Ok(kept);
        }
        let (from, to) = (calendar::quarter_from(start), calendar::quarter_of(end));
        if from > to {
            kept.count(start, end)?;
            return Ok(kept);
        }
        kept.count(start, calendar::quarter_start(from))?;
        kept.count(calendar::quarter_start(to), end)?;
        if from < to {
            (kept.from, kept.to) = (from, to);
            kept.deltas = delta::waiting(kept.conn, workspace_id, filter.log, &mut kept.budget)?;
            let months =
                (calendar::month_of(calendar::day_of(from)), calendar::month_of(calendar::day_of(to - 1)));
            kept.months = kept.rollups.load(kept.conn, cache, months, |_| true, &mut kept.budget)?;
        }
        Ok(kept)
    }

    /// With cells by quarter hour that were counted already, and no others.
    pub fn from_counted(
        conn: &'a mut Conn,
        cache: &'a CountsCache,
        filter: &Filter,
        counted: Vec<PackedCells>,
    ) -> Self {
        let rollups = Rows { workspace_id: filter.workspace_id, log: filter.log, grain: Grain::Month };
        let (months, days, deltas) = (Vec::new(), HashMap::new(), Vec::new());
        let budget = Budget::new(Effort::Scan);
        Self { conn, cache, rollups, from: 0, to: 0, months, days, deltas, counted, budget }
    }

    fn count(&mut self, from: Timestamp, to: Timestamp) -> Result<()> {
        if from < to {
            let Rows { workspace_id, log, .. } = self.rollups;
            let draft = sql::count(self.conn, workspace_id, log, (from, to))?;
            self.counted.push(PackedCells::parse(draft.pack()).ok_or_else(damaged)?);
        }
        Ok(())
    }

    /// Passes every cell of the range to `tally`. `borders` are the quarter hours at which buckets 1, 2, 3 … begin, in
    /// order.
    ///
    /// # Errors
    /// The database's, or damaged bytes.
    pub fn tally(&mut self, borders: &[i64], tally: &mut impl Tally) -> Result<()> {
        let projection = tally.projection();
        let months = self.months.iter().map(|row| {
            let bucket = self.bucket_of(&row.packed, borders);
            // The totals of a whole month are quick. Its days are not: many questions are about the same ones.
            let projected = projection.as_ref().and_then(|projection| match bucket {
                Some(_) => self.rollups.known_projection(self.cache, row, projection),
                None => Some(self.rollups.projected(self.cache, row, projection)),
            });
            (row, bucket, projected)
        });
        let months: Vec<_> = months.collect();
        let mut cut = Vec::new();
        for (row, bucket, projected) in months {
            let month = match &projected {
                Some(projected) => {
                    tally.open_projected(projected);
                    projected
                }
                None => {
                    tally.open(&row.packed);
                    &row.packed
                }
            };
            if let Some(bucket) = bucket {
                let totals = month.totals().iter().enumerate().filter(|(_, events)| **events > 0);
                totals.for_each(|(key, events)| tally.add(bucket, key, *events as i64));
                continue;
            }
            for slot in month.slots_within(calendar::day_of(self.from), calendar::day_of(self.to - 1) + 1) {
                let day = self.cut(slot.at, borders);
                if let Some(bucket) = day.given {
                    month.cells(slot).for_each(|(key, events)| tally.add(bucket, key, events as i64));
                }
                if day.pieces.len() > 1 {
                    cut.push(day);
                }
            }
        }
        let days = cut.iter().map(|cut| cut.day);
        let projected = match tally.projection().filter(|_| cut.len() >= MANY_DAYS) {
            Some(projection) => Some(self.projected_days(days, &projection)?),
            None => {
                self.load_days(days)?;
                None
            }
        };
        for CutDay { day, pieces, given } in cut {
            let packed = match &projected {
                Some(days) => {
                    let packed = days.get(&day).ok_or_else(damaged)?;
                    tally.open_projected(packed);
                    packed
                }
                None => {
                    let packed = self.days.get(&day).ok_or_else(damaged)?;
                    tally.open(packed);
                    packed
                }
            };
            for (from, to, bucket) in pieces {
                if bucket != given {
                    for (key, events) in
                        packed.slots_within(from, to).iter().flat_map(|slot| packed.cells(slot))
                    {
                        if let Some(bucket) = bucket {
                            tally.add(bucket, key, events as i64);
                        }
                        if let Some(given) = given {
                            tally.add(given, key, -(events as i64));
                        }
                    }
                }
            }
        }
        for (packed, slots) in self.loose() {
            tally.open(packed);
            for slot in slots {
                let bucket = borders.partition_point(|border| *border <= slot.at);
                packed.cells(slot).for_each(|(key, events)| tally.add(bucket, key, events as i64));
            }
        }
        Ok(())
    }

    /// Where the keys of rows have their sums.
    pub(super) fn known_places(&self) -> KnownPlaces {
        let Rows { workspace_id, log, .. } = self.rollups;
        self.cache.known_places(workspace_id, log)
    }

    /// Whether some events of these rows may not be counted by themselves.
    pub fn has_others(&self) -> bool {
        self.months.iter().any(|month| month.packed.has_text(OTHER))
            || self.loose().any(|(cells, _)| cells.has_text(OTHER))
    }

    /// Which of the values that the filters name are counted by themselves.
    ///
    /// # Errors
    /// The database's.
    pub fn registered(&mut self, filters: &[&Filter]) -> Result<Registry> {
        let Rows { workspace_id, log, .. } = self.rollups;
        Registry::load_named(self.conn, workspace_id, log, filters)
    }

    /// The cells of the range that are in no rollup.
    fn loose(&self) -> impl Iterator<Item = (&PackedCells, &[Slot])> {
        let deltas = self.deltas.iter().map(|packed| (packed, packed.slots_within(self.from, self.to)));
        deltas.chain(self.counted.iter().map(|packed| (packed, packed.slots())))
    }

    /// The bucket that has a whole month.
    fn bucket_of(&self, month: &PackedCells, borders: &[i64]) -> Option<usize> {
        let (first, last) = (month.slots().first()?, month.slots().last()?);
        let (start, end) = (first.at * DAY_QUARTERS, (last.at + 1) * DAY_QUARTERS);
        let bucket = borders.partition_point(|border| *border <= start);
        let is_cut = borders.get(bucket).is_some_and(|border| *border < end);
        (self.from <= start && end <= self.to && !is_cut).then_some(bucket)
    }

    fn cut(&self, day: i64, borders: &[i64]) -> CutDay {
        let (start, end) = (day * DAY_QUARTERS, (day + 1) * DAY_QUARTERS);
        let (first, last) = (start.max(self.from), end.min(self.to));
        let mut pieces = Vec::new();
        if start < first {
            pieces.push((start, first, None));
        }
        let mut bucket = borders.partition_point(|border| *border <= first);
        let mut from = first;
        while from < last {
            let to = borders.get(bucket).map_or(last, |border| last.min(*border));
            pieces.push((from, to, Some(bucket)));
            bucket += 1;
            from = to;
        }
        if last < end {
            pieces.push((last, end, None));
        }
        let largest = pieces.iter().max_by_key(|(from, to, _)| to - from);
        let given = largest.and_then(|(.., bucket)| *bucket);
        CutDay { day, pieces, given }
    }

    fn load_days(&mut self, days: impl Iterator<Item = i64>) -> Result<()> {
        let wanted: Vec<i32> = days
            .filter(|day| !self.days.contains_key(day))
            .filter_map(|day| i32::try_from(day).ok())
            .collect();
        let rollups = Rows { grain: Grain::Day, ..self.rollups };
        let mut load = |range, wanted: &dyn Fn(i32) -> bool| -> Result<()> {
            let rows = rollups.load(self.conn, self.cache, range, wanted, &mut self.budget)?;
            self.days.extend(rows.into_iter().map(|row| (i64::from(row.bucket), row.packed)));
            Ok(())
        };
        match *wanted.as_slice() {
            [] => Ok(()),
            // The two ends of a range. The rows between them are not needed.
            [first, last] => {
                load((first, first), &|_| true)?;
                load((last, last), &|_| true)
            }
            [first, .., last] => load((first, last), &|day| wanted.binary_search(&day).is_ok()),
            [only] => load((only, only), &|_| true),
        }
    }

    fn projected_days(
        &mut self,
        days: impl Iterator<Item = i64>,
        projection: &Projection<'_>,
    ) -> Result<HashMap<i64, Arc<PackedCells>>> {
        let wanted: Vec<i32> = days.filter_map(|day| i32::try_from(day).ok()).collect();
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(HashMap::new()) };
        let rollups = Rows { grain: Grain::Day, ..self.rollups };
        let is_wanted = |day| wanted.binary_search(&day).is_ok();
        let range = (*first, *last);
        let (conn, budget) = (&mut *self.conn, &mut self.budget);
        let rows = rollups.load_projected(conn, self.cache, range, is_wanted, projection, budget)?;
        Ok(rows.into_iter().map(|(day, packed)| (i64::from(day), packed)).collect())
    }

    /// The first and last quarter hour with an event that the filter matches.
    ///
    /// # Errors
    /// The database's, or damaged bytes.
    pub fn first_and_last(&mut self, filter: &Filter) -> Result<Option<(i64, i64)>> {
        let mut days = Vec::new();
        for Row { packed: month, .. } in &self.months {
            let matching = matching_keys(month, filter);
            for slot in month.slots_within(calendar::day_of(self.from), calendar::day_of(self.to - 1) + 1) {
                if has_any(month, slot, &matching) {
                    days.push(slot.at);
                }
            }
        }
        let mut ends: Vec<i64> = Vec::new();
        for (packed, slots) in self.loose() {
            let matching = matching_keys(packed, filter);
            let mut found = slots.iter().filter(|slot| has_any(packed, slot, &matching)).map(|slot| slot.at);
            let first = found.next();
            ends.extend(found.next_back());
            ends.extend(first);
        }
        // All of a day's events may lie outside the range; then the next day decides.
        for day in &days {
            if let Some((first, _)) = self.ends_in(*day, filter)? {
                ends.push(first);
                break;
            }
        }
        for day in days.iter().rev() {
            if let Some((_, last)) = self.ends_in(*day, filter)? {
                ends.push(last);
                break;
            }
        }
        Ok(ends.iter().copied().min().zip(ends.iter().copied().max()))
    }

    fn ends_in(&mut self, day: i64, filter: &Filter) -> Result<Option<(i64, i64)>> {
        self.load_days(std::iter::once(day))?;
        let packed = self.days.get(&day).ok_or_else(damaged)?;
        let matching = matching_keys(packed, filter);
        let slots = packed.slots_within(self.from, self.to).iter();
        let mut found = slots.filter(|slot| has_any(packed, slot, &matching)).map(|slot| slot.at);
        let Some(first) = found.next() else { return Ok(None) };
        Ok(Some((first, found.next_back().unwrap_or(first))))
    }
}

fn matching_keys(packed: &PackedCells, filter: &Filter) -> Vec<bool> {
    packed.keys().map(|key| matches_key(filter, &key)).collect()
}

fn has_any(packed: &PackedCells, slot: &Slot, matching: &[bool]) -> bool {
    packed.cells(slot).any(|(key, events)| matching[key] && events > 0)
}
