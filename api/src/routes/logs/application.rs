//! The application log: what changed in the data.

use logbook_engine::{
    counts::Cells,
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType, Change, Common, Event, Log, NewEvent, Outcome, Target,
        limits::{Checks, IpAddress, Text},
    },
    filter::{Dimension, Filter},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::error::{FieldError, Result},
    routes::logs::{
        log::{LogKind, log_endpoints},
        wire::{self, NewActor},
    },
};

/// A record was created, updated, deleted or viewed.
#[derive(Serialize, ToSchema)]
pub struct ApplicationEvent {
    #[schema(example = "01935fb2-8e31-8000-8000-04000000002a")]
    pub id: String,
    #[schema(minimum = 1)]
    pub seq: i64,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// `create`, `update`, `delete`, or an action of your own.
    #[schema(example = "update")]
    pub action: String,
    pub actor: Actor,
    /// The actor's role at the time of the event.
    #[schema(required, example = "Nurse")]
    pub role: Option<String>,
    #[schema(example = "patient")]
    pub model: String,
    #[schema(example = "92")]
    pub record_id: String,
    #[schema(required, example = "李雷")]
    pub record_name: Option<String>,
    /// The changed fields. For a created record: all of its fields, with `old` null.
    #[schema(value_type = Vec<Change>)]
    pub changes: Box<RawValue>,
    #[schema(required, example = "198.51.100.4")]
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
    #[schema(example = json!(["/changes/0/new"]))]
    pub masked: Vec<String>,
}

impl From<Event> for ApplicationEvent {
    fn from(event: Event) -> Self {
        let id = event.id().to_string();
        let Event { workspace_id: _, seq, occurred_at, received_at, common, changes, metadata, masked } =
            event;
        let Common {
            log: _,
            actor,
            role,
            action,
            outcome: _,
            outcome_reason: _,
            target: Target { kind: model, id: record_id, name: record_name },
            ip_address,
            user_agent,
            session_id,
            correlation_id,
        } = common;
        let names = [("/target/id", "/record_id"), ("/target/name", "/record_name")];
        Self {
            id,
            seq,
            occurred_at,
            received_at,
            action: action.into_string(),
            actor: actor.unwrap_or_else(Actor::system),
            role: role.map(Text::into_string),
            model: model.map(Text::into_string).unwrap_or_default(),
            record_id: record_id.map(Text::into_string).unwrap_or_default(),
            record_name: record_name.map(Text::into_string),
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
pub struct NewApplicationEvent {
    /// Required where a request mixes logs (`/logs/ingest`), optional elsewhere.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "application")]
    pub log: Option<Log>,
    /// When it happened: from 1970 to one day ahead. Default: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// Events with the same key in the same workspace are stored once within seven days.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub dedupe_key: Option<String>,
    /// `create`, `update`, `delete`, or an action of your own, in lower snake case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$", example = "update")]
    pub action: String,
    /// Who did it. Default: the system.
    #[serde(default, deserialize_with = "wire::optional_object")]
    pub actor: Option<NewActor>,
    #[serde(default)]
    #[schema(max_length = 255)]
    pub role: Option<String>,
    #[schema(min_length = 1, max_length = 255, example = "patient")]
    pub model: String,
    #[schema(min_length = 1, max_length = 255, example = "92")]
    pub record_id: String,
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub record_name: Option<String>,
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
pub struct ApplicationFilter {
    /// Matches any of these actions.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["update"]), max_items = 100)]
    pub action: Vec<String>,
    /// Matches any of these models.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["patient"]), max_items = 100)]
    pub model: Vec<String>,
    /// Matches any of these record ids.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub record_id: Vec<String>,
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
    /// Matches events that changed any of these fields.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["status"]), max_items = 100)]
    pub field: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicationMetrics {
    pub total: u64,
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    pub by_action: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

pub struct ApplicationLog;

impl LogKind for ApplicationLog {
    const LOG: Log = Log::Application;
    type Event = ApplicationEvent;
    type NewEvent = NewApplicationEvent;
    type Filter = ApplicationFilter;
    type Metrics = ApplicationMetrics;

    const FACETS: &'static [(&'static str, Dimension)] =
        &[("action", Dimension::Action), ("model", Dimension::TargetType)];

    fn new_event(new: NewApplicationEvent) -> Result<NewEvent, Vec<FieldError>> {
        let NewApplicationEvent {
            log,
            occurred_at,
            dedupe_key,
            action,
            actor,
            role,
            model,
            record_id,
            record_name,
            changes,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            metadata,
        } = new;
        let mut checks = Checks::default();
        wire::check_log(&mut checks, log, Log::Application);
        let model: Text<1, 255> = checks.required("/model", model);
        let record_id: Text<1, 255> = checks.required("/record_id", record_id);
        let event = NewEvent {
            occurred_at: checks.optional("/occurred_at", occurred_at).unwrap_or_default(),
            dedupe_key: checks.optional("/dedupe_key", dedupe_key),
            common: Common {
                log: Log::Application,
                actor: Some(actor.map_or_else(Actor::system, |actor| actor.check(&mut checks))),
                role: checks.optional("/role", role),
                action: checks.required("/action", action),
                outcome: Outcome::Success,
                outcome_reason: None,
                target: Target {
                    kind: Some(model.widen()),
                    id: Some(record_id.widen()),
                    name: checks.optional("/record_name", record_name),
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

    fn add(params: ApplicationFilter, filter: &mut Filter) -> Result<()> {
        let ApplicationFilter { action, model, record_id, actor_type, actor_id, field } = params;
        filter.actions = action;
        filter.targets = model.into_iter().map(|model| (model, None)).collect();
        filter.target_ids = record_id;
        filter.actor_types = actor_type;
        filter.actor_ids = actor_id;
        filter.fields = field;
        Ok(())
    }

    fn metrics(cells: &Cells) -> ApplicationMetrics {
        ApplicationMetrics {
            total: cells.total(),
            created: cells.with(Dimension::Action, "create"),
            updated: cells.with(Dimension::Action, "update"),
            deleted: cells.with(Dimension::Action, "delete"),
            by_action: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

log_endpoints! {
    ApplicationLog, ApplicationEvent, NewApplicationEvent, ApplicationFilter, ApplicationMetrics, ApplicationPage,
    "Application log", "application",
    list "/api/v1/workspaces/{workspace}/logs/application" "listApplicationEvents",
    get "/api/v1/workspaces/{workspace}/logs/application/{id}" "getApplicationEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/application/metrics" "getApplicationMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/application/facets" "getApplicationFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/application/histogram" "getApplicationHistogram",
    append "appendApplicationEvents"
}
