//! The access log: who came in.

use logbook_engine::{
    counts::{Cells, top::ValuesOf},
    event::{
        Actor, ActorType, Common, Log, NewEvent, Outcome, Target,
        limits::{Changes, Checks, Text},
    },
    filter::{Dimension, rows::Columns},
};
use serde::Serialize;
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
        wire::{self, MAX_REASON, NewPerson},
    },
};

/// Maximum length of `username`, in characters.
const MAX_USERNAME: usize = 500;
/// The one event type whose default status is failure.
const LOGIN_FAILED: &str = "login_failed";

/// A snapshot of the user at the time of the event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccessUser {
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "user")]
    pub kind: ActorType,
    #[schema(required, example = "17")]
    pub id: Option<String>,
    #[schema(required, example = "Asha Rao")]
    pub name: Option<String>,
}

impl From<Actor> for AccessUser {
    fn from(Actor { kind, id, name }: Actor) -> Self {
        Self { kind, id: id.map(Text::into_string), name: name.map(Text::into_string) }
    }
}

event_type! {
    /// A user came in, went out, or tried to.
    pub struct AccessEvent {
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
    }
    from(own) {
        event_type: own.action,
        status: own.outcome,
        status_reason: own.outcome_reason,
        user: own.actor.map(AccessUser::from),
        username: own.target.name.map(Text::into_string),
    }
    names [
        ("/actor/id", "/user/id"),
        ("/actor/name", "/user/name"),
        ("/target/name", "/username"),
        ("/outcome_reason", "/status_reason"),
    ]
}

new_event_type! {
    pub struct NewAccessEvent, "access", {
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
        pub user: Option<NewPerson>,
        #[serde(default)]
        #[schema(max_length = 500)]
        pub username: Option<String>,
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccessMetrics {
    pub total: u64,
    /// Events with the status `failure`.
    pub failed: u64,
    /// Events with the status `denied`.
    pub denied: u64,
    pub by_event_type: BTreeMap<String, u64>,
    /// False when the counts are lower bounds.
    pub exact: bool,
}

const USER: [Column; 3] = Column::actor(["user_type", "user_id", "user_name"]);

pub struct AccessLog;

impl LogKind for AccessLog {
    const LOG: Log = Log::Access;
    type Event = AccessEvent;
    type Metrics = AccessMetrics;

    const FILTERS: &'static [FilterParam] = &[
        FilterParam::text("event_type", "event types", "login_failed", |filter| &mut filter.actions),
        FilterParam::STATUS,
        FilterParam::ROLE,
        FilterParam::text("user_id", "user ids", "17", |filter| &mut filter.actor_ids),
        FilterParam {
            name: "user_type",
            what: "user types: `user`, `admin`, `service`, `system`, `agent`",
            example: "agent",
            place: Place::ActorType,
        },
    ];

    const FACETS: &'static [(&'static str, Dimension)] = &[
        ("status", Dimension::Outcome),
        ("event_type", Dimension::Action),
        ("role", Dimension::Role),
        ("source", Dimension::Source),
    ];

    const VALUES: &'static [(&'static str, ValuesOf, Columns)] = &[
        ("user_id", top::actor_id, Columns::Brief),
        ("status_reason", top::reason, Columns::Brief),
        ("ip_address", top::ip_address, Columns::Brief),
        ("user_agent", top::user_agent, Columns::Brief),
    ];

    const COLUMNS: &'static [Column] = &[
        Column::action("event_type"),
        Column::outcome("status"),
        Column::reason("status_reason"),
        USER[0],
        USER[1],
        USER[2],
        Column::target_name("username"),
    ];

    const NAMES: &'static [(&'static str, &'static str)] = AccessEvent::NAMES;

    fn metrics(cells: &Cells) -> AccessMetrics {
        AccessMetrics {
            total: cells.total(),
            failed: cells.with(Dimension::Outcome, Outcome::Failure.as_str()),
            denied: cells.with(Dimension::Outcome, Outcome::Denied.as_str()),
            by_event_type: cells.by(Dimension::Action).into_iter().collect(),
            exact: cells.exact,
        }
    }
}

impl AcceptsEvents for AccessLog {
    type NewEvent = NewAccessEvent;

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
        let by_name = if event_type == LOGIN_FAILED { Outcome::Failure } else { Outcome::Success };
        let mut checks = Checks::default();
        wire::check_log(&mut checks, log, Log::Access);
        let reason: Option<Text<0, MAX_REASON>> = checks.optional("/status_reason", status_reason);
        let username: Option<Text<0, MAX_USERNAME>> = checks.optional("/username", username);
        let own = Common {
            actor: user.map(|user| user.check("/user", &mut checks)),
            outcome: status.unwrap_or(by_name),
            outcome_reason: reason.map(Text::widen),
            target: Target { kind: None, id: None, name: username.map(Text::widen) },
            ..Common::new(Log::Access, checks.required("/event_type", event_type))
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
            changes: Changes::default(),
            metadata: checks.required("/metadata", metadata),
        };
        checks.finish().map_err(FieldError::all)?;
        Ok(event)
    }
}

log_endpoints! {
    AccessLog, AccessEvent, AccessMetrics, AccessPage, "Access log", "access",
    list "/api/v1/workspaces/{workspace}/logs/access" "listAccessEvents",
    get "/api/v1/workspaces/{workspace}/logs/access/{id}" "getAccessEvent",
    metrics "/api/v1/workspaces/{workspace}/logs/access/metrics" "getAccessMetrics",
    facets "/api/v1/workspaces/{workspace}/logs/access/facets" "getAccessFacets",
    histogram "/api/v1/workspaces/{workspace}/logs/access/histogram" "getAccessHistogram",
    append NewAccessEvent, "appendAccessEvents"
}

explorer_endpoints! {
    AccessLog, "Access log", "access",
    top "/api/v1/workspaces/{workspace}/logs/access/top" "getTopAccessValues",
    groups "/api/v1/workspaces/{workspace}/logs/access/groups" "groupAccessEvents",
    ndjson "/api/v1/workspaces/{workspace}/logs/access/export.ndjson" "exportAccessEventsAsNdjson",
    csv "/api/v1/workspaces/{workspace}/logs/access/export.csv" "exportAccessEventsAsCsv",
    parquet "/api/v1/workspaces/{workspace}/logs/access/export.parquet" "exportAccessEventsAsParquet",
    start "/api/v1/workspaces/{workspace}/logs/access/exports" "startAccessExport",
    tail "/api/v1/workspaces/{workspace}/logs/access/tail" "tailAccessEvents"
}
