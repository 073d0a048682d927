//! Compares the kept counts with the events, and repairs what differs.
//!
//! Each comparison reads one snapshot, a month at a time, so that events that a running server appends or compacts
//! meanwhile do not look like differences. Deltas come first: what is compacted afterwards is compared with its month.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

use diesel::prelude::*;

use super::{
    build::{self, Month},
    calendar, damaged, delta,
    keys::{self, Registry},
    packed::{CellsBuilder, PackedCells},
    rows::{self, Grain, State},
    sql,
};
use crate::{
    db::{
        self, Conn, roles,
        schema::{count_deltas, event_counts, workspace_sequences},
        timestamp::Timestamp,
    },
    error::Result,
    event::Log,
};

/// How often the deltas are compared again when somebody compacts meanwhile.
const TRIES: usize = 20;
/// Deltas in memory at a time.
const STEP: usize = 100;

/// A difference between the kept counts and the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Rollups of a log's month.
    Month {
        log: Log,
        /// Since January 1970.
        month: i32,
        /// How many rows differ. Unreadable rows count no events.
        rows: usize,
        unreadable: usize,
        /// How many events there are, how many the rows of the days count, and how many the row of the month.
        events: u64,
        by_day: u64,
        by_month: u64,
    },
    /// A delta, or events without one. `counted` is None when the delta cannot be read.
    Waiting { seqs: RangeInclusive<i64>, events: u64, counted: Option<u64> },
    /// Values or combinations of a log that should be registered as counted by themselves.
    Unregistered { log: Log, missing: usize },
    /// The compacted seq is greater than the last event's.
    Ahead { compacted_seq: i64, last_seq: i64 },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month { log, month, rows, unreadable, events, by_day, by_month } => {
                let (year, month) = (1970 + month.div_euclid(12), month.rem_euclid(12) + 1);
                let rows = if *rows == 1 { "1 row differs".into() } else { format!("{rows} rows differ") };
                write!(f, "{log} {year}-{month:02}: {rows}: {events} events, ")?;
                write!(f, "counted as {by_day} by day and {by_month} by month")?;
                if *unreadable > 0 {
                    write!(f, "; {unreadable} cannot be read")?;
                }
                Ok(())
            }
            Self::Waiting { seqs, events, counted } => {
                write!(f, "seq {} to {}, yet to be compacted: {events} events, ", seqs.start(), seqs.end())?;
                match counted {
                    Some(counted) => write!(f, "counted as {counted}"),
                    None => write!(f, "what is counted cannot be read"),
                }
            }
            Self::Unregistered { log, missing } => {
                write!(f, "{log}: {missing} values or combinations are not registered as counted")
            }
            Self::Ahead { compacted_seq, last_seq } => {
                write!(f, "compacted up to seq {compacted_seq}, and the last one is {last_seq}")
            }
        }
    }
}

/// The result of comparing a workspace.
#[derive(Debug, PartialEq, Eq)]
pub enum Checked {
    /// Nothing was compared: the rollups of older events are still being built.
    Unbuilt,
    Compared(Vec<Difference>),
}

/// Compares a workspace's counts with its events. `repair`: builds what is still unbuilt, then rebuilds what differs.
/// `progress` gets the number of months that are done, and of all months.
///
/// # Errors
/// The database's; `Busy` when others keep compacting. What was repaired before the error stays repaired.
pub fn check(
    conn: &mut Conn,
    workspace_id: i32,
    repair: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Checked> {
    while rows::state(conn, workspace_id)?.unbuilt_from.is_some() {
        if !repair {
            return Ok(Checked::Unbuilt);
        }
        build::advance(conn, workspace_id)?;
    }
    let mut differences: Vec<Difference> = keys::check(conn, workspace_id, repair)?
        .into_iter()
        .map(|(log, missing)| Difference::Unregistered { log, missing })
        .collect();
    differences.extend(check_waiting(conn, workspace_id, repair)?);
    let months = months(conn, workspace_id)?;
    for (done, month) in (1..).zip(&months) {
        let found = compare(conn, workspace_id, *month)?;
        if repair && !found.is_empty() {
            build::rebuild(conn, workspace_id, *month)?;
        }
        differences.extend(found);
        progress(done, months.len() as u64);
    }
    Ok(Checked::Compared(differences))
}

/// Every month that has events or rows. Rows of times that no event can have are ignored, since no query reads them.
fn months(conn: &mut Conn, workspace_id: i32) -> Result<BTreeSet<i32>> {
    let days = calendar::day_of(calendar::quarter_of(calendar::EARLIEST))
        ..calendar::day_of(calendar::quarter_of(calendar::LATEST));
    let rows: Vec<(i16, i32)> = event_counts::table
        .filter(event_counts::workspace_id.eq(workspace_id))
        .select((event_counts::grain, event_counts::bucket))
        .distinct()
        .load(conn)?;
    let mut months = BTreeSet::new();
    for (grain, bucket) in rows {
        let day = if grain == Grain::Day.number() { bucket.into() } else { calendar::month_start(bucket) };
        if days.contains(&day) {
            months.insert(calendar::month_of(day));
        }
    }
    let mut from = calendar::EARLIEST;
    while let Some(next) = sql::next_event(conn, workspace_id, from)? {
        let month = calendar::month_of(calendar::day_of(calendar::quarter_of(next)));
        months.insert(month);
        from = calendar::day_start(calendar::month_start(month + 1));
    }
    Ok(months)
}

/// The differences in a month's rows, at most one per log.
fn compare(conn: &mut Conn, workspace_id: i32, month: i32) -> Result<Vec<Difference>> {
    let (counted, stored) = roles::as_reader(conn, workspace_id, |conn| -> Result<_> {
        let compacted_seq = rows::state(conn, workspace_id)?.compacted_seq;
        let counted = Month::count(conn, workspace_id, month, compacted_seq)?;
        Ok((counted, rows::of_month(conn, workspace_id, build::buckets(month)?)?))
    })?;
    let mut differences = Vec::new();
    for &log in Log::ALL {
        let keys: BTreeSet<_> =
            counted.rows.keys().chain(stored.keys()).filter(|(key_log, ..)| *key_log == log).collect();
        let (mut rows, mut unreadable) = (0, 0);
        let (mut events, mut by_day, mut by_month) = (0, 0, 0);
        for key in keys {
            let expected = counted.rows.get(key).map_or_else(|| Ok(PackedCells::default()), pack)?;
            let kept = stored
                .get(key)
                .map_or_else(|| Some(PackedCells::default()), |c| PackedCells::parse(c.clone()));
            unreadable += usize::from(kept.is_none());
            rows += usize::from(kept.as_ref().is_none_or(|kept| kept.unpack() != expected.unpack()));
            let kept = kept.as_ref().map_or(0, total);
            if key.1 == Grain::Day {
                events += total(&expected);
                by_day = kept.saturating_add(by_day);
            } else {
                by_month = kept;
            }
        }
        if rows > 0 {
            differences.push(Difference::Month { log, month, rows, unreadable, events, by_day, by_month });
        }
    }
    Ok(differences)
}

fn pack(draft: &CellsBuilder) -> Result<PackedCells> {
    PackedCells::parse(draft.pack()).ok_or_else(damaged)
}

fn total(packed: &PackedCells) -> u64 {
    packed.unpack().values().fold(0, |sum: u64, events| sum.saturating_add(*events))
}

/// The cells, by log, of consecutive events.
#[derive(Default)]
struct Stretch {
    drafts: BTreeMap<i16, CellsBuilder>,
    events: usize,
}

impl Stretch {
    /// Counts the events after a seq, in stretches that end with these seqs.
    fn count(
        conn: &mut Conn,
        workspace_id: i32,
        after: i64,
        ends: impl Iterator<Item = i64>,
    ) -> Result<Vec<(i64, Self)>> {
        let mut stretches: Vec<(i64, Self)> = ends.map(|end| (end, Self::default())).collect();
        let last = stretches.last().map_or(after, |(end, _)| *end);
        let mut place = 0;
        let mut registries = Registry::load_all(conn, workspace_id)?;
        sql::visit(conn, workspace_id, after, last, |seq, log, quarter, key| {
            while stretches[place].0 < seq {
                place += 1;
            }
            let stretch = &mut stretches[place].1;
            let key = keys::counted(&mut registries, log, key);
            stretch.drafts.entry(log.number()).or_default().add(quarter, key, 1);
            stretch.events += 1;
            Ok(())
        })?;
        Ok(stretches)
    }
}

/// A row of `count_deltas`: seq, number of events, number of cells, packed cells.
type Delta = (i64, i32, i32, Vec<u8>);

/// Compares a delta with the cells that it should have. Returns how many events it counts (None when it is damaged),
/// and whether it is correct.
fn hold_against((_, events, cell_count, cells): &Delta, expected: &Stretch) -> Result<(Option<u64>, bool)> {
    let Ok(kept) = delta::parse(cells, None) else { return Ok((None, false)) };
    let counted = kept.iter().fold(0, |sum: u64, (_, packed)| sum.saturating_add(total(packed)));
    let mut same = kept.len() == expected.drafts.len();
    for ((log, draft), (kept_log, kept)) in expected.drafts.iter().zip(&kept) {
        same &= log == kept_log && pack(draft)?.unpack() == kept.unpack();
    }
    let expected_cells: usize = expected.drafts.values().map(CellsBuilder::len).sum();
    let sizes = (usize::try_from(*events).ok(), usize::try_from(*cell_count).ok());
    Ok((Some(counted), same && sizes == (Some(expected.events), Some(expected_cells))))
}

/// The deltas and their differences, from one snapshot.
#[derive(Default)]
struct Waiting {
    state: State,
    last_seq: i64,
    differences: Vec<Difference>,
    /// The cells that the delta with this seq should have.
    expected: Vec<(i64, Stretch)>,
}

impl Waiting {
    fn compare(conn: &mut Conn, workspace_id: i32) -> Result<Self> {
        let state = rows::state(conn, workspace_id)?;
        let last_seq = workspace_sequences::table
            .find(workspace_id)
            .select(workspace_sequences::last_seq)
            .first(conn)
            .optional()?;
        let mut waiting = Self { state, last_seq: last_seq.unwrap_or_default(), ..Self::default() };
        let last_seq = waiting.last_seq;
        if state.compacted_seq > last_seq {
            waiting.differences.push(Difference::Ahead { compacted_seq: state.compacted_seq, last_seq });
        }
        let mut after = state.compacted_seq.min(last_seq);
        let mut read = i64::MIN;
        loop {
            let deltas: Vec<Delta> = count_deltas::table
                .filter(count_deltas::workspace_id.eq(workspace_id))
                .filter(count_deltas::seq.gt(read))
                .order(count_deltas::seq.asc())
                .limit(STEP as i64)
                .select((
                    count_deltas::seq,
                    count_deltas::events,
                    count_deltas::cell_count,
                    count_deltas::cells,
                ))
                .load(conn)?;
            let Some((newest, ..)) = deltas.last() else { break };
            read = *newest;
            let (due, stray): (Vec<_>, Vec<_>) =
                deltas.into_iter().partition(|(seq, ..)| (after + 1..=last_seq).contains(seq));
            for delta in stray {
                waiting.note(delta.0..=delta.0, Some(&delta), Stretch::default())?;
            }
            let expected = Stretch::count(conn, workspace_id, after, due.iter().map(|(seq, ..)| *seq))?;
            for (delta, (seq, expected)) in due.iter().zip(expected) {
                waiting.note(after + 1..=seq, Some(delta), expected)?;
                after = seq;
            }
        }
        for (seq, expected) in Stretch::count(conn, workspace_id, after, std::iter::once(last_seq))? {
            if expected.events > 0 {
                waiting.note(after + 1..=seq, None, expected)?;
            }
        }
        Ok(waiting)
    }

    /// Records a delta that differs from the cells it should have.
    fn note(&mut self, seqs: RangeInclusive<i64>, delta: Option<&Delta>, expected: Stretch) -> Result<()> {
        let (counted, same) = match delta {
            Some(delta) => hold_against(delta, &expected)?,
            None => (Some(0), false),
        };
        if !same {
            let (end, events) = (*seqs.end(), expected.events as u64);
            self.differences.push(Difference::Waiting { seqs, events, counted });
            self.expected.push((end, expected));
        }
        Ok(())
    }

    /// False when somebody has compacted or repaired since the comparison.
    fn repair(&self, conn: &mut Conn, workspace_id: i32) -> Result<bool> {
        conn.transaction(|conn| {
            let state = rows::lock_state(conn, workspace_id)?;
            if (state.revision, state.compacted_seq) != (self.state.revision + 1, self.state.compacted_seq) {
                return Ok(false);
            }
            for (seq, expected) in &self.expected {
                diesel::delete(count_deltas::table.find((workspace_id, seq))).execute(conn)?;
                if expected.events > 0 {
                    delta::insert(
                        conn,
                        workspace_id,
                        *seq,
                        Timestamp::now(),
                        expected.events,
                        &expected.drafts,
                    )?;
                }
            }
            let compacted_seq = state.compacted_seq.min(self.last_seq);
            rows::set_state(conn, workspace_id, State { compacted_seq, ..state })?;
            Ok(true)
        })
    }
}

fn check_waiting(conn: &mut Conn, workspace_id: i32, repair: bool) -> Result<Vec<Difference>> {
    for _ in 0..TRIES {
        let waiting = roles::as_reader(conn, workspace_id, |conn| Waiting::compare(conn, workspace_id))?;
        if !repair || waiting.differences.is_empty() || waiting.repair(conn, workspace_id)? {
            return Ok(waiting.differences);
        }
    }
    Err(db::Error::Busy.into())
}
