//! What every event must keep to, as functions for `validator`, and its errors as JSON pointers.

use std::{net::IpAddr, sync::LazyLock};

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{Change, pointer::escape_pointer},
};
use regex::Regex;
use serde_json::{Number, Value};
use validator::ValidationError;

use crate::http::validation::error;

/// `login_failed`: a lower-case letter, then lower-case letters, digits and underscores.
pub static ACTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[a-z][a-z0-9_]*$").expect("a constant pattern"));

/// Longest text of one changed value or of the metadata, as JSON, in bytes.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;
/// Most changed fields in one event.
pub const MAX_CHANGES: usize = 1000;
/// JSON numbers are doubles in RFC 8785: integers past this would silently become others.
const MAX_EXACT: u64 = 1 << 53;
/// Deepest nesting of a value.
const MAX_DEPTH: usize = 32;

pub fn ip_address(text: &str) -> Result<(), ValidationError> {
    text.parse::<IpAddr>().map(drop).map_err(|_| error("invalid", "must be an IPv4 or IPv6 address"))
}

pub fn occurred_at(instant: &Timestamp) -> Result<(), ValidationError> {
    let latest = Timestamp::now().plus_seconds(86_400);
    if instant.micros() < 0 || *instant > latest {
        return Err(error("out_of_range", "must lie between 1970 and a day ahead of now"));
    }
    Ok(())
}

pub fn changes(changes: &[Change]) -> Result<(), ValidationError> {
    if changes.len() > MAX_CHANGES {
        return Err(error("too_many", format!("must have at most {MAX_CHANGES} changed fields")));
    }
    for (i, change) in changes.iter().enumerate() {
        let field = change.field();
        let at = |place: &str, mut error: ValidationError| {
            error.add_param("pointer".into(), &format!("/{i}{place}"));
            error
        };
        if field.is_empty() || field.chars().count() > 255 {
            return Err(at("/field", error("length", "must have 1 to 255 characters")));
        }
        for (place, value) in change.values() {
            json_value(value).map_err(|error| at(&place, error))?;
        }
    }
    Ok(())
}

pub fn metadata(metadata: &serde_json::Map<String, Value>) -> Result<(), ValidationError> {
    let mut size = 0;
    for (key, value) in metadata {
        size += key.len() + 4;
        size += measured(value, 1).map_err(|mut error| {
            error.add_param("pointer".into(), &format!("/{}", escape_pointer(key)));
            error
        })?;
    }
    if size > MAX_VALUE_BYTES {
        return Err(error("too_long", format!("must have at most {MAX_VALUE_BYTES} bytes as JSON")));
    }
    Ok(())
}

fn json_value(value: &Value) -> Result<(), ValidationError> {
    if measured(value, 0)? > MAX_VALUE_BYTES {
        return Err(error("too_long", format!("must have at most {MAX_VALUE_BYTES} bytes as JSON")));
    }
    Ok(())
}

/// Compared as what it is: as doubles, 2^53 and 2^53 + 1 are the same.
fn is_exact(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => number.unsigned_abs() <= MAX_EXACT,
        (None, Some(number), _) => number <= MAX_EXACT,
        (None, None, number) => number.is_some_and(|number| number.abs() <= MAX_EXACT as f64),
    }
}

/// About how many bytes the value takes as JSON, once its depth and numbers are found to be fine.
fn measured(value: &Value, depth: usize) -> Result<usize, ValidationError> {
    if depth > MAX_DEPTH {
        return Err(error("too_deep", format!("must not nest deeper than {MAX_DEPTH} levels")));
    }
    Ok(match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(number) => {
            if !is_exact(number) {
                return Err(error(
                    "number_out_of_range",
                    "numbers beyond 2^53 cannot be kept exactly; send it as a string",
                ));
            }
            8
        }
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items
            .iter()
            .try_fold(2, |sum, item| Ok::<_, ValidationError>(sum + 1 + measured(item, depth + 1)?))?,
        Value::Object(map) => map.iter().try_fold(2, |sum, (key, item)| {
            Ok::<_, ValidationError>(sum + key.len() + 4 + measured(item, depth + 1)?)
        })?,
    })
}
