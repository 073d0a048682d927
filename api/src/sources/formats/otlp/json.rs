//! OTLP as JSON: names in lower camel case (snake case is read too), integers of 64 bits as text, ids in hexadecimal.

use actix_web::web::Bytes;
use logbook_engine::append::MAX_EVENT_BYTES;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::{context, element, put, scope};
use crate::sources::{
    element::{Element, Unreadable},
    formats::{Bounded, MAX_EVENTS, TooMany, json::object},
};

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, rename = "resourceLogs", alias = "resource_logs")]
    resource_logs: Bounded<&'a RawValue>,
}

#[derive(Deserialize)]
struct ResourceLogs<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "scopeLogs", alias = "scope_logs")]
    scope_logs: Bounded<&'a RawValue>,
}

#[derive(Deserialize)]
struct ScopeLogs<'a> {
    #[serde(borrow, default)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "logRecords", alias = "log_records")]
    log_records: Bounded<&'a RawValue>,
}

pub(super) fn elements(body: &Bytes) -> Result<Vec<Element>, TooMany> {
    let nothing = || context("json", Map::new(), Map::new());
    let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else {
        let is_empty =
            serde_json::from_slice::<Map<String, Value>>(body).is_ok_and(|object| object.is_empty());
        // What is not the envelope cannot be taken apart.
        let whole = element(body.clone(), &nothing());
        return Ok(if is_empty || body.trim_ascii().is_empty() { Vec::new() } else { vec![whole] });
    };
    let mut elements = Vec::new();
    let raw = |value: &RawValue| body.slice_ref(value.get().as_bytes());
    // A part of the envelope that is damaged is one element.
    for part in request.resource_logs.items()? {
        let Ok(logs) = serde_json::from_str::<ResourceLogs<'_>>(part.get()) else {
            elements.push(element(raw(part), &nothing()));
            continue;
        };
        let resource = attributes(parsed(logs.resource).as_ref());
        for part in logs.scope_logs.items()? {
            let Ok(logs) = serde_json::from_str::<ScopeLogs<'_>>(part.get()) else {
                elements.push(element(raw(part), &context("json", resource.clone(), Map::new())));
                continue;
            };
            let sent = parsed(logs.scope);
            let of = |name: &str| sent.as_ref().and_then(|scope| scope.get(name)).cloned();
            let scope = scope(
                of("name").unwrap_or_default(),
                of("version").unwrap_or_default(),
                attributes(sent.as_ref()),
            );
            let context = context("json", resource.clone(), scope);
            elements
                .extend(logs.log_records.items()?.into_iter().map(|record| element(raw(record), &context)));
            if elements.len() > MAX_EVENTS {
                return Err(TooMany);
            }
        }
    }
    if elements.len() > MAX_EVENTS { Err(TooMany) } else { Ok(elements) }
}

/// A resource or a scope. One that is longer than an event may be is kept as a text: then its records are rejected for their
/// length, and nothing larger than the body is made of it.
fn parsed(of: Option<&RawValue>) -> Option<Value> {
    let of = of?.get();
    if of.len() > MAX_EVENT_BYTES {
        let whole = json!({"key": "too_long", "value": {"stringValue": of}});
        return Some(json!({ "attributes": [whole] }));
    }
    serde_json::from_str(of).ok()
}

/// The attributes of a resource, a scope or a record, as plain JSON.
fn attributes(of: Option<&Value>) -> Map<String, Value> {
    pairs(of.and_then(|of| of.get("attributes")))
}

fn pairs(list: Option<&Value>) -> Map<String, Value> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let pair = |pair: &Value| Some((pair.get("key")?.as_str()?.to_owned(), plain(pair.get("value"))));
    list.iter().filter_map(pair).collect()
}

/// An `AnyValue` as plain JSON. Nesting is bounded by the parser.
fn plain(value: Option<&Value>) -> Value {
    let Some(Value::Object(value)) = value else { return Value::Null };
    let Some((kind, inner)) = value.iter().next() else { return Value::Null };
    match kind.as_str() {
        "intValue" | "int_value" => match inner.as_str().and_then(|text| text.parse::<i64>().ok()) {
            Some(number) => number.into(),
            None => inner.clone(),
        },
        "arrayValue" | "array_value" => {
            let values = inner.get("values").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            values.iter().map(|value| plain(Some(value))).collect()
        }
        "kvlistValue" | "kvlist_value" => Value::Object(pairs(inner.get("values"))),
        // Texts, truth values, doubles, and bytes as base64.
        _ => inner.clone(),
    }
}

/// The number of a severity, which JSON may have by its name in the protocol: `SEVERITY_NUMBER_WARN2` is 14.
fn severity(sent: Value) -> Value {
    const NAMES: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let named = sent.as_str().and_then(|name| name.strip_prefix("SEVERITY_NUMBER_"));
    let number = named.and_then(|name| {
        let (name, step) = match name.as_bytes().last() {
            Some(digit @ b'2'..=b'4') => (&name[..name.len() - 1], digit - b'1'),
            _ => (name, 0),
        };
        let place = NAMES.iter().position(|known| *known == name)?;
        Some(4 * place + 1 + usize::from(step))
    });
    match (number, named) {
        (Some(number), _) => number.into(),
        (None, Some("UNSPECIFIED")) => Value::Null,
        _ => sent,
    }
}

pub(super) fn record(raw: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    let sent = object(raw)?;
    if sent.contains_key("resourceLogs") || sent.contains_key("resource_logs") {
        return Err(Unreadable::new("invalid", "the envelope is not that of OTLP logs"));
    }
    let of = |camel: &str, snake: &str| sent.get(camel).or_else(|| sent.get(snake));
    // Integers of 64 bits are texts, and some send numbers.
    let time = |camel: &str, snake: &str| match of(camel, snake) {
        Some(Value::Number(number)) if number.as_u64() != Some(0) => number.to_string(),
        Some(Value::String(text)) if text != "0" => text.clone(),
        _ => String::new(),
    };
    let given = |camel: &str, snake: &str| of(camel, snake).cloned().unwrap_or_default();
    let mut record = Map::new();
    put(&mut record, "time_unix_nano", time("timeUnixNano", "time_unix_nano"));
    put(&mut record, "observed_time_unix_nano", time("observedTimeUnixNano", "observed_time_unix_nano"));
    put(&mut record, "severity_number", severity(given("severityNumber", "severity_number")));
    put(&mut record, "severity_text", given("severityText", "severity_text"));
    put(&mut record, "event_name", given("eventName", "event_name"));
    put(&mut record, "trace_id", given("traceId", "trace_id"));
    put(&mut record, "span_id", given("spanId", "span_id"));
    put(&mut record, "body", plain(sent.get("body")));
    record.insert("attributes".to_owned(), Value::Object(pairs(sent.get("attributes"))));
    Ok(record)
}
