//! What every event must keep to, as functions for `validator`, and its errors as JSON pointers.

use std::{borrow::Cow, net::IpAddr, sync::LazyLock};

use regex::Regex;
use serde_json::{Number, Value};
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use crate::{db::types::Instant, error::FieldError, logs::event::Change};

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

fn error(code: &'static str, message: impl Into<Cow<'static, str>>) -> ValidationError {
    let mut error = ValidationError::new(code);
    error.message = Some(message.into());
    error
}

/// An error that a log's own check reports.
pub fn invalid(message: &'static str) -> ValidationError {
    error("invalid", message)
}

/// PostgreSQL's text cannot hold U+0000, and cutting it out would change what the producer said.
pub fn no_nul(text: &str) -> Result<(), ValidationError> {
    if text.contains('\0') {
        Err(error("nul_character", "must not contain the character U+0000"))
    } else {
        Ok(())
    }
}

pub fn ip_address(text: &str) -> Result<(), ValidationError> {
    text.parse::<IpAddr>().map(drop).map_err(|_| error("invalid", "must be an IPv4 or IPv6 address"))
}

pub fn occurred_at(instant: &Instant) -> Result<(), ValidationError> {
    let latest = Instant::now().plus_seconds(86_400);
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

/// `~` and `/` as RFC 6901 wants them.
pub fn escape_pointer(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// validator's tree of errors as a list, each with its place below `prefix`.
pub fn field_errors(prefix: &str, errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found = Vec::new();
    collect(prefix, errors, &mut found);
    found.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    found
}

fn collect(prefix: &str, errors: &ValidationErrors, found: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        // Rust's name of a field that JSON calls `type`.
        let name = if field == "kind" { "type" } else { field.as_ref() };
        let place = format!("{prefix}/{name}");
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(&place, inner, found),
            ValidationErrorsKind::List(items) => {
                for (i, inner) in items {
                    collect(&format!("{place}/{i}"), inner, found);
                }
            }
            ValidationErrorsKind::Field(errors) => {
                for error in errors {
                    let below = error.params.get("pointer").and_then(Value::as_str).unwrap_or_default();
                    found.push(FieldError::at(format!("{place}{below}"), code(error), detail(error)));
                }
            }
        }
    }
}

fn code(error: &ValidationError) -> String {
    error.code.to_string()
}

/// A sentence for people, made from validator's code and bounds.
pub fn detail(error: &ValidationError) -> String {
    if let Some(message) = &error.message {
        return message.to_string();
    }
    let bound = |name: &str| error.params.get(name).and_then(Value::as_u64);
    match (error.code.as_ref(), bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => format!("must have {min} to {max} characters"),
        ("length", None, Some(max)) => format!("must have at most {max} characters"),
        ("length", Some(min), None) => format!("must have at least {min} characters"),
        ("range", Some(min), Some(max)) => format!("must lie between {min} and {max}"),
        ("regex", ..) => "must be lower snake case: a letter, then letters, digits and _".into(),
        ("email", ..) => "must be an e-mail address".into(),
        (code, ..) => format!("is not valid ({code})"),
    }
}
