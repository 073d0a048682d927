//! Builds segments from events, in a background job.
//!
//! New events first get small runs, of which the newest is rebuilt while it grows. Eight full ones are replaced by a medium run,
//! and eight of these by a large one. Each is built from the events again, since its blocks are in time order throughout. 16
//! large runs become one segment, and 16 of such segments one of the next level ([`merge`]).

use diesel::prelude::*;

use super::{
    building::{Building, Made},
    directory::{LARGE, Level, MEDIUM, SMALL},
    merge,
    run::{BLOCK, FORMAT, MEDIUM_COLUMNS, MOST_COLUMNS, SMALL_COLUMNS, Segment},
    store::{self, State},
    write,
};
use crate::{
    db::{
        Conn, roles,
        rows::EventRow,
        schema::{events, index_states},
        timestamp::Timestamp,
    },
    error::Result,
    event::Event,
};

/// So many new events are worth rebuilding the growing segment.
const GROWN: i64 = 128;
/// Rows in memory at a time.
const STEP: i64 = 500;

/// What [`advance`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// There was nothing to do.
    Nothing,
    /// Nothing: a few new events wait for more.
    Waiting,
    /// A segment was built, or an old one removed; call again.
    Segment,
}

/// How quickly events arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestRate {
    /// None arrived for a while: even the last few are worth a segment.
    Quiet,
    Steady,
    /// So quickly that a large segment is full within seconds: building small ones first would double the work.
    Burst,
}

/// How many events a run has, how many segments are merged into one, and how much one transaction writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// At most [`SMALL_COLUMNS`].
    pub small: usize,
    pub medium: usize,
    /// At most [`MOST_COLUMNS`].
    pub large: usize,
    /// At most [`super::directory::MOST_MERGED`].
    pub merged: usize,
    /// Bytes of a run's pieces, more or less. Everybody else who writes to SQLite waits for a transaction.
    pub written: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            small: SMALL_COLUMNS,
            medium: MEDIUM_COLUMNS,
            large: MOST_COLUMNS,
            merged: super::directory::MOST_MERGED,
            written: 512 << 10,
        }
    }
}

/// Advances a workspace's index by one step: builds a run, or merges or removes some pieces.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn advance(conn: &mut Conn, workspace_id: i32, rate: IngestRate) -> Result<Advanced> {
    advance_by(conn, workspace_id, rate, &Sizes::default())
}

/// As [`advance`], with other sizes.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn advance_by(conn: &mut Conn, workspace_id: i32, rate: IngestRate, sizes: &Sizes) -> Result<Advanced> {
    let (state, segments) = state_and_segments(conn, workspace_id)?;
    if state.next_segment == 0 {
        begin(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    if state.is_foreign {
        write::remove_batch(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    // Not only when there is nothing else to do: in a long burst the database would grow by all that was ever merged.
    if merge::removals(conn, workspace_id)? >= sizes.merged {
        merge::remove_some(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    // In a burst runs come first, until so many wait for a merge that questions take long.
    let waiting_runs = segments.iter().filter(|segment| segment.level == LARGE).count();
    if waiting_runs < 2 * sizes.merged && build_next(conn, workspace_id, (state, &segments), rate, sizes)? {
        if waiting_runs + 1 >= sizes.merged && merge::current(conn, workspace_id)?.is_none() {
            // At once, so that the job finds it when no more events come.
            let (state, segments) = state_and_segments(conn, workspace_id)?;
            merge::begin(conn, workspace_id, state, merge::due(&segments, sizes).unwrap_or_default())?;
        }
        return Ok(Advanced::Segment);
    }
    if let Some(merge) = merge::current(conn, workspace_id)? {
        merge::step(conn, state, &segments, &merge)?;
        return Ok(Advanced::Segment);
    }
    if let Some(due) = merge::due(&segments, sizes) {
        merge::begin(conn, workspace_id, state, due)?;
        return Ok(Advanced::Segment);
    }
    if build_next(conn, workspace_id, (state, &segments), rate, sizes)?
        || merge::remove_some(conn, workspace_id)?
    {
        return Ok(Advanced::Segment);
    }
    let waits = state.last_seq > state.indexed_seq;
    Ok(if waits { Advanced::Waiting } else { Advanced::Nothing })
}

/// Builds the next run. Returns false when none is due.
fn build_next(
    conn: &mut Conn,
    workspace_id: i32,
    (state, segments): (State, &[Segment]),
    rate: IngestRate,
    sizes: &Sizes,
) -> Result<bool> {
    let mut sizes = *sizes;
    loop {
        let Some(step) = next_step(state, segments, rate, &sizes) else { return Ok(false) };
        let Step { first_seq, last_seq, level, replaces } = step;
        match make(conn, workspace_id, (state.next_segment, level), (first_seq, last_seq))? {
            Making::Done(made) => {
                // When another process was quicker, its run is as good.
                write::swap_runs(conn, workspace_id, state, &replaces, (level, made), sizes.written)?;
                return Ok(true);
            }
            Making::TooLarge { most } => {
                sizes.large = most;
                sizes.medium = sizes.medium.min(most);
                sizes.small = sizes.small.min(most);
            }
        }
    }
}

/// Both from one snapshot, so that the segments belong to the state.
pub(super) fn state_and_segments(conn: &mut Conn, workspace_id: i32) -> Result<(State, Vec<Segment>)> {
    roles::as_reader(conn, workspace_id, |conn| {
        let state = store::state(conn, workspace_id)?;
        let segments = if state.is_foreign { Vec::new() } else { store::segments(conn, workspace_id)? };
        Ok((state, segments))
    })
}

/// The next run to build.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    first_seq: i64,
    last_seq: i64,
    level: Level,
    replaces: Vec<i32>,
}

fn next_step(state: State, segments: &[Segment], rate: IngestRate, sizes: &Sizes) -> Option<Step> {
    let below =
        |level: Level| segments.iter().filter(move |segment| segment.level < level).collect::<Vec<_>>();
    if let Some(step) = larger(state, &below(LARGE), LARGE, sizes.large) {
        return Some(step);
    }
    let waiting = state.last_seq - state.indexed_seq;
    let enough = match rate {
        IngestRate::Quiet => waiting > 0,
        IngestRate::Steady => waiting >= GROWN,
        IngestRate::Burst => false,
    };
    let small = below(MEDIUM);
    if rate != IngestRate::Burst
        && let Some(step) = larger(state, &small, MEDIUM, sizes.medium)
    {
        return Some(step);
    }
    if !enough {
        return None;
    }
    let columns = |run: &Segment| run.last_seq() - run.first_seq() + 1;
    let growing = small.last().filter(|run| columns(run) < sizes.small as i64);
    let first_seq = growing.map_or(state.indexed_seq + 1, |run| run.first_seq());
    Some(Step {
        first_seq,
        last_seq: (first_seq + sizes.small as i64 - 1).min(state.last_seq),
        level: SMALL,
        replaces: growing.map(|run| run.number).into_iter().collect(),
    })
}

/// A run of this level and size in place of `runs`, and of events that have none yet. None while these are fewer.
fn larger(state: State, runs: &[&Segment], level: Level, size: usize) -> Option<Step> {
    let first_seq = runs.first().map_or(state.indexed_seq + 1, |run| run.first_seq());
    let last_seq = first_seq + size as i64 - 1;
    if state.last_seq < last_seq {
        return None;
    }
    // It replaces others only as a whole, and at least one.
    let cut = runs.iter().find(|run| run.first_seq() <= last_seq && run.last_seq() > last_seq);
    let last_seq = match cut {
        Some(run) if run.first_seq() == first_seq => run.last_seq(),
        Some(run) => run.first_seq() - 1,
        None => last_seq,
    };
    let replaces = runs.iter().filter(|run| run.last_seq() <= last_seq).map(|run| run.number);
    Some(Step { first_seq, last_seq, level, replaces: replaces.collect() })
}

/// Creates the workspace's index state, unless it exists.
///
/// # Errors
/// The database's.
pub fn begin(conn: &mut Conn, workspace_id: i32) -> Result<()> {
    let known = index_states::table.find(workspace_id).count().get_result::<i64>(conn)?;
    if known == 0 {
        let done = diesel::insert_into(index_states::table)
            .values((
                index_states::workspace_id.eq(workspace_id),
                index_states::indexed_seq.eq(0),
                index_states::next_segment.eq(1),
                index_states::revision.eq(0),
                index_states::format.eq(FORMAT),
            ))
            .execute(conn);
        match done {
            // Another process created it at the same moment.
            Err(diesel::result::Error::DatabaseError(
                diesel::result::DatabaseErrorKind::UniqueViolation,
                _,
            )) => {}
            done => drop(done?),
        }
    }
    Ok(())
}

/// What became of a run.
pub enum Making {
    Done(Made),
    /// Its events have too much in them. Of this many, they would not.
    TooLarge {
        most: usize,
    },
}

/// Builds a run with this number and level from the events from one seq to another.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn make(
    conn: &mut Conn,
    workspace_id: i32,
    (number, level): (i32, Level),
    (first_seq, last_seq): (i64, i64),
) -> Result<Making> {
    let within = |first: i64, last: i64| {
        events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::seq.between(first, last))
            .into_boxed()
    };
    let known: Vec<(i64, Timestamp)> = within(first_seq, last_seq)
        .order(events::seq)
        .select((events::seq, events::occurred_at))
        .load(conn)?;
    // A seq without an event has the time of the one before it.
    let mut times = Vec::with_capacity(known.len());
    for (seq, time) in known {
        let before = times.last().copied().unwrap_or(time.0);
        times.resize((seq - first_seq) as usize, before);
        times.push(time.0);
    }
    times.resize((last_seq - first_seq + 1) as usize, times.last().copied().unwrap_or_default());

    let mut building = Building::new(number, level, first_seq, &times);
    let mut seq = first_seq;
    while seq <= last_seq {
        let end = (seq + STEP - 1).min(last_seq);
        let times = &times[(seq - first_seq) as usize..=(end - first_seq) as usize];
        let (lowest, highest) = times
            .iter()
            .fold((i64::MAX, i64::MIN), |(lowest, highest), time| (lowest.min(*time), highest.max(*time)));
        let rows = within(seq, end)
            // Implied by the seqs; it selects the partitions.
            .filter(events::occurred_at.between(Timestamp(lowest), Timestamp(highest)))
            .select(EventRow::as_select())
            .load::<EventRow>(conn)?;
        for row in rows {
            let event = Event::try_from(row)?;
            let fits = building.add(&event, &event.parse_changes(), &event.parse_metadata());
            let before = (event.seq - first_seq) as usize;
            if !fits && before > BLOCK {
                return Ok(Making::TooLarge { most: before * 3 / 4 });
            }
        }
        seq = end + 1;
    }
    Ok(Making::Done(building.finish()))
}

/// Removes a workspace's index and rebuilds it. `progress` gets the number of indexed events, and of all events.
///
/// # Errors
/// The database's. Segments that were built before the error stay, and the background job continues from there.
pub fn rebuild(conn: &mut Conn, workspace_id: i32, mut progress: impl FnMut(u64, u64)) -> Result<()> {
    begin(conn, workspace_id)?;
    write::invalidate(conn, workspace_id)?;
    while advance(conn, workspace_id, IngestRate::Quiet)? == Advanced::Segment {
        let state = store::state(conn, workspace_id)?;
        progress(state.indexed_seq as u64, state.last_seq as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
