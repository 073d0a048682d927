//! OTLP as JSON: names in lower camel case (snake case is read too), integers of 64 bits as text, ids in hexadecimal.

use actix_web::web::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{context, element, put, scope};
use crate::sources::{
    element::{Element, Unreadable},
    formats::{MAX_EVENTS, TooMany, json::object},
};

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow, rename = "resourceLogs", alias = "resource_logs")]
    resource_logs: Vec<ResourceLogs<'a>>,
}

#[derive(Deserialize)]
struct ResourceLogs<'a> {
    #[serde(default)]
    resource: Option<Value>,
    #[serde(borrow, default, rename = "scopeLogs", alias = "scope_logs")]
    scope_logs: Vec<ScopeLogs<'a>>,
}

#[derive(Deserialize)]
struct ScopeLogs<'a> {
    #[serde(default)]
    scope: Option<Value>,
    #[serde(borrow, default, rename = "logRecords", alias = "log_records")]
    log_records: Vec<&'a RawValue>,
}

pub(super) fn elements(body: &Bytes) -> Result<Vec<Element>, TooMany> {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else {
        let is_empty =
            serde_json::from_slice::<Map<String, Value>>(body).is_ok_and(|object| object.is_empty());
        // What is not the envelope cannot be taken apart.
        let whole = element(body.clone(), &context("json", Map::new(), Map::new()));
        return Ok(if is_empty || body.trim_ascii().is_empty() { Vec::new() } else { vec![whole] });
    };
    let mut elements = Vec::new();
    for logs in request.resource_logs {
        let resource = attributes(logs.resource.as_ref());
        for logs in logs.scope_logs {
            let of = |name: &str| logs.scope.as_ref().and_then(|scope| scope.get(name)).cloned();
            let scope = scope(
                of("name").unwrap_or_default(),
                of("version").unwrap_or_default(),
                attributes(logs.scope.as_ref()),
            );
            let context = context("json", resource.clone(), scope);
            for record in logs.log_records {
                elements.push(element(body.slice_ref(record.get().as_bytes()), &context));
                if elements.len() > MAX_EVENTS {
                    return Err(TooMany);
                }
            }
        }
    }
    Ok(elements)
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
    put(&mut record, "severity_number", given("severityNumber", "severity_number"));
    put(&mut record, "severity_text", given("severityText", "severity_text"));
    put(&mut record, "event_name", given("eventName", "event_name"));
    put(&mut record, "trace_id", given("traceId", "trace_id"));
    put(&mut record, "span_id", given("spanId", "span_id"));
    put(&mut record, "body", plain(sent.get("body")));
    record.insert("attributes".to_owned(), Value::Object(pairs(sent.get("attributes"))));
    Ok(record)
}
