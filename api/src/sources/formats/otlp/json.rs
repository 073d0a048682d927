//! OTLP as JSON: names in lower camel case (snake case is read too), integers of 64 bits as text, ids in hexadecimal.

use actix_web::web::Bytes;
use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess},
};
use serde_json::{Map, Value, value::RawValue};

use super::{
    Found,
    lenient::{Lenient, Pairs, Plain, Read, value},
    put, scope, too_long,
};
use crate::sources::{
    element::{Element, Unreadable},
    formats::{Bounded, Name, TooMany},
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
    let mut found = Found::new("json");
    let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else {
        let is_empty =
            serde_json::from_slice::<Map<String, Value>>(body).is_ok_and(|object| object.is_empty());
        if !is_empty && !body.trim_ascii().is_empty() {
            // What is not the envelope cannot be taken apart.
            found.add_damaged(body.clone())?;
        }
        return Ok(found.elements);
    };
    let raw = |value: &RawValue| body.slice_ref(value.get().as_bytes());
    let bytes = |value: Option<&RawValue>| value.map_or(0, |value| value.get().len());
    for part in request.resource_logs.items()? {
        let Ok(logs) = serde_json::from_str::<ResourceLogs<'_>>(part.get()) else {
            found.add_damaged(raw(part))?;
            continue;
        };
        let Shared { attributes: resource, .. } = shared(logs.resource);
        for part in logs.scope_logs.items()? {
            let Ok(scope_logs) = serde_json::from_str::<ScopeLogs<'_>>(part.get()) else {
                let context = found.context(&resource, Map::new(), bytes(logs.resource))?;
                found.add(raw(part), &context)?;
                continue;
            };
            let Shared { name, version, attributes } = shared(scope_logs.scope);
            let scope = scope(name, version, attributes);
            let length = bytes(logs.resource) + bytes(scope_logs.scope);
            let context = found.context(&resource, scope, length)?;
            for record in scope_logs.log_records.items()? {
                found.add(raw(record), &context)?;
            }
        }
    }
    Ok(found.elements)
}

/// A resource or a scope.
#[derive(Default)]
struct Shared {
    name: Value,
    version: Value,
    attributes: Map<String, Value>,
}

impl<'de> Lenient<'de> for Shared {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut shared = Self::default();
        while let Some(Name(name)) = object.next_key()? {
            match &*name {
                "name" => shared.name = object.next_value()?,
                "version" => shared.version = object.next_value()?,
                "attributes" => shared.attributes = value::<_, Pairs>(&mut object)?.0,
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(shared)
    }
}

/// What records share.
fn shared(of: Option<&RawValue>) -> Shared {
    let Some(of) = of.map(RawValue::get) else { return Shared::default() };
    if let Some(attributes) = too_long(of.as_bytes(), || of.to_owned()) {
        return Shared { attributes, ..Shared::default() };
    }
    serde_json::from_str::<Read<Shared>>(of).map(|read| read.0).unwrap_or_default()
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

/// A log record, in the names of its mapping. None where it is no object.
#[derive(Default)]
struct Record {
    members: Option<Map<String, Value>>,
    is_envelope: bool,
}

impl<'de> Lenient<'de> for Record {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut record = Map::new();
        let mut is_envelope = false;
        let mut attributes = Pairs::default();
        while let Some(Name(name)) = object.next_key()? {
            let (name, sent) = match &*name {
                "timeUnixNano" | "time_unix_nano" => ("time_unix_nano", time(object.next_value()?)),
                "observedTimeUnixNano" | "observed_time_unix_nano" => {
                    ("observed_time_unix_nano", time(object.next_value()?))
                }
                "severityNumber" | "severity_number" => ("severity_number", severity(object.next_value()?)),
                "severityText" | "severity_text" => ("severity_text", object.next_value()?),
                "eventName" | "event_name" => ("event_name", object.next_value()?),
                "traceId" | "trace_id" => ("trace_id", object.next_value()?),
                "spanId" | "span_id" => ("span_id", object.next_value()?),
                "body" => ("body", value::<_, Plain>(&mut object)?.0),
                other => {
                    is_envelope |= ["resourceLogs", "resource_logs"].contains(&other);
                    match other {
                        "attributes" => attributes = value(&mut object)?,
                        _ => drop(object.next_value::<IgnoredAny>()?),
                    }
                    continue;
                }
            };
            put(&mut record, name, sent);
        }
        record.insert("attributes".to_owned(), Value::Object(attributes.0));
        Ok(Self { members: Some(record), is_envelope })
    }
}

/// Integers of 64 bits are texts, and some send numbers. Zero means that there is none.
fn time(sent: Value) -> Value {
    match sent {
        Value::Number(number) if number.as_u64() != Some(0) => number.to_string().into(),
        Value::String(text) if text != "0" => text.into(),
        _ => Value::Null,
    }
}

pub(super) fn record(raw: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    let Read(Record { members, is_envelope }) = serde_json::from_slice(raw)
        .map_err(|error| Unreadable::new("malformed_json", format!("not well-formed: {error}")))?;
    if is_envelope {
        return Err(Unreadable::new("invalid", "the envelope is not that of OTLP logs"));
    }
    members.ok_or_else(|| Unreadable::new("invalid", "must be an object"))
}
