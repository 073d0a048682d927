//! Small parts of the JSON that all three logs share.

use std::marker::PhantomData;

use logbook_engine::event::{
    Actor, ActorType, Log,
    change::object,
    limits::{Checks, Invalid},
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
