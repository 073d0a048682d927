//! Which of a producer's counts have not come.
//!
//! A producer counts its events from 0 or 1 in each of its runs, its epoch. What is missing below the highest count is a
//! gap, and a gap closes when its events come, in whatever order. A new epoch is a restart.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::{
    db::{
        Conn,
        schema::{source_epochs, source_gaps, source_states},
        timestamp::Timestamp,
    },
    error::Result,
};

/// Epochs of a source that are kept, the newest.
pub const MOST_EPOCHS: usize = 100;
/// Open gaps of a source that are kept.
pub const MOST_GAPS: usize = 1000;

/// A run of a producer.
#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = source_epochs)]
pub struct Epoch {
    pub workspace_id: i32,
    pub source: String,
    /// Empty where the producer names none.
    pub epoch: String,
    pub first_sequence: i64,
    pub last_sequence: i64,
    /// Events that came after later ones.
    pub reordered: i64,
    /// Counts that came more than once.
    pub repeated: i64,
    pub received_at: Timestamp,
}

/// Counts that have not come, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = source_gaps)]
pub struct Gap {
    pub workspace_id: i32,
    pub source: String,
    pub epoch: String,
    pub first_sequence: i64,
    pub last_sequence: i64,
    pub noticed_at: Timestamp,
    /// Whether an event of the framework log tells of it.
    pub reported: bool,
}

/// Gaps by their first count: the last one, when it was noticed, and whether it was reported.
type Gaps = BTreeMap<i64, (i64, Timestamp, bool)>;

/// What is known of one epoch: the highest count, and the gaps below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    first: i64,
    last: i64,
    gaps: Gaps,
    reordered: i64,
    repeated: i64,
}

impl Counts {
    /// The first event of an epoch. A producer counts from 0 or 1, so what comes before is missing too.
    fn begin(sequence: i64, now: Timestamp) -> Self {
        let mut counts = Self { first: sequence, last: sequence, ..Self::default() };
        if sequence > 1 {
            counts.gaps.insert(1, (sequence - 1, now, false));
        }
        counts
    }

    fn add(&mut self, sequence: i64, now: Timestamp) {
        if sequence > self.last {
            if sequence > self.last + 1 {
                self.gaps.insert(self.last + 1, (sequence - 1, now, false));
            }
            self.last = sequence;
            return;
        }
        let gap = self.gaps.range(..=sequence).next_back().map(|(first, gap)| (*first, *gap));
        let Some((first, (last, noticed, reported))) = gap.filter(|(_, (last, ..))| sequence <= *last) else {
            // Below the first one lies at most 0, from where some count.
            if sequence < self.first {
                self.first = sequence;
                self.reordered += 1;
            } else {
                self.repeated += 1;
            }
            return;
        };
        self.first = self.first.min(sequence);
        self.reordered += 1;
        self.gaps.remove(&first);
        if first < sequence {
            self.gaps.insert(first, (sequence - 1, noticed, reported));
        }
        if sequence < last {
            self.gaps.insert(sequence + 1, (last, noticed, reported));
        }
    }
}

/// Adds the counts of a batch, as epochs and sequences in the order of arrival.
pub(super) fn write(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    arrived: &[(&str, i64)],
    now: Timestamp,
) -> Result<()> {
    let mut by_epoch: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (epoch, sequence) in arrived {
        by_epoch.entry(epoch).or_default().push(*sequence);
    }
    if by_epoch.is_empty() {
        return Ok(());
    }
    let mut complete = by_epoch.len() <= MOST_EPOCHS;
    for (epoch, sequences) in by_epoch.into_iter().take(MOST_EPOCHS) {
        complete &= write_epoch(conn, (workspace_id, source, epoch), &sequences, now)?;
    }
    bound(conn, workspace_id, source, complete)
}

/// Removes the epochs that are too many, and keeps on record that gaps are no longer `complete`, or were not before.
fn bound(conn: &mut Conn, workspace_id: i32, source: &str, complete: bool) -> Result<()> {
    if !(remove_old_epochs(conn, workspace_id, source)? && complete) {
        diesel::update(source_states::table.find((workspace_id, source)))
            .set(source_states::gaps_complete.eq(false))
            .execute(conn)?;
    }
    Ok(())
}

/// Returns false when there are more gaps than are kept.
fn write_epoch(conn: &mut Conn, key: (i32, &str, &str), sequences: &[i64], now: Timestamp) -> Result<bool> {
    let (workspace_id, source, epoch) = key;
    let row = source_epochs::table.find(key);
    let known = row.select(Epoch::as_select()).first::<Epoch>(conn).optional()?;
    let gaps = source_gaps::table
        .filter(source_gaps::workspace_id.eq(workspace_id))
        .filter(source_gaps::source.eq(source))
        .filter(source_gaps::epoch.eq(epoch));
    let before: Gaps = match &known {
        None => BTreeMap::new(),
        Some(_) => {
            let gaps = gaps.select(Gap::as_select()).load::<Gap>(conn)?;
            gaps.into_iter()
                .map(|gap| (gap.first_sequence, (gap.last_sequence, gap.noticed_at, gap.reported)))
                .collect()
        }
    };
    let mut sequences = sequences.iter().copied();
    let mut counts = match &known {
        Some(epoch) => Counts {
            first: epoch.first_sequence,
            last: epoch.last_sequence,
            gaps: before.clone(),
            reordered: epoch.reordered,
            repeated: epoch.repeated,
        },
        None => match sequences.next() {
            Some(first) => Counts::begin(first, now),
            None => return Ok(true),
        },
    };
    sequences.for_each(|sequence| counts.add(sequence, now));
    let Counts { first, last, gaps: after, reordered, repeated } = counts;
    if known.is_some() {
        diesel::update(row)
            .set((
                source_epochs::first_sequence.eq(first),
                source_epochs::last_sequence.eq(last),
                source_epochs::reordered.eq(reordered),
                source_epochs::repeated.eq(repeated),
                source_epochs::received_at.eq(now),
            ))
            .execute(conn)?;
    } else {
        let new = Epoch {
            workspace_id,
            source: source.to_owned(),
            epoch: epoch.to_owned(),
            first_sequence: first,
            last_sequence: last,
            reordered,
            repeated,
            received_at: now,
        };
        diesel::insert_into(source_epochs::table).values(&new).execute(conn)?;
    }
    write_gaps(conn, key, &before, after)
}

fn write_gaps(
    conn: &mut Conn,
    (workspace_id, source, epoch): (i32, &str, &str),
    before: &Gaps,
    after: Gaps,
) -> Result<bool> {
    for (first, gap) in before {
        if after.get(first) != Some(gap) {
            diesel::delete(source_gaps::table.find((workspace_id, source, epoch, first))).execute(conn)?;
        }
    }
    let new: Vec<_> = after.into_iter().filter(|(first, gap)| before.get(first) != Some(gap)).collect();
    if new.is_empty() {
        return Ok(true);
    }
    let open = source_gaps::table
        .filter(source_gaps::workspace_id.eq(workspace_id))
        .filter(source_gaps::source.eq(source))
        .count()
        .get_result::<i64>(conn)? as usize;
    let room = MOST_GAPS.saturating_sub(open);
    let fits = new.len() <= room;
    for (first_sequence, (last_sequence, noticed_at, reported)) in new.into_iter().take(room) {
        let gap = Gap {
            workspace_id,
            source: source.to_owned(),
            epoch: epoch.to_owned(),
            first_sequence,
            last_sequence,
            noticed_at,
            reported,
        };
        diesel::insert_into(source_gaps::table).values(&gap).execute(conn)?;
    }
    Ok(fits)
}

/// Returns false when an epoch with open gaps had to go.
fn remove_old_epochs(conn: &mut Conn, workspace_id: i32, source: &str) -> Result<bool> {
    let epochs = source_epochs::table
        .filter(source_epochs::workspace_id.eq(workspace_id))
        .filter(source_epochs::source.eq(source));
    let count = epochs.count().get_result::<i64>(conn)? as usize;
    if count <= MOST_EPOCHS {
        return Ok(true);
    }
    let oldest = epochs
        .order((source_epochs::received_at.asc(), source_epochs::epoch.asc()))
        .limit((count - MOST_EPOCHS) as i64)
        .select(source_epochs::epoch)
        .load::<String>(conn)?;
    let mut complete = true;
    for epoch in oldest {
        let gaps = source_gaps::table
            .filter(source_gaps::workspace_id.eq(workspace_id))
            .filter(source_gaps::source.eq(source))
            .filter(source_gaps::epoch.eq(&epoch));
        complete &= diesel::delete(gaps).execute(conn)? == 0;
        diesel::delete(source_epochs::table.find((workspace_id, source, &epoch))).execute(conn)?;
    }
    Ok(complete)
}

/// A producer says how far it has counted, though perhaps nothing of it arrived. To be called in a transaction of the
/// appender's role, after the source has a state.
///
/// # Errors
/// The database's.
pub fn reached(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    epoch: &str,
    sequence: i64,
    now: Timestamp,
) -> Result<()> {
    let key = (workspace_id, source, epoch);
    let last = source_epochs::table.find(key).select(source_epochs::last_sequence);
    let last = last.first::<i64>(conn).optional()?;
    if last.is_some_and(|last| last >= sequence) || sequence < 1 {
        return Ok(());
    }
    // As if the next one came: everything up to here is missing until it comes.
    let from = last.map_or(1, |last| last + 1);
    let gap = BTreeMap::from([(from, (sequence, now, false))]);
    if last.is_some() {
        diesel::update(source_epochs::table.find(key))
            .set((source_epochs::last_sequence.eq(sequence), source_epochs::received_at.eq(now)))
            .execute(conn)?;
    } else {
        let epoch = Epoch {
            workspace_id,
            source: source.to_owned(),
            epoch: epoch.to_owned(),
            first_sequence: sequence,
            last_sequence: sequence,
            reordered: 0,
            repeated: 0,
            received_at: now,
        };
        diesel::insert_into(source_epochs::table).values(&epoch).execute(conn)?;
    }
    let complete = write_gaps(conn, key, &BTreeMap::new(), gap)?;
    bound(conn, workspace_id, source, complete)
}

/// The open gaps of the sources of a workspace, or of one, by source and place.
///
/// # Errors
/// The database's.
pub fn gaps(conn: &mut Conn, workspace_id: i32, source: Option<&str>) -> Result<Vec<Gap>> {
    let mut gaps = source_gaps::table.filter(source_gaps::workspace_id.eq(workspace_id)).into_boxed();
    if let Some(source) = source {
        gaps = gaps.filter(source_gaps::source.eq(source));
    }
    Ok(gaps
        .order((source_gaps::source.asc(), source_gaps::epoch.asc(), source_gaps::first_sequence.asc()))
        .select(Gap::as_select())
        .load(conn)?)
}

/// The newest epochs of a source, newest first.
///
/// # Errors
/// The database's.
pub fn epochs(conn: &mut Conn, workspace_id: i32, source: &str, limit: i64) -> Result<Vec<Epoch>> {
    Ok(source_epochs::table
        .filter(source_epochs::workspace_id.eq(workspace_id))
        .filter(source_epochs::source.eq(source))
        .order((source_epochs::received_at.desc(), source_epochs::epoch.asc()))
        .limit(limit)
        .select(Epoch::as_select())
        .load(conn)?)
}
