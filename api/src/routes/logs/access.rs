//! The access log: who came in.

use logbook_engine::{
    counts::Cells,
    db::timestamp::Timestamp,
    event::{
        Actor, ActorType, Common, Event, Log, NewEvent, Outcome, Target,
        limits::{Changes, Checks, IpAddress, Text},
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
        wire,
    },
};

/// Maximum length of `status_reason`, in characters.
const MAX_REASON: usize = 4000;
/// Maximum length of `username`, in characters.
const MAX_USERNAME: usize = 500;
/// The one event type whose default status is failure.
const LOGIN_FAILED: &str = "login_failed";

/// A snapshot of the user at the time of the event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccessUser {
    #[schema(required, example = "17")]
    pub id: Option<String>,
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
}

/// The user of a new access event.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccessUser {
    #[serde(default)]
    #[schema(max_length = 255, example = "17")]
    pub id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 500, example = "Asha Rao")]
    pub name: Option<String>,
}

/// A user came in, went out, or tried to.
#[derive(Serialize, ToSchema)]
pub struct AccessEvent {
    #[schema(example = "01935fb2-8e31-8000-8000-040000000029")]
    pub id: String,
    #[schema(minimum = 1)]
    pub seq: i64,
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// `login`, `logout`, `login_failed`, `session_expired`, `role_switched`, or a type of your own.
    #[schema(example = "login_failed")]
    pub event_type: String,
    #[schema(value_type = String, example = "failure")]
    pub status: Outcome,
    #[schema(required, example = "wrong_password")]
    pub status_reason: Option<String>,
    #[schema(required)]
    pub user: Option<AccessUser>,
    /// The user name that was entered to sign in.
    #[schema(required, example = "asha@clinic.test")]
    pub username: Option<String>,
    /// The user's role at the time of the event.
    #[schema(required, example = "Nurse")]
    pub role: Option<String>,
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
    pub masked: Vec<String>,
}

impl From<Event> for AccessEvent {
    fn from(event: Event) -> Self {
        let id = event.id().to_string();
        let Event { workspace_id: _, seq, occurred_at, received_at, common, changes: _, metadata, masked } =
            event;
        let Common {
            log: _,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target: Target { kind: _, id: _, name: username },
            ip_address,
            user_agent,
            session_id,
            correlation_id,
        } = common;
        let names = [
            ("/actor/id", "/user/id"),
            ("/actor/name", "/user/name"),
            ("/target/name", "/username"),
            ("/outcome_reason", "/status_reason"),
        ];
        Self {
            id,
            seq,
            occurred_at,
            received_at,
            event_type: action.into_string(),
            status: outcome,
            status_reason: outcome_reason.map(Text::into_string),
            user: actor.map(|Actor { kind: _, id, name }| AccessUser {
                id: id.map(Text::into_string),
                name: name.map(Text::into_string),
            }),
            username: username.map(Text::into_string),
            role: role.map(Text::into_string),
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
pub struct NewAccessEvent {
    /// Required where a request mixes logs (`/logs/ingest`), optional elsewhere.
    #[serde(default)]
    #[schema(value_type = String, required = false, example = "access")]
    pub log: Option<Log>,
    /// When it happened: from 1970 to one day ahead. Default: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub occurred_at: Option<Timestamp>,
    /// Events with the same key in the same workspace are stored once within seven days.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub dedupe_key: Option<String>,
    /// `login`, `logout`, `login_failed`, `session_expired`, `role_switched`, or a type of your own, in lower
    /// snake case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9_]*$", example = "login")]
    pub event_type: String,
    /// Default: `failure` for `login_failed`, otherwise `success`.
    #[serde(default)]
    #[schema(inline)]
    pub status: Option<Outcome>,
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub status_reason: Option<String>,
    #[serde(default, deserialize_with = "wire::optional_object")]
    pub user: Option<NewAccessUser>,
    #[serde(default)]
    #[schema(max_length = 500)]
    pub username: Option<String>,
    #[serde(default)]
    #[schema(max_length = 255)]
    pub role: Option<String>,
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
pub struct AccessFilter {
    /// Matches any of these event types.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(example = json!(["login_failed"]), max_items = 100)]
    pub event_type: Vec<String>,
    /// Matches any of these statuses: `success`, `failure`.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(inline, max_items = 100)]
    pub status: Vec<Outcome>,
    /// Matches any of these roles.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub role: Vec<String>,
    /// Matches any of these user ids.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub user_id: Vec<String>,
    /// Matches any of these IP addresses.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub ip_address: Vec<String>,
    /// Matches any of these session ids.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[param(max_items = 100)]
    pub session_id: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccessMetrics {
    pub total: u64,
    /// Events with the status `failure`.
    pub failed: u64,
    pub by_event_type: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

pub struct AccessLog;

impl LogKind for AccessLog {
    const LOG: Log = Log::Access;
    type Event = AccessEvent;
    type NewEvent = NewAccessEvent;
    type Filter = AccessFilter;
    type Metrics = AccessMetrics;

    const FACETS: &'static [(&'static str, Dimension)] =
        &[("status", Dimension::Outcome), ("event_type", Dimension::Action), ("role", Dimension::Role)];

    fn new_event(new: NewAccessEvent) -> Result<NewEvent, Vec<FieldError>> {
        let NewAccessEvent {
            log,
            occurred_at,
            dedupe_key,
            event_type,
            status,
            status_reason,
            user,
            username,
            role,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            metadata,
        } = new;
        let by_name = if event_type == LOGIN_FAILED { Outcome::Failure } else { Outcome::Success };
        let mut checks = Checks::default();
        wire::check_log(&mut checks, log, Log::Access);
        let user = user.map(|NewAccessUser { id, name }| Actor {
            kind: ActorType::User,
            id: checks.optional("/user/id", id),
            name: checks.optional("/user/name", name),
        });
        let reason: Option<Text<0, MAX_REASON>> = checks.optional("/status_reason", status_reason);
        let username: Option<Text<0, MAX_USERNAME>> = checks.optional("/username", username);
        let event = NewEvent {
            occurred_at: checks.optional("/occurred_at", occurred_at).unwrap_or_default(),
            dedupe_key: checks.optional("/dedupe_key", dedupe_key),
            common: Common {
                log: Log::Access,
                actor: user,
                role: checks.optional("/role", role),
                action: checks.required("/event_type", event_type),
                outcome: status.unwrap_or(by_name),
                outcome_reason: reason.map(Text::widen),
                target: Target { kind: None, id: None, name: username.map(Text::widen) },
                ip_address: checks.optional("/ip_address", ip_address),
                user_agent: checks.optional("/user_agent", user_agent),
                session_id: checks.optional("/session_id", session_id),
                correlation_id: checks.optional("/correlation_id", correlation_id),
            },
            changes: Changes::default(),
            metadata: checks.required("/metadata", metadata),
        };
        checks.finish().map_err(wire::field_errors)?;
        Ok(event)
    }

    fn add(params: AccessFilter, filter: &mut Filter) -> Result<()> {
        let AccessFilter { event_type, status, role, user_id, ip_address, session_id } = params;
        filter.outcomes = status;
        filter.actions = event_type;
        filter.roles = role;
        filter.actor_ids = user_id;
        filter.ip_addresses = ip_address;
        filter.session_ids = session_id;
        Ok(())
    }

    fn metrics(cells: &Cells) -> AccessMetrics {
        AccessMetrics {
            total: cells.total(),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            by_event_type: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

log_endpoints! {
    AccessLog, AccessEvent, NewAccessEvent, AccessFilter, AccessMetrics, AccessPage, "Access log", "access",
    list "/api/v1/workspaces/{workspace}/logs/access" "listAccessEvents",
    get "/api/v1/workspaces/{workspace}/logs/access/{id}" "getAccessEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/access/metrics" "getAccessMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/access/facets" "getAccessFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/access/histogram" "getAccessHistogram",
    append "appendAccessEvents"
}
