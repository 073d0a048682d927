//! The types of events as the logs return and accept them: a log's own fields, and those of every log.

use logbook_engine::event::{Actor, Log, Outcome, Target};

/// What a log names in its own words.
pub struct Own {
    pub log: Log,
    pub actor: Option<Actor>,
    pub action: String,
    pub outcome: Outcome,
    pub outcome_reason: Option<String>,
    pub target: Target,
    /// Canonical JSON.
    pub changes: Option<String>,
}

/// The type of an event as a log returns it: the log's own fields, and those of every log. `from` says where the own ones
/// come from; `names` maps the common pointers to masked values whose names differ.
macro_rules! event_type {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { $($fields:tt)* }
        from($own:ident) { $($field:ident: $value:expr,)* }
        names [$($names:tt)*]
    ) => {
        $(#[$meta])*
        #[derive(serde::Serialize, utoipa::ToSchema)]
        pub struct $name {
            #[schema(example = "01935fb2-8e31-8000-8000-040000000029")]
            pub id: String,
            /// The event's number in its workspace: 1, 2, 3 … without gaps, in commit order.
            #[schema(minimum = 1)]
            pub seq: i64,
            #[schema(value_type = String, format = DateTime)]
            pub occurred_at: logbook_engine::db::timestamp::Timestamp,
            #[schema(value_type = String, format = DateTime)]
            pub received_at: logbook_engine::db::timestamp::Timestamp,
            /// Who sent it, set by the server: the name of the key, user or import.
            #[schema(example = "clinic producer")]
            pub source: String,
            $($fields)*
            /// The actor's role at the time of the event.
            #[schema(required, example = "Nurse")]
            pub role: Option<String>,
            /// The person for whom the actor acted.
            #[schema(required)]
            pub on_behalf_of: Option<logbook_engine::event::Actor>,
            /// Why the actor did it, in their words.
            #[schema(required, example = "INC-4711")]
            pub purpose: Option<String>,
            /// What else it concerned.
            pub targets: Vec<logbook_engine::event::Target>,
            #[schema(required, example = "198.51.100.4")]
            pub ip_address: Option<String>,
            #[schema(required)]
            pub user_agent: Option<String>,
            #[schema(required)]
            pub session_id: Option<String>,
            #[schema(required)]
            pub correlation_id: Option<String>,
            /// The producer's run in which it counts by `sequence`.
            #[schema(required)]
            pub epoch: Option<String>,
            /// The producer's own count of its events.
            #[schema(required, minimum = 0)]
            pub sequence: Option<i64>,
            #[schema(value_type = Object)]
            pub metadata: Box<serde_json::value::RawValue>,
            /// JSON pointers to what was masked, as a secret or in a field that the workspace lists.
            #[schema(example = json!(["/metadata/token"]))]
            pub masked: Vec<String>,
        }

        impl $name {
            /// The log's own names of fields, by their common pointers, where the two differ.
            pub const NAMES: &'static [(&'static str, &'static str)] = &[$($names)*];
        }

        impl From<logbook_engine::event::Event> for $name {
            fn from(event: logbook_engine::event::Event) -> Self {
                use logbook_engine::event::{Common, Event, limits::{IpAddress, Sequence, Text}};
                let id = event.id().to_string();
                let Event {
                    workspace_id: _, seq, occurred_at, received_at, source, common, changes, metadata, masked,
                } = event;
                let Common {
                    log,
                    actor,
                    on_behalf_of,
                    role,
                    action,
                    outcome,
                    outcome_reason,
                    purpose,
                    target,
                    targets,
                    ip_address,
                    user_agent,
                    session_id,
                    correlation_id,
                    epoch,
                    sequence,
                } = common;
                let $own = $crate::routes::logs::event_types::Own {
                    log,
                    actor,
                    action: action.into_string(),
                    outcome,
                    outcome_reason: outcome_reason.map(Text::into_string),
                    target,
                    changes,
                };
                Self {
                    id,
                    seq,
                    occurred_at,
                    received_at,
                    source: source.into_string(),
                    $($field: $value,)*
                    role: role.map(Text::into_string),
                    on_behalf_of,
                    purpose: purpose.map(Text::into_string),
                    targets: targets.into_vec(),
                    ip_address: ip_address.map(IpAddress::into_string),
                    user_agent: user_agent.map(Text::into_string),
                    session_id: session_id.map(Text::into_string),
                    correlation_id: correlation_id.map(Text::into_string),
                    epoch: epoch.map(Text::into_string),
                    sequence: sequence.map(Sequence::number),
                    metadata: $crate::routes::logs::wire::raw(metadata, "{}"),
                    masked: $crate::routes::logs::wire::masked(masked.as_deref(), Self::NAMES),
                }
            }
        }
    };
}
pub(crate) use event_type;

/// The type of an event as a log accepts it: the log's own fields, and those of every log.
macro_rules! new_event_type {
    ($(#[$meta:meta])* pub struct $name:ident, $log:literal, { $($fields:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// Required where a request mixes logs (`/logs/ingest`), optional elsewhere.
            #[serde(default)]
            #[schema(value_type = String, required = false, example = $log)]
            pub log: Option<logbook_engine::event::Log>,
            /// When it happened: from 1970 to one day ahead. Default: now.
            #[serde(default)]
            #[schema(value_type = Option<String>, format = DateTime)]
            pub occurred_at: Option<logbook_engine::db::timestamp::Timestamp>,
            /// Events with the same key in the same workspace are stored once within seven days.
            #[serde(default)]
            #[schema(min_length = 1, max_length = 255)]
            pub dedupe_key: Option<String>,
            $($fields)*
            #[serde(default)]
            #[schema(max_length = 255, example = "Nurse")]
            pub role: Option<String>,
            /// The person for whom the actor acted: an impersonator, a service or an agent.
            #[serde(default, deserialize_with = "crate::routes::logs::wire::optional_object")]
            pub on_behalf_of: Option<crate::routes::logs::wire::NewPerson>,
            /// Why the actor did it, in their words: a ticket, a purpose of use.
            #[serde(default)]
            #[schema(max_length = 1000, example = "INC-4711")]
            pub purpose: Option<String>,
            /// What else it concerned.
            #[serde(default, deserialize_with = "crate::routes::logs::wire::objects")]
            #[schema(max_items = 50)]
            pub targets: Vec<crate::routes::logs::wire::NewTarget>,
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
            /// Your run in which you count by `sequence`, such as the id of a process.
            #[serde(default)]
            #[schema(min_length = 1, max_length = 64)]
            pub epoch: Option<String>,
            /// Your own count of your events.
            #[serde(default)]
            #[schema(minimum = 0, maximum = 9007199254740992_i64)]
            pub sequence: Option<i64>,
            /// Any other data: an object of at most 64 KiB.
            #[serde(default)]
            #[schema(value_type = Object)]
            pub metadata: serde_json::Map<String, serde_json::Value>,
        }
    };
}
pub(crate) use new_event_type;
