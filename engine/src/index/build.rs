//! Builds segments from events, in a background job.
//!
//! New events first get small segments. 63 full ones are replaced by one large segment, which is built from the events
//! again, since its blocks are in time order throughout. The newest small segment is rebuilt while it grows.

use std::ops::RangeInclusive;

use diesel::prelude::*;

use super::{
    segment::{Building, FORMAT, MOST_COLUMNS, Made, SMALL_COLUMNS, Segment},
    signature::marks,
    store::{self, State},
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

/// Advances a workspace's index by one segment.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn advance(conn: &mut Conn, workspace_id: i32, rate: IngestRate) -> Result<Advanced> {
    let (state, segments) = state_and_segments(conn, workspace_id)?;
    if state.next_segment == 0 {
        begin(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    if state.is_foreign {
        store::remove_batch(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    let Some(step) = next_step(state, &segments, rate) else {
        let waits = state.last_seq > state.indexed_seq;
        return Ok(if waits { Advanced::Waiting } else { Advanced::Nothing });
    };
    let made = make(conn, workspace_id, state.next_segment, (step.first_seq, step.last_seq))?;
    // When another process was quicker, its segment is as good.
    store::swap_segments(conn, workspace_id, state, &step.replaces, made)?;
    Ok(Advanced::Segment)
}

/// Both from one snapshot, so that the segments belong to the state.
fn state_and_segments(conn: &mut Conn, workspace_id: i32) -> Result<(State, Vec<Segment>)> {
    roles::as_reader(conn, workspace_id, |conn| {
        let state = store::state(conn, workspace_id)?;
        let segments = if state.is_foreign { Vec::new() } else { store::segments(conn, workspace_id)? };
        Ok((state, segments))
    })
}

/// The next segment to build.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    first_seq: i64,
    last_seq: i64,
    replaces: Vec<i32>,
}

fn next_step(state: State, segments: &[Segment], rate: IngestRate) -> Option<Step> {
    let waiting = state.last_seq - state.indexed_seq;
    let small: Vec<&Segment> = segments.iter().filter(|segment| segment.is_small()).collect();
    let first_seq = small.first().map_or(state.indexed_seq + 1, |segment| segment.first_seq);
    if state.last_seq - first_seq + 1 >= MOST_COLUMNS as i64 {
        let last_seq = first_seq + MOST_COLUMNS as i64 - 1;
        // It replaces small segments only as a whole.
        let cut = small.iter().find(|segment| segment.first_seq <= last_seq && segment.last_seq > last_seq);
        let last_seq = cut.map_or(last_seq, |segment| segment.first_seq - 1);
        let replaces = small.iter().filter(|segment| segment.last_seq <= last_seq);
        return Some(Step {
            first_seq,
            last_seq,
            replaces: replaces.map(|segment| segment.number).collect(),
        });
    }
    let enough = match rate {
        IngestRate::Quiet => waiting > 0,
        IngestRate::Steady => waiting >= GROWN,
        IngestRate::Burst => false,
    };
    if !enough {
        return None;
    }
    let growing = small.last().filter(|segment| segment.columns() < SMALL_COLUMNS);
    let first_seq = growing.map_or(state.indexed_seq + 1, |segment| segment.first_seq);
    Some(Step {
        first_seq,
        last_seq: (first_seq + SMALL_COLUMNS as i64 - 1).min(state.last_seq),
        replaces: growing.map(|segment| segment.number).into_iter().collect(),
    })
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

/// Builds a segment from the events from one seq to another.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn make(
    conn: &mut Conn,
    workspace_id: i32,
    number: i32,
    (first_seq, last_seq): (i64, i64),
) -> Result<Made> {
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

    let mut building = Building::new(number, first_seq, &times);
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
            marks(&event, &event.parse_changes(), &mut |mark| building.mark(event.seq, mark));
        }
        seq = end + 1;
    }
    Ok(building.finish())
}

/// Removes a workspace's index and rebuilds it. `progress` gets the number of indexed events, and of all events.
///
/// # Errors
/// The database's. Segments that were built before the error stay, and the background job continues from there.
pub fn rebuild(conn: &mut Conn, workspace_id: i32, mut progress: impl FnMut(u64, u64)) -> Result<()> {
    begin(conn, workspace_id)?;
    store::invalidate(conn, workspace_id)?;
    while advance(conn, workspace_id, IngestRate::Quiet)? == Advanced::Segment {
        let state = store::state(conn, workspace_id)?;
        progress(state.indexed_seq as u64, state.last_seq as u64);
    }
    Ok(())
}

/// The seqs whose index differs from their events: those of segments with other pieces, and those that no segment
/// covers, or several. Segments that the background job replaces meanwhile are left out.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut Conn,
    workspace_id: i32,
    mut progress: impl FnMut(u64, u64),
) -> Result<Vec<RangeInclusive<i64>>> {
    let (state, segments) = state_and_segments(conn, workspace_id)?;
    let mut damaged = Vec::new();
    let (mut covered, all) = (0, segments.len() as u64);
    for (done, segment) in segments.into_iter().enumerate() {
        if segment.first_seq != covered + 1 {
            damaged.push(between(covered, segment.first_seq - 1));
        }
        let made = make(conn, workspace_id, segment.number, (segment.first_seq, segment.last_seq))?;
        let pieces = store::pieces(conn, workspace_id, segment.number, &made.1)?;
        if (made.0 != segment || pieces != made.1)
            && store::segments(conn, workspace_id)?.iter().any(|stored| stored.number == segment.number)
        {
            damaged.push(segment.first_seq..=segment.last_seq);
        }
        covered = segment.last_seq;
        progress(done as u64 + 1, all);
    }
    if covered != state.indexed_seq {
        damaged.push(between(covered, state.indexed_seq));
    }
    Ok(damaged)
}

/// The seqs above the lower number, up to the higher one.
fn between(one: i64, other: i64) -> RangeInclusive<i64> {
    one.min(other) + 1..=one.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: i64 = MOST_COLUMNS as i64;
    const SMALL: i64 = SMALL_COLUMNS as i64;

    /// The next step after segments of these lengths, one after the other, with this newest event.
    fn step(lengths: &[i64], last_seq: i64, rate: IngestRate) -> Option<Step> {
        let mut indexed_seq = 0;
        let mut segments = Vec::new();
        for (n, length) in lengths.iter().enumerate() {
            let (number, first_seq) = (n as i32 + 1, indexed_seq + 1);
            indexed_seq += length;
            segments.push(Segment { number, first_seq, last_seq: indexed_seq, first_time: 0, last_time: 0 });
        }
        let next_segment = lengths.len() as i32 + 1;
        next_step(State { indexed_seq, next_segment, last_seq, ..State::default() }, &segments, rate)
    }

    fn is(first_seq: i64, last_seq: i64, replaces: impl IntoIterator<Item = i32>) -> Option<Step> {
        Some(Step { first_seq, last_seq, replaces: replaces.into_iter().collect() })
    }

    #[test]
    fn a_small_segment_grows_until_it_is_full() {
        assert_eq!(step(&[], 0, IngestRate::Quiet), None);
        assert_eq!(step(&[], GROWN - 1, IngestRate::Steady), None, "a few events wait");
        assert_eq!(step(&[], GROWN - 1, IngestRate::Quiet), is(1, GROWN - 1, []));
        assert_eq!(step(&[], GROWN, IngestRate::Steady), is(1, GROWN, []));
        assert_eq!(step(&[GROWN], 2 * GROWN - 1, IngestRate::Steady), None);
        assert_eq!(step(&[GROWN], 2 * GROWN, IngestRate::Steady), is(1, 2 * GROWN, [1]));
        assert_eq!(step(&[GROWN], 3 * SMALL, IngestRate::Steady), is(1, SMALL, [1]));
        assert_eq!(step(&[SMALL], SMALL, IngestRate::Quiet), None);
        assert_eq!(step(&[], LARGE - 1, IngestRate::Burst), None, "a large one is full soon");
        assert_eq!(
            step(&[SMALL], SMALL + 1, IngestRate::Quiet),
            is(SMALL + 1, SMALL + 1, []),
            "a full one is left alone"
        );
        assert_eq!(step(&[SMALL, 5], SMALL + 6, IngestRate::Quiet), is(SMALL + 1, SMALL + 6, [2]));
    }

    #[test]
    fn small_segments_make_way_for_a_large_one() {
        let small = [SMALL; 63];
        assert_eq!(step(&small[1..], LARGE - 1, IngestRate::Steady), is(62 * SMALL + 1, LARGE - 1, []));
        assert_eq!(step(&small, LARGE, IngestRate::Steady), is(1, LARGE, 1..=63));
        assert_eq!(
            step(&[SMALL, 7], LARGE, IngestRate::Steady),
            is(1, LARGE, [1, 2]),
            "events that had none yet, too"
        );
        assert_eq!(
            step(&[], 2 * LARGE, IngestRate::Steady),
            is(1, LARGE, []),
            "at once when so many are there"
        );
        assert_eq!(step(&[SMALL], LARGE, IngestRate::Burst), is(1, LARGE, [1]));
        assert_eq!(step(&[LARGE], 2 * LARGE - 1, IngestRate::Steady), is(LARGE + 1, LARGE + SMALL, []));
        assert_eq!(step(&[LARGE, SMALL], 2 * LARGE + 9, IngestRate::Steady), is(LARGE + 1, 2 * LARGE, [2]));
        // Small segments are replaced as a whole: the last of 64 reaches beyond the large one's end.
        let mut uneven = vec![SMALL - 1];
        uneven.extend([SMALL; 63]);
        assert_eq!(step(&uneven, LARGE + SMALL - 1, IngestRate::Steady), is(1, LARGE - 1, 1..=63));
    }
}
