//! Small parts of the logs' JSON that all three share.

use serde_json::value::RawValue;

use crate::{error::FieldError, logs::event::Log};

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
