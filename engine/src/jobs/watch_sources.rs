//! The job that tells of sources that are silent, incomplete, skewed, or whose records are rejected: each becomes an event of
//! the framework log, once, and so does its end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use diesel::prelude::*;
use serde_json::{Value, json};

use super::{Budget, Job, Progress};
use crate::{
    append::{self, AppendRequest},
    db::{
        Conn, dialect, roles,
        schema::{source_gaps, source_states, sources},
        timestamp::Timestamp,
    },
    error::Result,
    event::{
        Actor, Log, NewEvent, Outcome, Target,
        limits::{Action, OccurredAt, SourceName, Text},
    },
    sources::{
        OWN_SOURCE,
        health::{self, State},
        sequences::{self, Gap},
    },
};

/// A gap that is younger may only be events that come in another order.
const GAP_STAYS_SECONDS: i64 = 60;
/// Rejected records of a source are reported at most this often.
const REJECTED_EVERY_SECONDS: i64 = 600;
/// Gaps that an event lists.
const MOST_LISTED: usize = 20;

pub(super) struct WatchSources;

impl Job for WatchSources {
    const NAME: &'static str = "watch_sources";
    const INTERVAL: Duration = Duration::from_secs(2);

    fn due(&mut self, conn: &mut Conn) -> Result<Vec<i32>> {
        roles::as_appender_throughout(conn, |conn| {
            let now = Timestamp::now();
            let normal = silence(conn, None)?;
            let states = source_states::table.select(State::as_select()).load::<State>(conn)?;
            let gaps = source_gaps::table
                .filter(source_gaps::reported.eq(false))
                .filter(source_gaps::noticed_at.le(now.plus_seconds(-GAP_STAYS_SECONDS)))
                .select(source_gaps::workspace_id)
                .distinct()
                .load::<i32>(conn)?;
            let mut due: BTreeSet<i32> = gaps.into_iter().collect();
            for state in &states {
                let key = (state.workspace_id, state.source.clone());
                let Some(silence) = normal.get(&key) else { continue };
                if is_due(state, *silence, now) {
                    due.insert(state.workspace_id);
                }
            }
            Ok(due.into_iter().collect())
        })
    }

    fn run(&mut self, conn: &mut Conn, workspace_id: i32, _: &Budget<'_>) -> Result<Progress> {
        roles::as_appender_throughout(conn, |conn| {
            conn.transaction(|conn| {
                // The reports and the events that tell of them are one.
                dialect::lock_for_writing(conn)?;
                let now = Timestamp::now();
                let normal = silence(conn, Some(workspace_id))?;
                let mut events = Vec::new();
                for state in health::states(conn, workspace_id)? {
                    if let Some(silence) = normal.get(&(workspace_id, state.source.clone())) {
                        watch(conn, state, *silence, now, &mut events)?;
                    }
                }
                if !events.is_empty() {
                    let own = SourceName::truncated(OWN_SOURCE);
                    append::store(conn, AppendRequest::new(workspace_id, &own, events))?;
                }
                Ok(Progress::Done)
            })
        })
    }
}

/// How long sources are silent normally, by workspace and name.
fn silence(conn: &mut Conn, workspace_id: Option<i32>) -> Result<BTreeMap<(i32, String), Option<i32>>> {
    let mut rows =
        sources::table.select((sources::workspace_id, sources::name, sources::silence_seconds)).into_boxed();
    if let Some(id) = workspace_id {
        rows = rows.filter(sources::workspace_id.eq(id));
    }
    let rows = rows.load::<(i32, String, Option<i32>)>(conn)?;
    Ok(rows.into_iter().map(|(workspace_id, name, silence)| ((workspace_id, name), silence)).collect())
}

fn is_due(state: &State, silence: Option<i32>, now: Timestamp) -> bool {
    state.is_silent(silence, now) != state.silent_since.is_some()
        || state.is_skewed() != state.skewed_since.is_some()
        || state.gaps_since.is_some()
        || has_new_rejected(state, now)
}

fn has_new_rejected(state: &State, now: Timestamp) -> bool {
    let reported = state.rejected_reported_at;
    state.last_rejected > state.reported_rejected
        && reported.is_none_or(|at| at.plus_seconds(REJECTED_EVERY_SECONDS) <= now)
}

fn watch(
    conn: &mut Conn,
    state: State,
    silence: Option<i32>,
    now: Timestamp,
    events: &mut Vec<NewEvent>,
) -> Result<()> {
    let mut after = state.clone();
    let source = state.source.as_str();

    match (state.is_silent(silence, now), state.silent_since) {
        (true, None) => {
            after.silent_since = state.last_sign();
            let seconds = silence.unwrap_or_default();
            let reason = format!("it sent nothing for longer than {seconds} seconds");
            let said = json!({"silent_since": after.silent_since, "silence_seconds": seconds});
            events.push(event(source, "source_silent", Some(reason), said));
        }
        (false, Some(since)) => {
            after.silent_since = None;
            events.push(event(source, "source_resumed", None, json!({"silent_since": since})));
        }
        _ => {}
    }

    match (state.is_skewed(), state.skewed_since) {
        (true, None) => {
            after.skewed_since = Some(now);
            let seconds = state.least_lag_micros.unwrap_or_default() / 1_000_000;
            let reason = if seconds < 0 {
                format!("its clock is {} seconds ahead", -seconds)
            } else {
                format!("its events are at least {seconds} seconds late, or its clock is behind")
            };
            events.push(event(source, "source_clock_skewed", Some(reason), json!({"lag_seconds": seconds})));
        }
        (false, Some(since)) => {
            after.skewed_since = None;
            events.push(event(source, "source_clock_right", None, json!({"skewed_since": since})));
        }
        _ => {}
    }

    let gaps = sequences::gaps(conn, state.workspace_id, Some(source))?;
    let stays = |gap: &&Gap| !gap.reported && gap.noticed_at <= now.plus_seconds(-GAP_STAYS_SECONDS);
    let new: Vec<&Gap> = gaps.iter().filter(stays).collect();
    if !new.is_empty() {
        after.gaps_since = state.gaps_since.or(Some(now));
        let missing: i64 = new.iter().map(|gap| gap.last_sequence - gap.first_sequence + 1).sum();
        let listed: Vec<Value> = new.iter().take(MOST_LISTED).map(|gap| listed(gap)).collect();
        let reason = format!("{missing} of its events have not come");
        let said = json!({"missing": missing, "gaps": listed, "more": new.len() > MOST_LISTED});
        events.push(event(source, "source_gap", Some(reason), said));
        for gap in new {
            diesel::update(source_gaps::table.find((
                gap.workspace_id,
                &gap.source,
                &gap.epoch,
                gap.first_sequence,
            )))
            .set(source_gaps::reported.eq(true))
            .execute(conn)?;
        }
    } else if let Some(since) = state.gaps_since
        && !gaps.iter().any(|gap| gap.reported)
    {
        after.gaps_since = None;
        events.push(event(source, "source_gap_closed", None, json!({"gaps_since": since})));
    }

    if has_new_rejected(&state, now) {
        after.reported_rejected = state.last_rejected;
        after.rejected_reported_at = Some(now);
        let count = state.last_rejected - state.reported_rejected;
        let reason = format!("{count} of its records could not be read and are in quarantine");
        let said = json!({"rejected": count, "in_quarantine": state.rejected});
        events.push(event(source, "records_rejected", Some(reason), said));
    }

    if after != state {
        diesel::update(source_states::table.find((state.workspace_id, source)))
            .set((
                source_states::silent_since.eq(after.silent_since),
                source_states::skewed_since.eq(after.skewed_since),
                source_states::gaps_since.eq(after.gaps_since),
                source_states::rejected_reported_at.eq(after.rejected_reported_at),
                source_states::reported_rejected.eq(after.reported_rejected),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn listed(gap: &Gap) -> Value {
    json!({"epoch": gap.epoch, "from": gap.first_sequence, "to": gap.last_sequence})
}

/// An event of the framework log about a source: a failure where there is a reason.
fn event(source: &str, action: &'static str, reason: Option<String>, said: Value) -> NewEvent {
    let mut event = NewEvent::new(Log::Framework, Action::literal(action), OccurredAt::now());
    event.common.actor = Some(Actor::system());
    event.common.outcome = if reason.is_some() { Outcome::Failure } else { Outcome::Success };
    event.common.outcome_reason = reason.as_deref().map(Text::truncated);
    event.common.target =
        Target { kind: Some(Text::truncated("source")), id: Some(Text::truncated(source)), name: None };
    if let Value::Object(said) = said {
        event.metadata = said.try_into().unwrap_or_default();
    }
    event
}
