//! Making segments of events, behind the appender.
//!
//! New events first get small segments; 63 full ones make way for one large segment, which is made from the events again, since
//! blocks of a large segment are in time order throughout. The newest small one is replaced while it grows.

use diesel::prelude::*;

use super::{
    segment::{Building, MOST_COLUMNS, Made, SMALL_COLUMNS, Segment},
    signature::marks,
    store::{self, State},
};
use crate::{
    db::{
        self, Conn, dialect,
        rows::EventRow,
        schema::{events, index_states},
        types::Instant,
    },
    logs::event::Event,
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
    /// A segment was made; ask again.
    Segment,
}

/// Brings a workspace's index forward by a segment. `all`: also for a few events.
pub fn advance(conn: &mut Conn, workspace_id: i32, all: bool) -> db::Result<Advanced> {
    // Of one moment, so that the segments are those of the state.
    let (state, segments) = dialect::snapshot(conn, |conn| {
        let state = store::state(conn, workspace_id)?;
        Ok::<_, db::Error>((state, store::segments(conn, workspace_id)?))
    })?;
    if state.next_segment == 0 {
        begin(conn, workspace_id)?;
        return Ok(Advanced::Segment);
    }
    let Some(step) = next_step(state, &segments, all) else {
        let waits = state.last_seq > state.indexed_seq;
        return Ok(if waits { Advanced::Waiting } else { Advanced::Nothing });
    };
    let made = make(conn, workspace_id, state.next_segment, (step.first_seq, step.last_seq))?;
    // When somebody else was quicker, theirs is as good.
    store::replace(conn, workspace_id, state, &step.replaces, made)?;
    Ok(Advanced::Segment)
}

/// The next segment to be made.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    first_seq: i64,
    last_seq: i64,
    replaces: Vec<i32>,
}

fn next_step(state: State, segments: &[Segment], all: bool) -> Option<Step> {
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
    if waiting == 0 || (waiting < GROWN && !all) {
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
pub fn begin(conn: &mut Conn, workspace_id: i32) -> db::Result<()> {
    let known = index_states::table.find(workspace_id).count().get_result::<i64>(conn)?;
    if known == 0 {
        let done = diesel::insert_into(index_states::table)
            .values((
                index_states::workspace_id.eq(workspace_id),
                index_states::indexed_seq.eq(0),
                index_states::next_segment.eq(1),
                index_states::revision.eq(0),
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
) -> db::Result<Made> {
    let within = |first: i64, last: i64| {
        events::table
            .filter(events::workspace_id.eq(workspace_id))
            .filter(events::seq.between(first, last))
            .into_boxed()
    };
    let known: Vec<(i64, Instant)> = within(first_seq, last_seq)
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
        for row in within(seq, end).select(EventRow::as_select()).load::<EventRow>(conn)? {
            let event = Event::from(row);
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
pub fn rebuild(conn: &mut Conn, workspace_id: i32, mut progress: impl FnMut(u64, u64)) -> db::Result<()> {
    begin(conn, workspace_id)?;
    store::clear(conn, workspace_id)?;
    while advance(conn, workspace_id, true)? == Advanced::Segment {
        let state = store::state(conn, workspace_id)?;
        progress(state.indexed_seq as u64, state.last_seq as u64);
    }
    Ok(())
}

/// The segments whose pieces are not what their events give.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut Conn,
    workspace_id: i32,
    mut progress: impl FnMut(u64, u64),
) -> db::Result<Vec<Segment>> {
    let segments = store::segments(conn, workspace_id)?;
    let mut damaged = Vec::new();
    let (mut expected_seq, all) = (1, segments.len() as u64);
    for (done, segment) in segments.into_iter().enumerate() {
        let made = make(conn, workspace_id, segment.number, (segment.first_seq, segment.last_seq))?;
        let pieces = store::pieces(conn, workspace_id, segment.number, &made.1)?;
        if segment.first_seq != expected_seq || made.0 != segment || pieces != made.1 {
            damaged.push(segment.clone());
        }
        expected_seq = segment.last_seq + 1;
        progress(done as u64 + 1, all);
    }
    Ok(damaged)
}
