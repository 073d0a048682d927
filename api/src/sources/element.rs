//! One element of a body: what becomes one event, or one rejected record.

use actix_web::web::Bytes;
use serde_json::{Map, Value};

/// What a source sent as one thing.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its own bytes, exactly as they were sent.
    pub raw: Bytes,
    /// What else of the body or the request belongs to it: OTLP's resource and scope, the `ce-` headers of a CloudEvent. It is
    /// kept beside the bytes of a rejected record, so that the element can be read again.
    pub context: Option<Map<String, Value>>,
    /// What the mapping reads, or why the bytes cannot be read.
    pub value: Result<Value, Unreadable>,
}

/// Why an element cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// For programs, such as `malformed_json`.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}
