//! Making segments of events, behind the appender.
//!
//! New events first get small segments; 63 full ones make way for one large segment, which is made from the events again, since
//! blocks of a large segment are in time order throughout. The newest small one is replaced while it grows.

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

/// Events that wait for a segment before the growing one is made again.
const GROWN: i64 = 128;
/// Rows in memory at a time.
const STEP: i64 = 500;

/// What [`advance`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// Nothing, and nothing is to be done.
    Nothing,
    /// Nothing: a few new events wait for more.
    Waiting,
    /// A segment was made, or room for one; ask again.
    Segment,
}

/// How quickly events come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestRate {
    /// None came for a while: the last few are worth a segment, too.
    Quiet,
    Steady,
    /// So quickly that a large segment is full within seconds: smaller ones on the way to it would double the work.
    Burst,
}

/// Brings a workspace's index forward by a segment.
pub fn advance(conn: &mut Conn, workspace_id: i32, pace: IngestRate) -> Result<Advanced> {
    let (state, segments) = state_and_segments(conn, workspace_id)?;
    if state.next_segment == 0 {
        begin(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    if state.is_foreign {
        store::remove_batch(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    let Some(step) = next_step(state, &segments, pace) else {
        let waits = state.last_seq > state.indexed_seq;
        return Ok(if waits { Advanced::Waiting } else { Advanced::Nothing });
    };
    let made = make(conn, workspace_id, state.next_segment, (step.first_seq, step.last_seq))?;
    // When somebody else was quicker, theirs is as good.
    store::swap_segments(conn, workspace_id, state, &step.replaces, made)?;
    Ok(Advanced::Segment)
}

/// Of one moment, so that the segments are those of the state.
fn state_and_segments(conn: &mut Conn, workspace_id: i32) -> Result<(State, Vec<Segment>)> {
    roles::as_reader(conn, workspace_id, |conn| {
        let state = store::state(conn, workspace_id)?;
        let segments = if state.is_foreign { Vec::new() } else { store::segments(conn, workspace_id)? };
        Ok((state, segments))
    })
}

/// The next segment to be made.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    first_seq: i64,
    last_seq: i64,
    replaces: Vec<i32>,
}

fn next_step(state: State, segments: &[Segment], pace: IngestRate) -> Option<Step> {
    let waiting = state.last_seq - state.indexed_seq;
    let small: Vec<&Segment> = segments.iter().filter(|segment| segment.is_small()).collect();
    let first_seq = small.first().map_or(state.indexed_seq + 1, |segment| segment.first_seq);
    if state.last_seq - first_seq + 1 >= MOST_COLUMNS as i64 {
        let last_seq = first_seq + MOST_COLUMNS as i64 - 1;
        // It takes in small ones as a whole.
        let cut = small.iter().find(|segment| segment.first_seq <= last_seq && segment.last_seq > last_seq);
        let last_seq = cut.map_or(last_seq, |segment| segment.first_seq - 1);
        let replaces = small.iter().filter(|segment| segment.last_seq <= last_seq);
        return Some(Step {
            first_seq,
            last_seq,
            replaces: replaces.map(|segment| segment.number).collect(),
        });
    }
    let enough = match pace {
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

/// Makes the workspace known to the index.
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
            // Somebody else began at the same moment.
            Err(diesel::result::Error::DatabaseError(
                diesel::result::DatabaseErrorKind::UniqueViolation,
                _,
            )) => {}
            done => drop(done?),
        }
    }
    Ok(())
}

/// A segment of the events from one seq to another.
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
            // Implied; it tells which partitions to look in.
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

/// Removes a workspace's index and makes it anew. `progress` is told how many events are indexed, and of how many.
///
/// # Errors
/// The database's. What was made until then stays, and upkeep goes on from there.
pub fn rebuild(conn: &mut Conn, workspace_id: i32, mut progress: impl FnMut(u64, u64)) -> Result<()> {
    begin(conn, workspace_id)?;
    store::invalidate(conn, workspace_id)?;
    while advance(conn, workspace_id, IngestRate::Quiet)? == Advanced::Segment {
        let state = store::state(conn, workspace_id)?;
        progress(state.indexed_seq as u64, state.last_seq as u64);
    }
    Ok(())
}

/// The seqs whose index is not what their events give: of segments whose pieces differ, and those that no segment has, or
/// several have. What upkeep replaces meanwhile is left out.
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

/// What is above the one and not above the other, whichever is greater.
fn between(one: i64, other: i64) -> RangeInclusive<i64> {
    one.min(other) + 1..=one.max(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: i64 = MOST_COLUMNS as i64;
    const SMALL: i64 = SMALL_COLUMNS as i64;

    /// Segments of these lengths, one after the other, and the newest event.
    fn step(lengths: &[i64], last_seq: i64, pace: IngestRate) -> Option<Step> {
        let mut indexed_seq = 0;
        let mut segments = Vec::new();
        for (n, length) in lengths.iter().enumerate() {
            let (number, first_seq) = (n as i32 + 1, indexed_seq + 1);
            indexed_seq += length;
            segments.push(Segment { number, first_seq, last_seq: indexed_seq, first_time: 0, last_time: 0 });
        }
        let next_segment = lengths.len() as i32 + 1;
        next_step(State { indexed_seq, next_segment, last_seq, ..State::default() }, &segments, pace)
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
        // Taken in as a whole: the last of 64 reaches beyond the large one's end.
        let mut uneven = vec![SMALL - 1];
        uneven.extend([SMALL; 63]);
        assert_eq!(step(&uneven, LARGE + SMALL - 1, IngestRate::Steady), is(1, LARGE - 1, 1..=63));
    }
}
