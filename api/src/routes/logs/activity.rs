//! The activity log: what happens in Logbook itself. Nobody posts to it: the audit writes it.

use std::collections::BTreeMap;

use logbook_engine::{
    counts::{Cells, top::ValuesOf},
    event::{Actor, Change, Log, Outcome, Target},
    filter::{Dimension, rows::Columns},
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    auth::Readers,
    routes::logs::{
        columns::Column,
        event_types::event_type,
        explorer::explorer_endpoints,
        filters::FilterParam,
        log::{LogKind, log_endpoints},
        top, wire,
    },
};

event_type! {
    /// Something that happened in Logbook itself.
    pub struct ActivityEvent {
        /// `login`, `login_failed`, `log_read`, `api_key_created`, `member_role_changed`, …
        #[schema(example = "log_read")]
        pub action: String,
        #[schema(value_type = String, example = "success")]
        pub status: Outcome,
        /// Why it failed or was denied.
        #[schema(required, example = "invalid_credentials")]
        pub status_reason: Option<String>,
        /// Null where it is not known who it was. The id begins with the kind: `user:17`, `key:k7w2m9x4c1qd`.
        #[schema(required)]
        pub actor: Option<Actor>,
        #[schema(required)]
        pub target: Option<Target>,
        #[schema(value_type = Vec<Change>)]
        pub changes: Box<RawValue>,
    }
    from(own) {
        action: own.action,
        status: own.outcome,
        status_reason: own.outcome_reason,
        actor: own.actor,
        target: (own.target != Target::default()).then_some(own.target),
        changes: wire::raw(own.changes, "[]"),
    }
    names [("/outcome_reason", "/status_reason")]
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityMetrics {
    pub total: u64,
    /// Events with the status `failure`.
    pub failed: u64,
    /// Events with the status `denied`.
    pub denied: u64,
    pub by_action: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

const ACTOR: [Column; 3] = Column::actor(["actor_type", "actor_id", "actor_name"]);
const TARGET: [Column; 3] = Column::target(["target_type", "target_id", "target_name"]);

pub struct ActivityLog;

impl LogKind for ActivityLog {
    const LOG: Log = Log::Activity;
    const READERS: Readers = Readers::OF_ACTIVITY;
    type Event = ActivityEvent;
    type Metrics = ActivityMetrics;

    const FILTERS: &'static [FilterParam] = &[
        FilterParam::ACTION,
        FilterParam::STATUS,
        FilterParam::TARGET_TYPE,
        FilterParam::ACTOR_TYPE,
        FilterParam::ACTOR_ID,
        FilterParam::ROLE,
        FilterParam::FIELD,
        FilterParam::CHANGED,
    ];

    const FACETS: &'static [(&'static str, Dimension)] = &[
        ("status", Dimension::Outcome),
        ("action", Dimension::Action),
        ("target_type", Dimension::TargetType),
        ("role", Dimension::Role),
        ("source", Dimension::Source),
    ];

    const VALUES: &'static [(&'static str, ValuesOf, Columns)] = &[
        ("actor_id", top::actor_id, Columns::Brief),
        ("status_reason", top::reason, Columns::Brief),
        ("ip_address", top::ip_address, Columns::Brief),
        ("user_agent", top::user_agent, Columns::Brief),
    ];

    const COLUMNS: &'static [Column] = &[
        Column::action("action"),
        Column::outcome("status"),
        Column::reason("status_reason"),
        ACTOR[0],
        ACTOR[1],
        ACTOR[2],
        TARGET[0],
        TARGET[1],
        TARGET[2],
        Column::CHANGES,
    ];

    const NAMES: &'static [(&'static str, &'static str)] = ActivityEvent::NAMES;

    fn metrics(cells: &Cells) -> ActivityMetrics {
        ActivityMetrics {
            total: cells.total(),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            denied: cells.with(Dimension::Outcome, Outcome::Denied.as_str()),
            by_action: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

log_endpoints! {
    ActivityLog, ActivityEvent, ActivityMetrics, ActivityPage, "Activity log", "activity",
    list "/api/v1/workspaces/{workspace}/logs/activity" "listActivityEvents",
    get "/api/v1/workspaces/{workspace}/logs/activity/{id}" "getActivityEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/activity/metrics" "getActivityMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/activity/facets" "getActivityFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/activity/histogram" "getActivityHistogram"
}

explorer_endpoints! {
    ActivityLog, "Activity log", "activity",
    top "/api/v1/workspaces/{workspace}/logs/activity/top" "getTopActivityValues",
    groups "/api/v1/workspaces/{workspace}/logs/activity/groups" "groupActivityEvents",
    ndjson "/api/v1/workspaces/{workspace}/logs/activity/export.ndjson" "exportActivityEventsAsNdjson",
    csv "/api/v1/workspaces/{workspace}/logs/activity/export.csv" "exportActivityEventsAsCsv",
    parquet "/api/v1/workspaces/{workspace}/logs/activity/export.parquet" "exportActivityEventsAsParquet",
    start "/api/v1/workspaces/{workspace}/logs/activity/exports" "startActivityExport",
    tail "/api/v1/workspaces/{workspace}/logs/activity/tail" "tailActivityEvents"
}
