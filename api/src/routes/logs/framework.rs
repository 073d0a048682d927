//! The framework log: what the platform did.

use logbook_engine::{
    counts::{Cells, top::ValuesOf},
    event::{
        Actor, Change, Common, Log, NewEvent, Outcome, Target,
        change::object,
        limits::{Checks, Invalid, Text},
    },
    filter::{Dimension, rows::Columns},
};
use serde::{Deserialize, Serialize};
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
        wire::{self, NewActor},
    },
};

/// The part of the platform that an event concerns: a policy, a package, a release, a role, …
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Component {
    #[serde(rename = "type")]
    #[schema(example = "policy")]
    pub kind: String,
    #[schema(required, example = "2")]
    pub id: Option<String>,
    #[schema(required, example = "OpsAccess")]
    pub name: Option<String>,
}

/// The component of a new framework event.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewComponent {
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 255, pattern = "^[^:]+$", example = "policy")]
    pub kind: String,
    #[serde(default)]
    #[schema(max_length = 255, example = "2")]
    pub id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 1000, example = "OpsAccess")]
    pub name: Option<String>,
}

event_type! {
    /// Something that the platform did.
    pub struct FrameworkEvent {
        /// `policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your
        /// own.
        #[schema(example = "policy_synced")]
        pub action: String,
        pub component: Component,
        pub actor: Actor,
        #[schema(value_type = String, example = "failure")]
        pub status: Outcome,
        /// Why it failed or was denied.
        #[schema(required, example = "role Physician does not exist")]
        pub error: Option<String>,
        #[schema(value_type = Vec<Change>)]
        pub changes: Box<RawValue>,
    }
    from(own) {
        action: own.action,
        component: Component {
            kind: own.target.kind.map(Text::into_string).unwrap_or_default(),
            id: own.target.id.map(Text::into_string),
            name: own.target.name.map(Text::into_string),
        },
        actor: own.actor.unwrap_or_else(Actor::system),
        status: own.outcome,
        error: own.outcome_reason,
        changes: wire::raw(own.changes, "[]"),
    }
    names [
        ("/target/id", "/component/id"),
        ("/target/name", "/component/name"),
        ("/outcome_reason", "/error"),
    ]
}

new_event_type! {
    pub struct NewFrameworkEvent, "framework", {
        /// `policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your
        /// own, in lower snake case.
        #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$", example = "policy_synced")]
        pub action: String,
        #[serde(deserialize_with = "object")]
        pub component: NewComponent,
        /// Who did it. Default: the system.
        #[serde(default, deserialize_with = "wire::optional_object")]
        pub actor: Option<NewActor>,
        /// Default: `failure` if `error` is given, otherwise `success`.
        #[serde(default)]
        #[schema(inline)]
        pub status: Option<Outcome>,
        #[serde(default)]
        #[schema(max_length = 20000)]
        pub error: Option<String>,
        /// For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. Each may have `label`, `old_label` and
        /// `new_label`: names beside what only a program understands. At most 1,000 fields and 64 KiB per value.
        #[serde(default)]
        #[schema(max_items = 1000)]
        pub changes: Vec<Change>,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FrameworkMetrics {
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
const COMPONENT: [Column; 3] = Column::target(["component_type", "component_id", "component_name"]);

pub struct FrameworkLog;

impl LogKind for FrameworkLog {
    const LOG: Log = Log::Framework;
    type Event = FrameworkEvent;
    type Metrics = FrameworkMetrics;

    const FILTERS: &'static [FilterParam] = &[
        FilterParam::text("action", "actions", "policy_synced", |filter| &mut filter.actions),
        FilterParam::STATUS,
        FilterParam {
            name: "component",
            what: "components: a type (`policy`), or a type and an id (`policy:2`)",
            example: "policy:2",
            place: Place::Target,
        },
        FilterParam::ACTOR_TYPE,
        FilterParam::ACTOR_ID,
        FilterParam::ROLE,
        FilterParam::FIELD,
        FilterParam::CHANGED,
    ];

    const FACETS: &'static [(&'static str, Dimension)] = &[
        ("status", Dimension::Outcome),
        ("action", Dimension::Action),
        ("component", Dimension::TargetType),
        ("role", Dimension::Role),
        ("source", Dimension::Source),
    ];

    const VALUES: &'static [(&'static str, ValuesOf, Columns)] = &[
        ("actor_id", top::actor_id, Columns::Brief),
        ("error", top::reason, Columns::Brief),
        ("field", top::field, Columns::All),
        ("ip_address", top::ip_address, Columns::Brief),
    ];

    const COLUMNS: &'static [Column] = &[
        Column::action("action"),
        COMPONENT[0],
        COMPONENT[1],
        COMPONENT[2],
        ACTOR[0],
        ACTOR[1],
        ACTOR[2],
        Column::outcome("status"),
        Column::reason("error"),
        Column::CHANGES,
    ];

    const NAMES: &'static [(&'static str, &'static str)] = FrameworkEvent::NAMES;

    fn metrics(cells: &Cells) -> FrameworkMetrics {
        FrameworkMetrics {
            total: cells.total(),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            denied: cells.with(Dimension::Outcome, Outcome::Denied.as_str()),
            by_action: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

impl AcceptsEvents for FrameworkLog {
    type NewEvent = NewFrameworkEvent;

    fn new_event(new: NewFrameworkEvent) -> Result<NewEvent, Vec<FieldError>> {
        let NewFrameworkEvent {
            log,
            occurred_at,
            dedupe_key,
            action,
            component: NewComponent { kind, id, name },
            actor,
            status,
            error,
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
        let by_error = if error.is_some() { Outcome::Failure } else { Outcome::Success };
        let mut checks = Checks::default();
        wire::check_log(&mut checks, log, Log::Framework);
        let kind: Text<1, 255> = checks.required("/component/type", kind);
        // The `component` filter splits type and id at the first colon.
        if kind.contains(':') {
            checks.refuse("/component/type", Invalid::new("invalid", "must not contain a colon"));
        }
        let own = Common {
            actor: Some(actor.map_or_else(Actor::system, |actor| actor.check(&mut checks))),
            outcome: status.unwrap_or(by_error),
            outcome_reason: checks.optional("/error", error),
            target: Target {
                kind: Some(kind.widen()),
                id: checks.optional("/component/id", id),
                name: checks.optional("/component/name", name),
            },
            ..Common::new(Log::Framework, checks.required("/action", action))
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
    FrameworkLog, FrameworkEvent, FrameworkMetrics, FrameworkPage,
    "Framework log", "framework",
    list "/api/v1/workspaces/{workspace}/logs/framework" "listFrameworkEvents",
    get "/api/v1/workspaces/{workspace}/logs/framework/{id}" "getFrameworkEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/framework/metrics" "getFrameworkMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/framework/facets" "getFrameworkFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/framework/histogram" "getFrameworkHistogram",
    append NewFrameworkEvent, "appendFrameworkEvents"
}

explorer_endpoints! {
    FrameworkLog, "Framework log", "framework",
    top "/api/v1/workspaces/{workspace}/logs/framework/top" "getTopFrameworkValues",
    groups "/api/v1/workspaces/{workspace}/logs/framework/groups" "groupFrameworkEvents",
    ndjson "/api/v1/workspaces/{workspace}/logs/framework/export.ndjson" "exportFrameworkEventsAsNdjson",
    csv "/api/v1/workspaces/{workspace}/logs/framework/export.csv" "exportFrameworkEventsAsCsv",
    parquet "/api/v1/workspaces/{workspace}/logs/framework/export.parquet" "exportFrameworkEventsAsParquet",
    start "/api/v1/workspaces/{workspace}/logs/framework/exports" "startFrameworkExport",
    tail "/api/v1/workspaces/{workspace}/logs/framework/tail" "tailFrameworkEvents"
}
