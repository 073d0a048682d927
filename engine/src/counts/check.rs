//! Compares the kept counts with the events, and mends what differs.
//!
//! What is compared is read in one snapshot, a month at a time, so that nothing that a running server appends and compacts
//! meanwhile looks like a difference. What waits to be compacted comes first: what is compacted afterwards is looked at with its
//! month.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

use diesel::prelude::*;

use super::{
    build::{self, Month},
    calendar, damaged, delta,
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

/// How often what waits is compared anew when somebody compacts meanwhile.
const TRIES: usize = 20;
/// Deltas in memory at a time.
const STEP: usize = 100;

/// What the kept counts say that the events do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Rows of a log's month.
    Month {
        log: Log,
        /// Since January 1970.
        month: i32,
        /// How many rows differ; those that cannot be read count as none.
        rows: usize,
        unreadable: usize,
        /// How many events there are, and what the rows of the days and the row of the month say.
        events: u64,
        by_day: u64,
        by_month: u64,
    },
    /// What waits to be compacted. `counted` is None when it cannot be read.
    Waiting { seqs: RangeInclusive<i64>, events: u64, counted: Option<u64> },
    /// Compaction claims to have come further than there are events.
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
            Self::Ahead { compacted_seq, last_seq } => {
                write!(f, "compacted up to seq {compacted_seq}, and the last one is {last_seq}")
            }
        }
    }
}

/// What came of comparing a workspace.
#[derive(Debug, PartialEq, Eq)]
pub enum Checked {
    /// Nothing was compared: counts of events that were there before are still being made.
    Unbuilt,
    Compared(Vec<Difference>),
}

/// Compares a workspace's counts with its events. `mend`: what differs is made of the events again, and what is still to
/// be built is built first. `progress` is told how many parts are done, and of how many.
///
/// # Errors
/// The database's; `Busy` when others compact all the time. What was mended until then stays so.
pub fn check(
    conn: &mut Conn,
    workspace_id: i32,
    mend: bool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Checked> {
    while rows::state(conn, workspace_id)?.unbuilt_from.is_some() {
        if !mend {
            return Ok(Checked::Unbuilt);
        }
        build::advance(conn, workspace_id)?;
    }
    let mut differences = check_waiting(conn, workspace_id, mend)?;
    let months = months(conn, workspace_id)?;
    for (done, month) in (1..).zip(&months) {
        let found = compare(conn, workspace_id, *month)?;
        if mend && !found.is_empty() {
            build::rebuild(conn, workspace_id, *month)?;
        }
        differences.extend(found);
        progress(done, months.len() as u64);
    }
    Ok(Checked::Compared(differences))
}

/// Every month that has events or rows. Rows of times that no event can have are not seen by anybody.
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

/// What differs in a month's rows, one for each log.
fn compare(conn: &mut Conn, workspace_id: i32, month: i32) -> Result<Vec<Difference>> {
    let (counted, stored) = roles::as_reader(conn, workspace_id, |conn| -> Result<_> {
        let compacted_seq = rows::state(conn, workspace_id)?.compacted_seq;
        let counted = Month::count(conn, workspace_id, month, compacted_seq)?;
        Ok((counted, rows::of_month(conn, workspace_id, build::buckets(month)?)?))
    })?;
    let mut differences = Vec::new();
    for &log in Log::ALL {
        let keys: BTreeSet<_> =
            counted.rows.keys().chain(stored.keys()).filter(|(of, ..)| *of == log).collect();
        let (mut rows, mut unreadable) = (0, 0);
        let (mut events, mut by_day, mut by_month) = (0, 0, 0);
        for key in keys {
            let right = counted.rows.get(key).map_or_else(|| Ok(PackedCells::default()), pack)?;
            let kept = stored
                .get(key)
                .map_or_else(|| Some(PackedCells::default()), |c| PackedCells::parse(c.clone()));
            unreadable += usize::from(kept.is_none());
            rows += usize::from(kept.as_ref().is_none_or(|kept| kept.unpack() != right.unpack()));
            let kept = kept.as_ref().map_or(0, total);
            if key.1 == Grain::Day {
                events += total(&right);
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

/// The cells of events that follow each other by seq, by log.
#[derive(Default)]
struct Stretch {
    drafts: BTreeMap<i16, CellsBuilder>,
    events: usize,
}

impl Stretch {
    /// Counts the events beyond a seq in stretches that end with these.
    fn count(
        conn: &mut Conn,
        workspace_id: i32,
        after: i64,
        ends: impl Iterator<Item = i64>,
    ) -> Result<Vec<(i64, Self)>> {
        let mut stretches: Vec<(i64, Self)> = ends.map(|end| (end, Self::default())).collect();
        let last = stretches.last().map_or(after, |(end, _)| *end);
        let mut place = 0;
        sql::visit(conn, workspace_id, after, last, |seq, log, quarter, key| {
            while stretches[place].0 < seq {
                place += 1;
            }
            let stretch = &mut stretches[place].1;
            stretch.drafts.entry(log.number()).or_default().add(quarter, key, 1);
            stretch.events += 1;
            Ok(())
        })?;
        Ok(stretches)
    }
}

/// A row of `count_deltas`: seq, events, cells, and these packed.
type Delta = (i64, i32, i32, Vec<u8>);

/// The events that a delta says it has; None when it is not whole. The second is whether it is what it should be.
fn hold_against((_, events, cell_count, cells): &Delta, right: &Stretch) -> Result<(Option<u64>, bool)> {
    let Ok(kept) = delta::parse(cells, None) else { return Ok((None, false)) };
    let counted = kept.iter().fold(0, |sum: u64, (_, packed)| sum.saturating_add(total(packed)));
    let mut same = kept.len() == right.drafts.len();
    for ((log, draft), (kept_log, kept)) in right.drafts.iter().zip(&kept) {
        same &= log == kept_log && pack(draft)?.unpack() == kept.unpack();
    }
    let right_cells: usize = right.drafts.values().map(CellsBuilder::len).sum();
    let sizes = (usize::try_from(*events).ok(), usize::try_from(*cell_count).ok());
    Ok((Some(counted), same && sizes == (Some(right.events), Some(right_cells))))
}

/// What waits to be compacted as it was found in a snapshot.
#[derive(Default)]
struct Waiting {
    state: State,
    last_seq: i64,
    differences: Vec<Difference>,
    /// What has to be in the place of the delta with this seq.
    right: Vec<(i64, Stretch)>,
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
            let right = Stretch::count(conn, workspace_id, after, due.iter().map(|(seq, ..)| *seq))?;
            for (delta, (seq, right)) in due.iter().zip(right) {
                waiting.note(after + 1..=seq, Some(delta), right)?;
                after = seq;
            }
        }
        for (seq, right) in Stretch::count(conn, workspace_id, after, std::iter::once(last_seq))? {
            if right.events > 0 {
                waiting.note(after + 1..=seq, None, right)?;
            }
        }
        Ok(waiting)
    }

    /// Notes what a delta says and should say, where that differs.
    fn note(&mut self, seqs: RangeInclusive<i64>, delta: Option<&Delta>, right: Stretch) -> Result<()> {
        let (counted, same) = match delta {
            Some(delta) => hold_against(delta, &right)?,
            None => (Some(0), false),
        };
        if !same {
            let (end, events) = (*seqs.end(), right.events as u64);
            self.differences.push(Difference::Waiting { seqs, events, counted });
            self.right.push((end, right));
        }
        Ok(())
    }

    /// False when somebody has compacted or mended since.
    fn mend(&self, conn: &mut Conn, workspace_id: i32) -> Result<bool> {
        conn.transaction(|conn| {
            let state = rows::lock_state(conn, workspace_id)?;
            if (state.revision, state.compacted_seq) != (self.state.revision + 1, self.state.compacted_seq) {
                return Ok(false);
            }
            for (seq, right) in &self.right {
                diesel::delete(count_deltas::table.find((workspace_id, seq))).execute(conn)?;
                if right.events > 0 {
                    delta::insert(conn, workspace_id, *seq, Timestamp::now(), right.events, &right.drafts)?;
                }
            }
            let compacted_seq = state.compacted_seq.min(self.last_seq);
            rows::set_state(conn, workspace_id, State { compacted_seq, ..state })?;
            Ok(true)
        })
    }
}

fn check_waiting(conn: &mut Conn, workspace_id: i32, mend: bool) -> Result<Vec<Difference>> {
    for _ in 0..TRIES {
        let waiting = roles::as_reader(conn, workspace_id, |conn| Waiting::compare(conn, workspace_id))?;
        if !mend || waiting.differences.is_empty() || waiting.mend(conn, workspace_id)? {
            return Ok(waiting.differences);
        }
    }
    Err(db::Error::Busy.into())
}
