//! Small parts of the logs' JSON that all three share.

use serde_json::value::RawValue;

use crate::{
    error::{FieldError, Problem},
    logs::event::{ActorType, Outcome},
};

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

/// The values of a `status` filter.
///
/// # Errors
/// `invalid_parameter` for anything but success and failure.
pub fn outcomes(parameter: &str, values: &[String]) -> Result<Vec<Outcome>, Problem> {
    let parsed = values.iter().map(|value| value.parse::<Outcome>());
    parsed.collect::<Result<_, _>>().map_err(|()| Problem::parameter(parameter, "must be success or failure"))
}

/// The values of an `actor_type` filter.
///
/// # Errors
/// `invalid_parameter` for anything but the four kinds.
pub fn actor_types(values: &[String]) -> Result<Vec<ActorType>, Problem> {
    let parsed = values.iter().map(|value| value.parse::<ActorType>());
    parsed
        .collect::<Result<_, _>>()
        .map_err(|()| Problem::parameter("actor_type", "must be user, admin, service or system"))
}

/// Refuses a `log` that is not the one this body goes to.
pub fn right_log(
    sent: Option<crate::logs::event::Log>,
    log: crate::logs::event::Log,
) -> Result<(), FieldError> {
    match sent {
        Some(sent) if sent != log => Err(FieldError::at(
            "/log",
            "wrong_log",
            format!("this is the {log} log; send mixed logs to ingest"),
        )),
        _ => Ok(()),
    }
}
