//! A source as somebody sees it.

use logbook_engine::{
    db::timestamp::Timestamp,
    sources::{
        health::{Day, State},
        sequences::{Epoch, Gap},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{source_kind::Kind, sources::Source};

/// Days and epochs of a source that are returned.
pub(super) const DAYS: i64 = 30;
pub(super) const EPOCHS: i64 = 10;

/// A source misses a field when this share of its newest events has none: three quarters.
const MISSES: (i64, i64) = (3, 4);

/// What is known of a source beside its settings.
#[derive(Default)]
pub(super) struct Health {
    pub state: State,
    pub days: Vec<Day>,
    pub gaps: Vec<Gap>,
    pub epochs: Vec<Epoch>,
}

impl Health {
    pub(super) fn new(state: State) -> Self {
        Self { state, ..Self::default() }
    }
}

/// What is wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceProblem {
    /// It sent nothing for longer than it is silent normally.
    Silent,
    /// Some of its counts have not come.
    Gap,
    /// Its clock differs from the server's, or its events come late.
    Skewed,
    /// Some of its records are in quarantine.
    Rejected,
}

/// A source: its settings, and how it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Source)]
pub struct SourceView {
    #[schema(example = "okta")]
    pub name: String,
    #[schema(inline)]
    pub kind: Kind,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(example = "Asha Rao")]
    pub created_by: String,
    /// How long it is silent normally; null: its silence is not reported.
    #[schema(required, example = 3600)]
    pub silence_seconds: Option<i32>,
    /// For how many days it may send an event again; null is for ever.
    #[schema(required, example = 90)]
    pub replay_days: Option<i32>,
    /// Whether it has a secret, so that the vendor's signature is demanded.
    pub has_secret: bool,
    /// Whether it has a mapping of its own.
    pub has_own_mapping: bool,
    /// The time of its latest event, by its clock. Null when there is none.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_event_at: Option<Timestamp>,
    /// When it last sent something.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_received_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_heartbeat_at: Option<Timestamp>,
    /// Events that are stored.
    #[schema(minimum = 0)]
    pub events: i64,
    /// Events that were sent again.
    #[schema(minimum = 0)]
    pub duplicates: i64,
    /// Elements that are no events, as the mapping says.
    #[schema(minimum = 0)]
    pub skipped: i64,
    /// Bytes that it sent, decompressed.
    #[schema(minimum = 0)]
    pub bytes: i64,
    /// Records in quarantine.
    #[schema(minimum = 0)]
    pub rejected: i64,
    /// What is wrong with it.
    #[schema(inline)]
    pub problems: Vec<SourceProblem>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub silent_since: Option<Timestamp>,
    /// Received less occurred, on average, of the newest batch.
    #[schema(required, example = 1.2)]
    pub lag_seconds: Option<f64>,
    /// The least lag of about an hour. Below 0 its clock is ahead.
    #[schema(required, example = 0.3)]
    pub skew_seconds: Option<f64>,
    /// What PCI DSS 10.2.2 wants of each event and most of its events lack today or on the last day that it sent: `actor`,
    /// `origin` (an address), `target`.
    pub missing_fields: Vec<&'static str>,
    /// Counts that have not come.
    pub gaps: Vec<SourceGap>,
    /// False when there were more gaps or epochs than are kept.
    pub gaps_complete: bool,
    /// Its newest runs, newest first. Empty in a list.
    pub epochs: Vec<SourceEpoch>,
    /// What arrived by day, newest first: up to 30. In a list, today.
    pub days: Vec<SourceDay>,
}

/// Counts that have not come, both ends included.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceGap {
    /// Empty where the source names none.
    pub epoch: String,
    pub from: i64,
    pub to: i64,
    #[schema(value_type = String, format = DateTime)]
    pub noticed_at: Timestamp,
}

/// A run of a source in which it counts its events.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceEpoch {
    pub epoch: String,
    /// The lowest and the highest count.
    pub first: i64,
    pub last: i64,
    /// Events that came after later ones.
    pub reordered: i64,
    /// Counts that came more than once.
    pub repeated: i64,
    /// When it last sent something.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
}

/// What arrived on one day (UTC).
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceDay {
    #[schema(format = Date, example = "2026-11-27")]
    pub day: String,
    pub events: i64,
    pub duplicates: i64,
    pub rejected: i64,
    pub bytes: i64,
    /// On average.
    #[schema(required)]
    pub lag_seconds: Option<f64>,
}

fn seconds(micros: i64) -> f64 {
    // To the millisecond: more would be noise.
    (micros / 1000) as f64 / 1000.0
}

impl SourceView {
    pub(super) fn new(source: Source, health: Health, now: Timestamp) -> Self {
        let Health { state, days, gaps, epochs } = health;
        let kind = source.kind();
        let is_silent = state.is_silent(source.silence_seconds, now);
        let problems = [
            (is_silent, SourceProblem::Silent),
            (!gaps.is_empty(), SourceProblem::Gap),
            (state.is_skewed(), SourceProblem::Skewed),
            (state.rejected > 0, SourceProblem::Rejected),
        ];
        let Source {
            name, created_at, created_by, silence_seconds, replay_days, sealed_secret, mapping, ..
        } = source;
        Self {
            name,
            kind,
            created_at,
            created_by,
            silence_seconds,
            replay_days,
            has_secret: sealed_secret.is_some(),
            has_own_mapping: mapping.is_some(),
            problems: problems.into_iter().filter(|(is, _)| *is).map(|(_, problem)| problem).collect(),
            silent_since: is_silent.then(|| state.last_sign()).flatten(),
            lag_seconds: state.lag_micros.map(seconds),
            skew_seconds: state.least_lag_micros.map(seconds),
            missing_fields: missing(&days),
            // A source without a state has no gaps that are not kept.
            gaps_complete: state.gaps_complete || state.source.is_empty(),
            last_event_at: state.last_event_at,
            last_received_at: state.last_received_at,
            last_heartbeat_at: state.last_heartbeat_at,
            events: state.events,
            duplicates: state.duplicates,
            skipped: state.skipped,
            bytes: state.bytes,
            rejected: state.rejected,
            gaps: gaps.into_iter().map(SourceGap::from).collect(),
            epochs: epochs.into_iter().map(SourceEpoch::from).collect(),
            days: days.into_iter().map(SourceDay::from).collect(),
        }
    }
}

/// What most events of the newest day lack.
fn missing(days: &[Day]) -> Vec<&'static str> {
    let Some(day) = days.iter().filter(|day| day.events > 0).max_by_key(|day| day.day) else {
        return Vec::new();
    };
    let most = |count: i64| count * MISSES.1 >= day.events * MISSES.0;
    [("actor", day.without_actor), ("origin", day.without_origin), ("target", day.without_target)]
        .into_iter()
        .filter(|(_, count)| most(*count))
        .map(|(name, _)| name)
        .collect()
}

impl From<Gap> for SourceGap {
    fn from(gap: Gap) -> Self {
        let Gap { epoch, first_sequence, last_sequence, noticed_at, .. } = gap;
        Self { epoch, from: first_sequence, to: last_sequence, noticed_at }
    }
}

impl From<Epoch> for SourceEpoch {
    fn from(epoch: Epoch) -> Self {
        let Epoch { epoch, first_sequence, last_sequence, reordered, repeated, received_at, .. } = epoch;
        Self { epoch, first: first_sequence, last: last_sequence, reordered, repeated, received_at }
    }
}

impl From<Day> for SourceDay {
    fn from(day: Day) -> Self {
        let date = chrono::DateTime::from_timestamp(i64::from(day.day) * 86_400, 0).unwrap_or_default();
        Self {
            day: date.format("%Y-%m-%d").to_string(),
            events: day.events,
            duplicates: day.duplicates,
            rejected: day.rejected,
            bytes: day.bytes,
            lag_seconds: (day.lag_events > 0).then(|| seconds(day.lag_micros / day.lag_events)),
        }
    }
}
