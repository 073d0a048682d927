//! The health of sources: when each last sent, how much, how late, and what it leaves out.

use diesel::prelude::*;

use super::quarantine::{NewRejected, Removed};
use crate::{
    db::{
        Conn,
        rows::EventRow,
        schema::{rejected_records, source_days, source_epochs, source_gaps, source_states},
        timestamp::Timestamp,
    },
    error::Result,
};

/// The least lag counts for this long, in seconds.
const LEAST_LAG_SECONDS: i64 = 3600;
const DAY_MICROS: i64 = 86_400_000_000;
/// Days that are kept of each source.
const KEPT_DAYS: i32 = 400;

/// What is known of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = source_states, treat_none_as_default_value = false)]
pub struct State {
    pub workspace_id: i32,
    pub source: String,
    /// The time of the latest event, by the producer's clock.
    pub last_event_at: Option<Timestamp>,
    pub last_received_at: Option<Timestamp>,
    pub last_heartbeat_at: Option<Timestamp>,
    pub events: i64,
    pub duplicates: i64,
    pub skipped: i64,
    pub bytes: i64,
    /// Records in quarantine, and their bytes.
    pub rejected: i64,
    pub rejected_bytes: i64,
    pub last_rejected: i64,
    /// Received less occurred, on average, of the newest batch.
    pub lag_micros: Option<i64>,
    /// The least lag of an hour: that of the clock, when events do not wait.
    pub least_lag_micros: Option<i64>,
    pub least_lag_since: Option<Timestamp>,
    /// False when there were more gaps or epochs than are kept.
    pub gaps_complete: bool,
    pub silent_since: Option<Timestamp>,
    pub skewed_since: Option<Timestamp>,
    /// Since when a reported gap is open.
    pub gaps_since: Option<Timestamp>,
    pub rejected_reported_at: Option<Timestamp>,
    /// The last id of a rejected record that was reported.
    pub reported_rejected: i64,
}

/// What arrived from a source on one UTC day.
#[derive(Clone, Debug, Default, PartialEq, Eq, diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = source_days)]
pub struct Day {
    pub workspace_id: i32,
    pub source: String,
    /// Days since 1970.
    pub day: i32,
    pub events: i64,
    pub duplicates: i64,
    pub rejected: i64,
    pub bytes: i64,
    /// The sum of the lags of `lag_events` events.
    pub lag_micros: i64,
    pub lag_events: i64,
    pub without_actor: i64,
    pub without_origin: i64,
    pub without_target: i64,
}

/// What one transaction stores of a source.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrived {
    events: i64,
    pub duplicates: i64,
    pub skipped: i64,
    pub rejected: i64,
    pub bytes: i64,
    last_event_at: Option<Timestamp>,
    lag_sum: i64,
    lag_least: Option<i64>,
    without_actor: i64,
    without_origin: i64,
    without_target: i64,
}

impl Arrived {
    pub(super) fn add(&mut self, row: &EventRow, now: Timestamp) {
        self.events += 1;
        self.last_event_at = self.last_event_at.max(Some(row.occurred_at));
        let lag = now.micros() - row.occurred_at.micros();
        self.lag_sum = self.lag_sum.saturating_add(lag);
        self.lag_least = Some(self.lag_least.map_or(lag, |least| least.min(lag)));
        // PCI DSS 4.0, 10.2.2: who, what, when, success or failure, from where, and what it concerned.
        self.without_actor += i64::from(row.actor_id.is_none() && row.actor_name.is_none());
        self.without_origin += i64::from(row.ip_address.is_none());
        self.without_target +=
            i64::from(row.target_type.is_none() && row.target_id.is_none() && row.target_name.is_none());
    }
}

/// Adds what arrived, and returns the id of the first rejected record.
pub(super) fn write(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    arrived: &Arrived,
    rejected: &[NewRejected],
    removed: Removed,
    now: Timestamp,
) -> Result<i64> {
    let known = state(conn, workspace_id, source)?;
    let is_new = known.is_none();
    let mut state = known.unwrap_or_else(|| State::new(workspace_id, source));
    let more_bytes: i64 = rejected.iter().map(NewRejected::size).sum();
    let first_id = state.last_rejected + 1;
    let Arrived {
        events,
        duplicates,
        skipped,
        rejected: count,
        bytes,
        last_event_at,
        lag_sum,
        lag_least,
        ..
    } = *arrived;
    state.last_event_at = state.last_event_at.max(last_event_at);
    state.last_received_at = Some(now);
    state.events += events;
    state.duplicates += duplicates;
    state.skipped += skipped;
    state.bytes += bytes;
    state.rejected += count - removed.records;
    state.rejected_bytes += more_bytes - removed.bytes;
    state.last_rejected += count;
    if let Some(least) = lag_least {
        state.lag_micros = Some(lag_sum / events.max(1));
        let is_current =
            state.least_lag_since.is_some_and(|since| since.plus_seconds(LEAST_LAG_SECONDS) > now);
        match state.least_lag_micros {
            Some(before) if is_current => state.least_lag_micros = Some(before.min(least)),
            _ => (state.least_lag_micros, state.least_lag_since) = (Some(least), Some(now)),
        }
    }
    save(conn, &state, is_new)?;
    add_to_day(conn, workspace_id, source, arrived, now)?;
    Ok(first_id)
}

fn save(conn: &mut Conn, state: &State, is_new: bool) -> Result<()> {
    if is_new {
        diesel::insert_into(source_states::table).values(state).execute(conn)?;
        return Ok(());
    }
    diesel::update(source_states::table.find((state.workspace_id, &state.source)))
        .set((
            source_states::last_event_at.eq(state.last_event_at),
            source_states::last_received_at.eq(state.last_received_at),
            source_states::events.eq(state.events),
            source_states::duplicates.eq(state.duplicates),
            source_states::skipped.eq(state.skipped),
            source_states::bytes.eq(state.bytes),
            source_states::rejected.eq(state.rejected),
            source_states::rejected_bytes.eq(state.rejected_bytes),
            source_states::last_rejected.eq(state.last_rejected),
            source_states::lag_micros.eq(state.lag_micros),
            source_states::least_lag_micros.eq(state.least_lag_micros),
            source_states::least_lag_since.eq(state.least_lag_since),
        ))
        .execute(conn)?;
    Ok(())
}

fn add_to_day(
    conn: &mut Conn,
    workspace_id: i32,
    source: &str,
    arrived: &Arrived,
    now: Timestamp,
) -> Result<()> {
    let day = now.micros().div_euclid(DAY_MICROS) as i32;
    let Arrived {
        events,
        duplicates,
        skipped: _,
        rejected,
        bytes,
        last_event_at: _,
        lag_sum,
        lag_least: _,
        without_actor,
        without_origin,
        without_target,
    } = *arrived;
    let updated = diesel::update(source_days::table.find((workspace_id, source, day)))
        .set((
            source_days::events.eq(source_days::events + events),
            source_days::duplicates.eq(source_days::duplicates + duplicates),
            source_days::rejected.eq(source_days::rejected + rejected),
            source_days::bytes.eq(source_days::bytes + bytes),
            source_days::lag_micros.eq(source_days::lag_micros + lag_sum),
            source_days::lag_events.eq(source_days::lag_events + events),
            source_days::without_actor.eq(source_days::without_actor + without_actor),
            source_days::without_origin.eq(source_days::without_origin + without_origin),
            source_days::without_target.eq(source_days::without_target + without_target),
        ))
        .execute(conn)?;
    if updated == 0 {
        let row = Day {
            workspace_id,
            source: source.to_owned(),
            day,
            events,
            duplicates,
            rejected,
            bytes,
            lag_micros: lag_sum,
            lag_events: events,
            without_actor,
            without_origin,
            without_target,
        };
        diesel::insert_into(source_days::table).values(&row).execute(conn)?;
        // The first of a day removes what is too old.
        diesel::delete(
            source_days::table
                .filter(source_days::workspace_id.eq(workspace_id))
                .filter(source_days::source.eq(source))
                .filter(source_days::day.lt(day - KEPT_DAYS)),
        )
        .execute(conn)?;
    }
    Ok(())
}

/// What is wrong with the sources of all workspaces, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub silent: i64,
    pub skewed: i64,
    /// Open gaps.
    pub gaps: i64,
    /// Records in quarantine.
    pub rejected: i64,
}

/// Counts what is wrong with the sources of all workspaces. To be called in a transaction of the appender's role.
///
/// # Errors
/// The database's.
pub fn totals(conn: &mut Conn) -> Result<Totals> {
    let states = source_states::table.select((
        source_states::silent_since,
        source_states::skewed_since,
        source_states::rejected,
    ));
    let mut totals = Totals { gaps: source_gaps::table.count().get_result(conn)?, ..Totals::default() };
    for (silent, skewed, rejected) in states.load::<(Option<Timestamp>, Option<Timestamp>, i64)>(conn)? {
        totals.silent += i64::from(silent.is_some());
        totals.skewed += i64::from(skewed.is_some());
        totals.rejected += rejected;
    }
    Ok(totals)
}

/// Bytes that a workspace has in quarantine.
pub(super) fn rejected_bytes(conn: &mut Conn, workspace_id: i32) -> Result<i64> {
    let held = source_states::table.filter(source_states::workspace_id.eq(workspace_id));
    let held = held.select(source_states::rejected_bytes).load::<i64>(conn)?;
    Ok(held.into_iter().sum())
}

/// The state of a source; None where it has sent nothing.
///
/// # Errors
/// The database's.
pub fn state(conn: &mut Conn, workspace_id: i32, source: &str) -> Result<Option<State>> {
    let row = source_states::table.find((workspace_id, source));
    Ok(row.select(State::as_select()).first(conn).optional()?)
}

/// The states of all sources of a workspace that have sent something, by name.
///
/// # Errors
/// The database's.
pub fn states(conn: &mut Conn, workspace_id: i32) -> Result<Vec<State>> {
    let states = source_states::table.filter(source_states::workspace_id.eq(workspace_id));
    Ok(states.order(source_states::source.asc()).select(State::as_select()).load(conn)?)
}

/// The newest days of a source, newest first.
///
/// # Errors
/// The database's.
pub fn days(conn: &mut Conn, workspace_id: i32, source: &str, limit: i64) -> Result<Vec<Day>> {
    Ok(source_days::table
        .filter(source_days::workspace_id.eq(workspace_id))
        .filter(source_days::source.eq(source))
        .order(source_days::day.desc())
        .limit(limit)
        .select(Day::as_select())
        .load(conn)?)
}

/// The days of all sources of a workspace from one on.
///
/// # Errors
/// The database's.
pub fn days_since(conn: &mut Conn, workspace_id: i32, first: Timestamp) -> Result<Vec<Day>> {
    let first = first.micros().div_euclid(DAY_MICROS) as i32;
    Ok(source_days::table
        .filter(source_days::workspace_id.eq(workspace_id))
        .filter(source_days::day.ge(first))
        .select(Day::as_select())
        .load(conn)?)
}

/// Records that a source is alive though it has nothing to send. To be called in a transaction of the appender's role.
///
/// # Errors
/// The database's.
pub fn heartbeat(conn: &mut Conn, workspace_id: i32, source: &str, now: Timestamp) -> Result<()> {
    let updated = diesel::update(source_states::table.find((workspace_id, source)))
        .set(source_states::last_heartbeat_at.eq(Some(now)))
        .execute(conn)?;
    if updated == 0 {
        let state = State { last_heartbeat_at: Some(now), ..State::new(workspace_id, source) };
        diesel::insert_into(source_states::table).values(&state).execute(conn)?;
    }
    Ok(())
}

/// Forgets everything about a source. Its events stay. To be called in a transaction of the appender's role.
///
/// # Errors
/// The database's.
pub fn forget(conn: &mut Conn, workspace_id: i32, source: &str) -> Result<()> {
    macro_rules! delete {
        ($($table:ident)*) => {$(
            diesel::delete(
                $table::table.filter($table::workspace_id.eq(workspace_id)).filter($table::source.eq(source)),
            )
            .execute(conn)?;
        )*};
    }
    delete!(source_states source_days source_epochs source_gaps rejected_records);
    Ok(())
}

/// A clock that is further ahead is skewed: no event is received before it occurs.
const AHEAD_MICROS: i64 = 60_000_000;
/// A clock may be behind, or events wait, when none comes earlier than this. Later than a day they are history.
const BEHIND_MICROS: std::ops::Range<i64> = 300_000_000..DAY_MICROS;

impl State {
    /// Of a source that has sent nothing.
    fn new(workspace_id: i32, source: &str) -> Self {
        Self { workspace_id, source: source.to_owned(), gaps_complete: true, ..Self::default() }
    }

    /// When the source last gave a sign of life.
    pub fn last_sign(&self) -> Option<Timestamp> {
        self.last_received_at.max(self.last_heartbeat_at)
    }

    /// Whether it is silent for longer than it is normally. One that never sent is waited for.
    pub fn is_silent(&self, silence_seconds: Option<i32>, now: Timestamp) -> bool {
        let (Some(seconds), Some(last)) = (silence_seconds, self.last_sign()) else { return false };
        last.plus_seconds(seconds.into()) < now
    }

    /// Whether its clock differs from this server's.
    pub fn is_skewed(&self) -> bool {
        self.least_lag_micros.is_some_and(|lag| lag < -AHEAD_MICROS || BEHIND_MICROS.contains(&lag))
    }
}
