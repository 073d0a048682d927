//! Parses JSON into a type; each error names its place.

use logbook_engine::event::pointer::escape_pointer;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::http::error::{FieldError, Result};

/// Parses an object.
///
/// # Errors
/// The first error, with its JSON pointer below `prefix`.
pub fn from_json<T: DeserializeOwned>(prefix: &str, element: &RawValue) -> Result<T, Vec<FieldError>> {
    if !element.get().trim_start().starts_with('{') {
        return Err(vec![FieldError::at(prefix, "invalid", "must be an object")]);
    }
    // Tracking the path doubles the cost, and only an error needs it.
    if let Ok(value) = serde_json::from_str(element.get()) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_str(element.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut pointer = prefix.to_owned();
        for segment in error.path() {
            use serde_path_to_error::Segment;
            match segment {
                Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
                Segment::Map { key } => pointer.push_str(&format!("/{}", escape_pointer(key))),
                Segment::Enum { .. } | Segment::Unknown => {}
            }
        }
        let message = error.inner().to_string();
        let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        if let Some(name) = missing {
            pointer.push_str(&format!("/{name}"));
        }
        let code = if missing.is_some() { "missing" } else { "invalid" };
        // Names of Rust types mean nothing to a client.
        let message = match message.split_once("expected struct ") {
            Some((before, _)) => format!("{before}expected an object"),
            None => message,
        };
        // serde_json appends line and column within the element; the pointer is more useful.
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        vec![FieldError::at(pointer, code, message)]
    })
}
