//! JSON text as a type, each error with its place.

use logbook_engine::event::pointer::escape_pointer;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::http::error::{FieldError, Result};

/// Reads an object.
///
/// # Errors
/// The first error, with its JSON pointer below `place`.
pub fn from_json<T: DeserializeOwned>(place: &str, element: &RawValue) -> Result<T, Vec<FieldError>> {
    if !element.get().trim_start().starts_with('{') {
        return Err(vec![FieldError::at(place, "invalid", "must be an object")]);
    }
    // Following the path costs as much again, and only an error needs it.
    if let Ok(value) = serde_json::from_str(element.get()) {
        return Ok(value);
    }
    let mut deserializer = serde_json::Deserializer::from_str(element.get());
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let mut pointer = place.to_owned();
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
        // Names of Rust types say nothing to a caller.
        let message = match message.split_once("expected struct ") {
            Some((before, _)) => format!("{before}expected an object"),
            None => message,
        };
        // serde_json ends with a place inside the element, which the pointer says better.
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        vec![FieldError::at(pointer, code, message)]
    })
}
