//! OTLP as protobuf. The lists of the envelope are read as bytes, so that each record keeps its own and a damaged one costs
//! only itself.

use actix_web::web::Bytes;
use base16ct::lower::encode_string;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::{
    Message,
    bytes::Buf as _,
    encoding::{DecodeContext, decode_key, skip_field},
};
use serde_json::{Map, Number, Value};

use super::{Found, put, scope, too_long};
use crate::sources::{
    element::{Element, Unreadable},
    formats::{MAX_EVENTS, TooMany},
};

/// `ExportLogsServiceRequest`
#[derive(Message)]
struct Request {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    resource_logs: Vec<Bytes>,
}

#[derive(Message)]
struct ResourceLogs {
    #[prost(bytes = "bytes", optional, tag = "1")]
    resource: Option<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    scope_logs: Vec<Bytes>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ScopeLogs {
    #[prost(bytes = "bytes", optional, tag = "1")]
    scope: Option<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    log_records: Vec<Bytes>,
}

#[derive(Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    span_id: Vec<u8>,
    #[prost(string, tag = "12")]
    event_name: String,
}

#[derive(Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(oneof = "Any", tags = "1, 2, 3, 4, 5, 6, 7")]
    value: Option<Any>,
}

#[derive(prost::Oneof)]
enum Any {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Bool(bool),
    #[prost(int64, tag = "3")]
    Int(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Array(ArrayValue),
    #[prost(message, tag = "6")]
    Pairs(KeyValueList),
    #[prost(bytes = "vec", tag = "7")]
    Bytes(Vec<u8>),
}

#[derive(Message)]
struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<AnyValue>,
}

#[derive(Message)]
struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

pub(super) fn elements(body: &Bytes) -> Result<Vec<Element>, TooMany> {
    let mut found = Found::new("protobuf");
    // A part of the envelope that is damaged is one element.
    check_lists(body)?;
    let Ok(request) = Request::decode(body.clone()) else {
        found.add_damaged(body.clone())?;
        return Ok(found.elements);
    };
    let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
    for part in request.resource_logs {
        check_lists(&part)?;
        let decoded = ResourceLogs::decode(part.clone()).ok();
        let resource = |sent: Resource| pairs(sent.attributes);
        let decoded = decoded.and_then(|logs| Some((shared(logs.resource.as_ref(), resource)?, logs)));
        let Some((resource, logs)) = decoded else {
            found.add_damaged(part)?;
            continue;
        };
        for part in logs.scope_logs {
            check_lists(&part)?;
            let decoded = ScopeLogs::decode(part.clone()).ok();
            let of =
                |Scope { name, version, attributes }| scope(name.into(), version.into(), pairs(attributes));
            let decoded = decoded.and_then(|logs| Some((shared(logs.scope.as_ref(), of)?, logs)));
            let Some((scope, scope_logs)) = decoded else {
                let context = found.context(&resource, Map::new(), length(&logs.resource))?;
                found.add(part, &context)?;
                continue;
            };
            let length = length(&logs.resource) + length(&scope_logs.scope);
            let context = found.context(&resource, scope, length)?;
            for record in scope_logs.log_records {
                found.add(record, &context)?;
            }
        }
    }
    Ok(found.elements)
}

/// A resource or a scope. None when it is damaged.
fn shared<M: Message + Default>(
    sent: Option<&Bytes>,
    read: impl FnOnce(M) -> Map<String, Value>,
) -> Option<Map<String, Value>> {
    let Some(sent) = sent else { return Some(Map::new()) };
    match too_long(sent, || STANDARD.encode(sent)) {
        Some(whole) => Some(whole),
        None => M::decode(sent.clone()).ok().map(read),
    }
}

/// Counts the fields of a message before it is decoded: an empty item has two bytes, and takes many times as many.
fn check_lists(message: &Bytes) -> Result<(), TooMany> {
    let mut left = message.clone();
    let mut fields = 0;
    while left.has_remaining() {
        let Ok((tag, kind)) = decode_key(&mut left) else { break };
        if skip_field(kind, tag, &mut left, DecodeContext::default()).is_err() {
            break;
        }
        fields += 1;
        // Beside the items there is the resource or scope, and the address of its schema.
        if fields > MAX_EVENTS + 2 {
            return Err(TooMany);
        }
    }
    Ok(())
}

pub(super) fn record(raw: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    let sent = LogRecord::decode(raw)
        .map_err(|error| Unreadable::new("malformed_protobuf", format!("not a log record: {error}")))?;
    let time = |nanos: u64| if nanos == 0 { String::new() } else { nanos.to_string() };
    let mut record = Map::new();
    put(&mut record, "time_unix_nano", time(sent.time_unix_nano));
    put(&mut record, "observed_time_unix_nano", time(sent.observed_time_unix_nano));
    if sent.severity_number != 0 {
        put(&mut record, "severity_number", sent.severity_number);
    }
    put(&mut record, "severity_text", sent.severity_text);
    put(&mut record, "event_name", sent.event_name);
    put(&mut record, "trace_id", encode_string(&sent.trace_id));
    put(&mut record, "span_id", encode_string(&sent.span_id));
    put(&mut record, "body", sent.body.map(plain).unwrap_or_default());
    record.insert("attributes".to_owned(), Value::Object(pairs(sent.attributes)));
    Ok(record)
}

fn pairs(list: Vec<KeyValue>) -> Map<String, Value> {
    list.into_iter().map(|pair| (pair.key, pair.value.map(plain).unwrap_or_default())).collect()
}

/// An `AnyValue` as plain JSON. Nesting is bounded by the decoder.
fn plain(value: AnyValue) -> Value {
    match value.value {
        None => Value::Null,
        Some(Any::Text(text)) => text.into(),
        Some(Any::Bool(is)) => is.into(),
        Some(Any::Int(number)) => number.into(),
        // JSON has no infinity.
        Some(Any::Double(number)) => {
            Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
        }
        Some(Any::Array(list)) => list.values.into_iter().map(plain).collect(),
        Some(Any::Pairs(list)) => Value::Object(pairs(list.values)),
        Some(Any::Bytes(bytes)) => STANDARD.encode(bytes).into(),
    }
}
