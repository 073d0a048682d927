//! The framework log: what the platform did.

use logbook_engine::{
    counts::Cells,
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType, Change, Common, Event, Log, NewEvent, Outcome, Target,
        change::object,
        limits::{Checks, Invalid, IpAddress, Text},
    },
    filter::{Dimension, Filter},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::error::{FieldError, Problem, Result},
    routes::logs::{
        log::{LogKind, log_endpoints},
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

/// Something that the platform did.
#[derive(Serialize, ToSchema)]
pub struct FrameworkEvent {
    #[schema(example = "01935fb2-8e31-8000-8000-04000000002b")]
    pub id: String,
    #[schema(minimum = 1)]
    pub seq: i64,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// `policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your
    /// own.
    #[schema(example = "policy_synced")]
    pub action: String,
    pub component: Component,
    pub actor: Actor,
    /// The actor's role at the time of the event.
    #[schema(required)]
    pub role: Option<String>,
    #[schema(value_type = String, example = "failure")]
    pub status: Outcome,
    /// Why it failed.
    #[schema(required, example = "role Physician does not exist")]
    pub error: Option<String>,
    #[schema(value_type = Vec<Change>)]
    pub changes: Box<RawValue>,
    #[schema(required)]
    pub ip_address: Option<String>,
    #[schema(required)]
    pub user_agent: Option<String>,
    #[schema(required)]
    pub session_id: Option<String>,
    #[schema(required)]
    pub correlation_id: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    /// JSON pointers to the values that looked like secrets and were replaced by `[masked]`.
    pub masked: Vec<String>,
}

impl From<Event> for FrameworkEvent {
    fn from(event: Event) -> Self {
        let id = event.id().to_string();
        let Event { workspace_id: _, seq, occurred_at, received_at, common, changes, metadata, masked } =
            event;
        let Common {
            log: _,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target: Target { kind, id: component_id, name },
            ip_address,
            user_agent,
            session_id,
            correlation_id,
        } = common;
        let names = [
            ("/target/id", "/component/id"),
            ("/target/name", "/component/name"),
            ("/outcome_reason", "/error"),
        ];
        Self {
            id,
            seq,
            occurred_at,
            received_at,
            action: action.into_string(),
            component: Component {
                kind: kind.map(Text::into_string).unwrap_or_default(),
                id: component_id.map(Text::into_string),
                name: name.map(Text::into_string),
            },
            actor: actor.unwrap_or_else(Actor::system),
            role: role.map(Text::into_string),
            status: outcome,
            error: outcome_reason.map(Text::into_string),
            changes: wire::raw(changes, "[]"),
            ip_address: ip_address.map(IpAddress::into_string),
            user_agent: user_agent.map(Text::into_string),
            session_id: session_id.map(Text::into_string),
            correlation_id: correlation_id.map(Text::into_string),
            metadata: wire::raw(metadata, "{}"),
            masked: wire::masked(masked.as_deref(), &names),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFrameworkEvent {
    /// Required where a request mixes logs (`/logs/ingest`), optional elsewhere.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "framework")]
    pub log: Option<Log>,
    /// When it happened: from 1970 to one day ahead. Default: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// Events with the same key in the same workspace are stored once within seven days.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub dedupe_key: Option<String>,
    /// `policy_synced`, `package_installed`, `app_updated`, `release_applied`, `task_failed`, or an action of your
    /// own, in lower snake case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$", example = "policy_synced")]
    pub action: String,
    #[serde(deserialize_with = "object")]
    pub component: NewComponent,
    /// Who did it. Default: the system.
    #[serde(default, deserialize_with = "wire::optional_object")]
    pub actor: Option<NewActor>,
    #[serde(default)]
    #[schema(max_length = 255)]
    pub role: Option<String>,
    /// Default: `failure` if `error` is given, otherwise `success`.
    #[serde(default)]
    #[schema(inline)]
    pub status: Option<Outcome>,
    #[serde(default)]
    #[schema(max_length = 20000)]
    pub error: Option<String>,
    /// For a value: `field`, `old`, `new`. For a set: `field`, `added`, `removed`. At most 1,000 fields and 64 KiB per
    /// value.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub changes: Vec<Change>,
    #[serde(default)]
    #[schema(example = "198.51.100.4")]
    pub ip_address: Option<String>,
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub user_agent: Option<String>,
    #[serde(default)]
    #[schema(max_length = 255)]
    pub session_id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 255)]
    pub correlation_id: Option<String>,
    /// Any other data: an object of at most 64 KiB.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct FrameworkFilter {
    /// Matches any of these actions.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["policy_synced"]), max_items = 100)]
    pub action: Vec<String>,
    /// Matches any of these components: a type (`policy`), or a type and an id (`policy:2`).
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["policy:2"]), max_items = 100)]
    pub component: Vec<String>,
    /// Matches any of these actor types: `user`, `admin`, `service`, `system`.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(inline, max_items = 100)]
    pub actor_type: Vec<ActorType>,
    /// Matches any of these actor ids.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub actor_id: Vec<String>,
    /// Matches any of these statuses: `success`, `failure`.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(inline, max_items = 100)]
    pub status: Vec<Outcome>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FrameworkMetrics {
    pub total: u64,
    /// Events with the status `failure`.
    pub failed: u64,
    pub by_action: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

pub struct FrameworkLog;

impl LogKind for FrameworkLog {
    const LOG: Log = Log::Framework;
    type Event = FrameworkEvent;
    type NewEvent = NewFrameworkEvent;
    type Filter = FrameworkFilter;
    type Metrics = FrameworkMetrics;

    const FACETS: &'static [(&'static str, Dimension)] = &[
        ("status", Dimension::Outcome),
        ("action", Dimension::Action),
        ("component", Dimension::TargetType),
    ];

    fn new_event(new: NewFrameworkEvent) -> Result<NewEvent, Vec<FieldError>> {
        let NewFrameworkEvent {
            log,
            occurred_at,
            dedupe_key,
            action,
            component: NewComponent { kind, id, name },
            actor,
            role,
            status,
            error,
            changes,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
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
        let event = NewEvent {
            occurred_at: checks.optional("/occurred_at", occurred_at).unwrap_or_default(),
            dedupe_key: checks.optional("/dedupe_key", dedupe_key),
            common: Common {
                log: Log::Framework,
                actor: Some(actor.map_or_else(Actor::system, |actor| actor.check(&mut checks))),
                role: checks.optional("/role", role),
                action: checks.required("/action", action),
                outcome: status.unwrap_or(by_error),
                outcome_reason: checks.optional("/error", error),
                target: Target {
                    kind: Some(kind.widen()),
                    id: checks.optional("/component/id", id),
                    name: checks.optional("/component/name", name),
                },
                ip_address: checks.optional("/ip_address", ip_address),
                user_agent: checks.optional("/user_agent", user_agent),
                session_id: checks.optional("/session_id", session_id),
                correlation_id: checks.optional("/correlation_id", correlation_id),
            },
            changes: checks.required("/changes", changes),
            metadata: checks.required("/metadata", metadata),
        };
        checks.finish().map_err(wire::field_errors)?;
        Ok(event)
    }

    fn add(params: FrameworkFilter, filter: &mut Filter) -> Result<()> {
        let FrameworkFilter { action, component, actor_type, actor_id, status } = params;
        filter.outcomes = status;
        filter.actions = action;
        filter.actor_types = actor_type;
        filter.actor_ids = actor_id;
        filter.targets = component
            .into_iter()
            .map(|component| match component.split_once(':') {
                Some(("", _)) => Err(Problem::parameter(
                    "component",
                    "must be a type (policy), or a type and an id (policy:2)",
                )),
                Some((kind, id)) => Ok((kind.to_owned(), Some(id.to_owned()))),
                None => Ok((component, None)),
            })
            .collect::<Result<_>>()?;
        Ok(())
    }

    fn metrics(cells: &Cells) -> FrameworkMetrics {
        FrameworkMetrics {
            total: cells.total(),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            by_action: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

log_endpoints! {
    FrameworkLog, FrameworkEvent, NewFrameworkEvent, FrameworkFilter, FrameworkMetrics, FrameworkPage,
    "Framework log", "framework",
    list "/api/v1/workspaces/{workspace}/logs/framework" "listFrameworkEvents",
    get "/api/v1/workspaces/{workspace}/logs/framework/{id}" "getFrameworkEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/framework/metrics" "getFrameworkMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/framework/facets" "getFrameworkFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/framework/histogram" "getFrameworkHistogram",
    append "appendFrameworkEvents"
}
