//! The JSON that all logs share: actors, targets, and what every new event may have beside its log's own fields.

use std::marker::PhantomData;

use logbook_engine::event::{
    Actor, ActorType, Common, Log, Target,
    change::object,
    limits::{Checks, Invalid, Text},
};
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Maximum length of `status_reason`, in characters.
pub const MAX_REASON: usize = 4000;

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
