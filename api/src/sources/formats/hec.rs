//! Splunk's HTTP Event Collector: objects one after another, each with an `event` and what is known of it, or lines of text
//! ("Format events for HTTP Event Collector" in Splunk's documentation).

use std::sync::Arc;

use actix_web::web::Bytes;
use serde_json::{Map, Value};

use super::{MAX_EVENTS, TooMany, json};
use crate::{
    accounts::source_kind::Kind,
    sources::element::{Element, Unreadable},
};

/// Marks the context of a line.
const RAW: &str = "raw";

/// The lines of a body, with what the request says of all of them: `host`, `source`, `sourcetype`, `index`, `time`.
///
/// # Errors
/// [`TooMany`]
pub fn raw_lines(body: &Bytes, mut said: Map<String, Value>) -> Result<Vec<Element>, TooMany> {
    said.insert(RAW.to_owned(), true.into());
    let context = Arc::new(said);
    let mut lines = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines.push(Element { kind: Kind::Hec, raw: body.slice_ref(line), context: Some(context.clone()) });
        if lines.len() > MAX_EVENTS {
            return Err(TooMany);
        }
    }
    Ok(lines)
}

pub(super) fn value(element: &Element) -> Result<Value, Unreadable> {
    if let Some(context) = &element.context
        && context.contains_key(RAW)
    {
        let text = std::str::from_utf8(&element.raw)
            .map_err(|_| Unreadable::new("invalid_utf8", "the line is not UTF-8"))?;
        let mut value = Map::clone(context);
        value.remove(RAW);
        value.insert("event".to_owned(), text.into());
        return Ok(Value::Object(opened(value)));
    }
    let object = json::object(&element.raw)?;
    match object.get("event") {
        None => Err(Unreadable::new("missing", "the field event is required")),
        Some(Value::Null) => Err(Unreadable::new("invalid", "the field event must not be blank")),
        Some(Value::String(text)) if text.trim().is_empty() => {
            Err(Unreadable::new("invalid", "the field event must not be blank"))
        }
        Some(_) => Ok(Value::Object(opened(object))),
    }
}

/// Where loggers put the object that was logged: splunk-logging, and Docker's splunk driver.
const INSIDE: [&str; 2] = ["message", "line"];

/// With the object that was logged as the `event`: a text may be its JSON, and loggers wrap it. What they say beside it is the
/// `envelope`.
fn opened(mut value: Map<String, Value>) -> Map<String, Value> {
    let parsed = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let text = value.get("event").and_then(Value::as_str);
    if let Some(object) = text.and_then(parsed) {
        value.insert("event".to_owned(), Value::Object(object));
    }
    let Some(Value::Object(event)) = value.get_mut("event") else { return value };
    for name in INSIDE {
        let inner = match event.get(name) {
            Some(Value::Object(inner)) => Some(inner.clone()),
            Some(Value::String(text)) => parsed(text),
            _ => None,
        };
        if let Some(inner) = inner {
            event.remove(name);
            let envelope = std::mem::replace(event, inner);
            value.insert("envelope".to_owned(), Value::Object(envelope));
            break;
        }
    }
    value
}
