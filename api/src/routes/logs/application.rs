//! The application log: what changed in the data.

use logbook_engine::{
    counts::{Cells, top::ValuesOf},
    event::{
        Actor, Change, Common, Log, NewEvent, Outcome, Target,
        limits::{Checks, Text},
    },
    filter::{Dimension, rows::Columns},
};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::{
    http::error::{FieldError, Result},
    routes::logs::{
        columns::Column,
        event_types::{event_type, new_event_type},
        explorer::explorer_endpoints,
        filters::{FilterParam, Place},
        log::{AcceptsEvents, LogKind, log_endpoints},
        top,
        wire::{self, MAX_REASON, NewActor},
    },
};

event_type! {
    /// A record was created, updated, deleted or viewed, or somebody tried to.
    pub struct ApplicationEvent {
        /// `create`, `update`, `delete`, or an action of your own.
        #[schema(example = "update")]
        pub action: String,
        #[schema(value_type = String, example = "success")]
        pub status: Outcome,
        #[schema(required, example = "not the patient's ward")]
        pub status_reason: Option<String>,
        pub actor: Actor,
        #[schema(example = "patient")]
        pub model: String,
        #[schema(example = "92")]
        pub record_id: String,
        #[schema(required, example = "李雷")]
        pub record_name: Option<String>,
        /// The changed fields. For a created record: all of its fields, with `old` null.
        #[schema(value_type = Vec<Change>)]
        pub changes: Box<RawValue>,
    }
    from(own) {
        action: own.action,
        status: own.outcome,
        status_reason: own.outcome_reason,
        actor: own.actor.unwrap_or_else(Actor::system),
        model: own.target.kind.map(Text::into_string).unwrap_or_default(),
        record_id: own.target.id.map(Text::into_string).unwrap_or_default(),
        record_name: own.target.name.map(Text::into_string),
        changes: wire::raw(own.changes, "[]"),
    }
    names [
        ("/target/id", "/record_id"),
        ("/target/name", "/record_name"),
        ("/outcome_reason", "/status_reason"),
    ]
}

new_event_type! {
    pub struct NewApplicationEvent, "application", {
        /// `create`, `update`, `delete`, or an action of your own, in lower snake case.
        #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$", example = "update")]
        pub action: String,
        /// Default: `success`.
        #[serde(default)]
        #[schema(inline)]
        pub status: Option<Outcome>,
        #[serde(default)]
        #[schema(max_length = 4000)]
        pub status_reason: Option<String>,
        /// Who did it. Default: the system.
        #[serde(default, deserialize_with = "wire::optional_object")]
        pub actor: Option<NewActor>,
        #[schema(min_length = 1, max_length = 255, example = "patient")]
        pub model: String,
        #[schema(min_length = 1, max_length = 255, example = "92")]
        pub record_id: String,
        #[serde(default)]
        #[schema(max_length = 1000)]
        pub record_name: Option<String>,
        /// For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and
        /// `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value.
        #[serde(default)]
        #[schema(max_items = 1000)]
        pub changes: Vec<Change>,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationMetrics {
    pub total: u64,
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    /// Events with the status `failure`.
    pub failed: u64,
    /// Events with the status `denied`.
    pub denied: u64,
    pub by_action: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

const ACTOR: [Column; 3] = Column::actor(["actor_type", "actor_id", "actor_name"]);
const RECORD: [Column; 3] = Column::target(["model", "record_id", "record_name"]);

pub struct ApplicationLog;

impl LogKind for ApplicationLog {
    const LOG: Log = Log::Application;
    type Event = ApplicationEvent;
    type Metrics = ApplicationMetrics;

    const FILTERS: &'static [FilterParam] = &[
        FilterParam::ACTION,
        FilterParam::STATUS,
        FilterParam { name: "model", what: "models", example: "patient", place: Place::TargetType },
        FilterParam::text("record_id", "record ids", "92", |filter| &mut filter.target_ids),
        FilterParam {
            name: "record",
            what: "records: a model and an id (`patient:92`)",
            example: "patient:92",
            place: Place::Record,
        },
        FilterParam::ACTOR_TYPE,
        FilterParam::ACTOR_ID,
        FilterParam::ROLE,
        FilterParam::FIELD,
        FilterParam::CHANGED,
    ];

    const FACETS: &'static [(&'static str, Dimension)] = &[
        ("action", Dimension::Action),
        ("model", Dimension::TargetType),
        ("status", Dimension::Outcome),
        ("role", Dimension::Role),
        ("source", Dimension::Source),
    ];

    const VALUES: &'static [(&'static str, ValuesOf, Columns)] = &[
        ("actor_id", top::actor_id, Columns::Brief),
        ("record", top::record, Columns::Brief),
        ("field", top::field, Columns::All),
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
        RECORD[0],
        RECORD[1],
        RECORD[2],
        Column::CHANGES,
    ];

    const NAMES: &'static [(&'static str, &'static str)] = ApplicationEvent::NAMES;

    fn metrics(cells: &Cells) -> ApplicationMetrics {
        ApplicationMetrics {
            total: cells.total(),
            created: cells.with(Dimension::Action, "create"),
            updated: cells.with(Dimension::Action, "update"),
            deleted: cells.with(Dimension::Action, "delete"),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            denied: cells.with(Dimension::Outcome, Outcome::Denied.as_str()),
            by_action: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

impl AcceptsEvents for ApplicationLog {
    type NewEvent = NewApplicationEvent;

    fn new_event(new: NewApplicationEvent) -> Result<NewEvent, Vec<FieldError>> {
        let NewApplicationEvent {
            log,
            occurred_at,
            dedupe_key,
            action,
            status,
            status_reason,
            actor,
            model,
            record_id,
            record_name,
            changes,
            role,
            on_behalf_of,
            purpose,
            targets,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            epoch,
            sequence,
            metadata,
        } = new;
        let mut checks = Checks::default();
        wire::check_log(&mut checks, log, Log::Application);
        let model: Text<1, 255> = checks.required("/model", model);
        let record_id: Text<1, 255> = checks.required("/record_id", record_id);
        let reason: Option<Text<0, MAX_REASON>> = checks.optional("/status_reason", status_reason);
        let own = Common {
            actor: Some(actor.map_or_else(Actor::system, |actor| actor.check(&mut checks))),
            outcome: status.unwrap_or(Outcome::Success),
            outcome_reason: reason.map(Text::widen),
            target: Target {
                kind: Some(model.widen()),
                id: Some(record_id.widen()),
                name: checks.optional("/record_name", record_name),
            },
            ..Common::new(Log::Application, checks.required("/action", action))
        };
        let context = wire::NewContext {
            on_behalf_of,
            role,
            purpose,
            targets,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            epoch,
            sequence,
        };
        let event = NewEvent {
            occurred_at: checks.optional("/occurred_at", occurred_at).unwrap_or_default(),
            dedupe_key: checks.optional("/dedupe_key", dedupe_key),
            common: context.check(own, &mut checks),
            changes: checks.required("/changes", changes),
            metadata: checks.required("/metadata", metadata),
        };
        checks.finish().map_err(FieldError::all)?;
        Ok(event)
    }
}

log_endpoints! {
    ApplicationLog, ApplicationEvent, ApplicationMetrics, ApplicationPage,
    "Application log", "application",
    list "/api/v1/workspaces/{workspace}/logs/application" "listApplicationEvents",
    get "/api/v1/workspaces/{workspace}/logs/application/{id}" "getApplicationEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/application/metrics" "getApplicationMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/application/facets" "getApplicationFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/application/histogram" "getApplicationHistogram",
    append NewApplicationEvent, "appendApplicationEvents"
}

explorer_endpoints! {
    ApplicationLog, "Application log", "application",
    top "/api/v1/workspaces/{workspace}/logs/application/top" "getTopApplicationValues",
    groups "/api/v1/workspaces/{workspace}/logs/application/groups" "groupApplicationEvents",
    ndjson "/api/v1/workspaces/{workspace}/logs/application/export.ndjson" "exportApplicationEventsAsNdjson",
    csv "/api/v1/workspaces/{workspace}/logs/application/export.csv" "exportApplicationEventsAsCsv",
    parquet "/api/v1/workspaces/{workspace}/logs/application/export.parquet" "exportApplicationEventsAsParquet",
    start "/api/v1/workspaces/{workspace}/logs/application/exports" "startApplicationExport",
    tail "/api/v1/workspaces/{workspace}/logs/application/tail" "tailApplicationEvents"
}
