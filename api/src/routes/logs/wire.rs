//! The JSON that all logs share: actors, targets, and the fields that every event has beside its log's own.

use std::marker::PhantomData;

use logbook_engine::event::{
    Actor, ActorType, Common, Log, Outcome, Target,
    change::object,
    limits::{Checks, Invalid, Text},
};
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::error::FieldError;

/// The actor of a new event.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewActor {
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: ActorType,
    #[serde(default)]
    #[schema(max_length = 255, example = "17")]
    pub id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 500, example = "Asha Rao")]
    pub name: Option<String>,
}

impl NewActor {
    /// Converts it to an actor; its errors go to `checks`, with pointers below `/actor`.
    pub fn check(self, checks: &mut Checks) -> Actor {
        let Self { kind, id, name } = self;
        Actor { kind, id: checks.optional("/actor/id", id), name: checks.optional("/actor/name", name) }
    }
}

/// Somebody, who is a user unless the type says otherwise.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPerson {
    /// Default: `user`.
    #[serde(default, rename = "type")]
    #[schema(inline)]
    pub kind: Option<ActorType>,
    #[serde(default)]
    #[schema(max_length = 255, example = "17")]
    pub id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 500, example = "Asha Rao")]
    pub name: Option<String>,
}

impl NewPerson {
    /// Converts it to an actor; its errors go to `checks`, with pointers below `place`.
    pub fn check(self, place: &str, checks: &mut Checks) -> Actor {
        let Self { kind, id, name } = self;
        Actor {
            kind: kind.unwrap_or(ActorType::User),
            id: checks.optional(&format!("{place}/id"), id),
            name: checks.optional(&format!("{place}/name"), name),
        }
    }
}

/// What else an event concerned.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTarget {
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 255, example = "group")]
    pub kind: String,
    #[serde(default)]
    #[schema(max_length = 255, example = "7")]
    pub id: Option<String>,
    #[serde(default)]
    #[schema(max_length = 1000, example = "Night shift")]
    pub name: Option<String>,
}

impl NewTarget {
    fn check(self, place: &str, checks: &mut Checks) -> Target {
        let Self { kind, id, name } = self;
        let kind: Text<1, 255> = checks.required(&format!("{place}/type"), kind);
        Target {
            kind: Some(kind.widen()),
            id: checks.optional(&format!("{place}/id"), id),
            name: checks.optional(&format!("{place}/name"), name),
        }
    }
}

/// An array of objects. serde would accept arrays in their place.
///
/// # Errors
/// The deserializer's.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct One<T>(T);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for One<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            object(deserializer).map(Self)
        }
    }

    let all = Vec::<One<T>>::deserialize(deserializer)?;
    Ok(all.into_iter().map(|One(one)| one).collect())
}

/// What an event may have in every log, as it is sent.
pub struct NewContext {
    pub on_behalf_of: Option<NewPerson>,
    pub role: Option<String>,
    pub purpose: Option<String>,
    pub targets: Vec<NewTarget>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<String>,
    pub correlation_id: Option<String>,
    pub epoch: Option<String>,
    pub sequence: Option<i64>,
}

impl NewContext {
    /// Adds it to an event; its errors go to `checks`.
    pub fn check(self, common: Common, checks: &mut Checks) -> Common {
        let targets = (0..).zip(self.targets);
        let targets: Vec<Target> =
            targets.map(|(n, target)| target.check(&format!("/targets/{n}"), checks)).collect();
        Common {
            on_behalf_of: self.on_behalf_of.map(|person| person.check("/on_behalf_of", checks)),
            role: checks.optional("/role", self.role),
            purpose: checks.optional("/purpose", self.purpose),
            targets: checks.required("/targets", targets),
            ip_address: checks.optional("/ip_address", self.ip_address),
            user_agent: checks.optional("/user_agent", self.user_agent),
            session_id: checks.optional("/session_id", self.session_id),
            correlation_id: checks.optional("/correlation_id", self.correlation_id),
            epoch: checks.optional("/epoch", self.epoch),
            sequence: checks.optional("/sequence", self.sequence),
            ..common
        }
    }
}

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
            /// JSON pointers to the values that looked like secrets and were replaced by `[masked]`.
            #[schema(example = json!(["/metadata/token"]))]
            pub masked: Vec<String>,
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
                let $own = $crate::routes::logs::wire::Own {
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
                    masked: $crate::routes::logs::wire::masked(masked.as_deref(), &[$($names)*]),
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

/// Stored canonical JSON, returned unchanged.
pub fn raw(text: Option<String>, empty: &str) -> Box<RawValue> {
    text.and_then(|text| RawValue::from_string(text).ok())
        .or_else(|| RawValue::from_string(empty.to_owned()).ok())
        .unwrap_or_default()
}

/// The pointers to masked values, in a log's own names. `names` maps the common pointers whose names differ.
pub fn masked(text: Option<&str>, names: &[(&str, &str)]) -> Vec<String> {
    let pointers: Vec<String> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let own = |pointer: String| {
        names.iter().find(|(common, _)| *common == pointer).map_or(pointer, |(_, own)| (*own).to_owned())
    };
    pointers.into_iter().map(own).collect()
}

/// Like [`object`], but null is accepted too.
///
/// # Errors
/// The deserializer's.
pub fn optional_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    struct Options<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Options<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object or null")
        }

        fn visit_none<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Option<T>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
            object(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Options(PhantomData))
}

/// Refuses a `log` other than the endpoint's own.
pub fn check_log(checks: &mut Checks, sent: Option<Log>, log: Log) {
    if sent.is_some_and(|sent| sent != log) {
        let detail = format!("must be {log} here; send mixed logs to ingest");
        checks.refuse("/log", Invalid::new("wrong_log", detail));
    }
}

/// The errors of an event, as a client reads them.
pub fn field_errors(invalid: Vec<Invalid>) -> Vec<FieldError> {
    let error = |Invalid { pointer, code, detail }| FieldError::at(pointer, code, detail);
    invalid.into_iter().map(error).collect()
}
