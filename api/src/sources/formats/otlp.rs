//! OpenTelemetry logs as protobuf or JSON (opentelemetry-proto 1.x, `collector/logs/v1`, and "JSON Protobuf Encoding").
//!
//! An element is one log record. Its context has the resource and the scope, which come once for many records.
//!
//! ```json
//! {"time_unix_nano": "1764…", "observed_time_unix_nano": "…", "severity_number": 9, "severity_text": "INFO", "event_name": "…",
//!  "trace_id": "5b8e…", "span_id": "eee1…", "body": …, "attributes": {…}, "resource": {…},
//!  "scope": {"name": "…", "version": "…", "attributes": {…}}}
//! ```

mod json;
mod lenient;
mod protobuf;

use std::sync::Arc;

use actix_web::web::Bytes;
use logbook_engine::append::MAX_EVENT_BYTES;
use serde_json::{Map, Value};

use super::{Head, MAX_EVENTS, TooMany};
use crate::{
    accounts::source_kind::Kind,
    sources::element::{Element, Unreadable},
};

/// In the context: `json` or `protobuf`.
const ENCODING: &str = "encoding";

/// Bytes that the resources and scopes of a body may have, where each scope has its resource: it is kept with each.
const MAX_SHARED_BYTES: usize = 16 << 20;

/// What is found in a body.
struct Found {
    encoding: &'static str,
    elements: Vec<Element>,
    shared_bytes: usize,
}

impl Found {
    fn new(encoding: &'static str) -> Self {
        Self { encoding, elements: Vec::new(), shared_bytes: 0 }
    }

    /// What the records of one scope share. `bytes`: how long the resource and the scope are as they were sent.
    fn context(
        &mut self,
        resource: &Map<String, Value>,
        scope: Map<String, Value>,
        bytes: usize,
    ) -> Result<Context, TooMany> {
        self.shared_bytes += bytes;
        if self.shared_bytes > MAX_SHARED_BYTES {
            return Err(TooMany);
        }
        let mut context = Map::from_iter([(ENCODING.to_owned(), self.encoding.into())]);
        if !resource.is_empty() {
            context.insert("resource".to_owned(), Value::Object(resource.clone()));
        }
        if !scope.is_empty() {
            context.insert("scope".to_owned(), Value::Object(scope));
        }
        Ok(Arc::new(context))
    }

    fn add(&mut self, raw: Bytes, context: &Context) -> Result<(), TooMany> {
        self.elements.push(Element { kind: Kind::Otlp, raw, context: Some(context.clone()) });
        if self.elements.len() > MAX_EVENTS { Err(TooMany) } else { Ok(()) }
    }

    /// Adds a part of the envelope that is damaged.
    fn add_damaged(&mut self, raw: Bytes) -> Result<(), TooMany> {
        let nothing = self.context(&Map::new(), Map::new(), 0)?;
        self.add(raw, &nothing)
    }
}

type Context = Arc<Map<String, Value>>;

/// What records share and is longer than an event may be is kept as a text: then its records are rejected for their length.
fn too_long(bytes: &[u8], text: impl FnOnce() -> String) -> Option<Map<String, Value>> {
    let whole = || Map::from_iter([("too_long".to_owned(), text().into())]);
    (bytes.len() > MAX_EVENT_BYTES).then(whole)
}

pub(super) fn elements(head: &Head, body: &Bytes) -> Result<Vec<Element>, TooMany> {
    let is_json = match head.media_type().as_str() {
        "application/json" => true,
        "application/x-protobuf" | "application/protobuf" => false,
        // No protobuf message of logs begins with a brace.
        _ => body.trim_ascii_start().starts_with(b"{"),
    };
    if is_json { json::elements(body) } else { protobuf::elements(body) }
}

pub(super) fn value(element: &Element) -> Result<Value, Unreadable> {
    let context = element.context.as_deref();
    let said = |name: &str| context.and_then(|context| context.get(name));
    let is_protobuf = said(ENCODING).and_then(Value::as_str) == Some("protobuf");
    let mut record = if is_protobuf { protobuf::record(&element.raw)? } else { json::record(&element.raw)? };
    for name in ["resource", "scope"] {
        if let Some(value) = said(name) {
            record.insert(name.to_owned(), value.clone());
        }
    }
    Ok(Value::Object(record))
}

/// Adds what is there.
fn put(record: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    };
    if !is_empty {
        record.insert(name.to_owned(), value);
    }
}

fn scope(name: Value, version: Value, attributes: Map<String, Value>) -> Map<String, Value> {
    let mut scope = Map::new();
    put(&mut scope, "name", name);
    put(&mut scope, "version", version);
    put(&mut scope, "attributes", attributes);
    scope
}
