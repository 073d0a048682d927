//! CloudEvents 1.0: structured, a batch of structured ones, or binary with the attributes in headers (CloudEvents 1.0, JSON event
//! format and HTTP protocol binding).

use std::sync::Arc;

use actix_web::web::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{Head, TooMany, json};
use crate::{
    accounts::source_kind::Kind,
    sources::element::{Element, Unreadable},
};

/// The attributes that every event has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];
/// Marks the context of an event in binary mode.
const BINARY: &str = "binary";

pub(super) fn elements(head: &Head, body: &Bytes) -> Result<Vec<Element>, TooMany> {
    let media_type = head.media_type();
    if head.header("ce-specversion").is_none() || media_type.starts_with("application/cloudevents") {
        return json::elements(Kind::Cloudevents, body, None);
    }
    let mut attributes: Map<String, Value> = head
        .0
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("ce-")?.to_owned(), decoded(value).into())))
        .collect();
    if !media_type.is_empty() {
        attributes.insert("datacontenttype".to_owned(), media_type.into());
    }
    let context = Map::from_iter([(BINARY.to_owned(), Value::Object(attributes))]);
    Ok(vec![Element { kind: Kind::Cloudevents, raw: body.clone(), context: Some(Arc::new(context)) }])
}

/// The value of a header: what is no printable ASCII is percent-encoded (HTTP protocol binding, 3.1.3.2).
fn decoded(value: &str) -> String {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1).and_then(digit).zip(bytes.get(at + 2).and_then(digit));
        match digits {
            Some((high, low)) if *byte == b'%' => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| value.to_owned())
}

pub(super) fn value(element: &Element) -> Result<Value, Unreadable> {
    let binary = element.context.as_ref().and_then(|context| context.get(BINARY));
    let event = match binary.and_then(Value::as_object) {
        Some(attributes) => with_data(attributes.clone(), &element.raw),
        None => json::object(&element.raw)?,
    };
    for name in REQUIRED {
        if event.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(Unreadable::new("missing", format!("the attribute {name} is required")));
        }
    }
    Ok(Value::Object(event))
}

/// The data of an event in binary mode: JSON, a text, or bytes as base64.
fn with_data(mut event: Map<String, Value>, body: &[u8]) -> Map<String, Value> {
    if body.is_empty() {
        return event;
    }
    let of_type = event.get("datacontenttype").and_then(Value::as_str).unwrap_or_default();
    let is_json = of_type.is_empty() || of_type.ends_with("/json") || of_type.ends_with("+json");
    let json = is_json.then(|| serde_json::from_slice(body).ok()).flatten();
    let data = json.or_else(|| std::str::from_utf8(body).ok().map(Value::from));
    match data {
        Some(data) => event.insert("data".to_owned(), data),
        None => event.insert("data_base64".to_owned(), STANDARD.encode(body).into()),
    };
    event
}
