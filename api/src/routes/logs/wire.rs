//! Small parts of the logs' JSON that all three share.

use std::marker::PhantomData;

use logbook_engine::event::{Actor, ActorType, Log, change::object};
use serde::{Deserialize, Deserializer, de::Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::{error::FieldError, validation::no_nul};

/// Who did it, as it is sent.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewActor {
    #[serde(rename = "type")]
    #[schema(inline)]
    pub kind: ActorType,
    #[serde(default)]
    #[validate(length(max = 255), custom(function = no_nul))]
    #[schema(max_length = 255, example = "17")]
    pub id: Option<String>,
    #[serde(default)]
    #[validate(length(max = 500), custom(function = no_nul))]
    #[schema(max_length = 500, example = "Asha Rao")]
    pub name: Option<String>,
}

impl From<NewActor> for Actor {
    fn from(NewActor { kind, id, name }: NewActor) -> Self {
        Self { kind, id, name }
    }
}

/// Stored canonical JSON as it stands, so that what is served is what was stored.
pub fn raw(text: Option<String>, empty: &str) -> Box<RawValue> {
    text.and_then(|text| RawValue::from_string(text).ok())
        .or_else(|| RawValue::from_string(empty.to_owned()).ok())
        .unwrap_or_default()
}

/// The pointers of masked values, in a log's own words: `names` gives each common pointer that is called otherwise.
pub fn masked(text: Option<&str>, names: &[(&str, &str)]) -> Vec<String> {
    let pointers: Vec<String> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let own = |pointer: String| {
        names.iter().find(|(common, _)| *common == pointer).map_or(pointer, |(_, own)| (*own).to_owned())
    };
    pointers.into_iter().map(own).collect()
}

/// As [`object`], or null.
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

/// Refuses a `log` that is not the one this body goes to.
pub fn right_log(sent: Option<Log>, log: Log) -> Result<(), FieldError> {
    match sent {
        Some(sent) if sent != log => Err(FieldError::at(
            "/log",
            "wrong_log",
            format!("this is the {log} log; send mixed logs to ingest"),
        )),
        _ => Ok(()),
    }
}
