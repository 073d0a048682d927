//! One element of a body: what becomes one event, or one rejected record.

use std::sync::Arc;

use actix_web::web::Bytes;
use serde_json::{Map, Value};

use super::formats;
use crate::accounts::source_kind::Kind;

/// What a source sent as one thing.
#[derive(Clone, Debug)]
pub struct Element {
    pub kind: Kind,
    /// Its own bytes, exactly as they were sent.
    pub raw: Bytes,
    /// What else of the body or the request belongs to it: OTLP's resource and scope, the `ce-` headers of a CloudEvent. It is
    /// kept beside the bytes of a rejected record, so that the element can be read again.
    pub context: Option<Arc<Map<String, Value>>>,
}

/// Why an element cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// For programs, such as `malformed_json`.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

impl Unreadable {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl Element {
    /// What the mapping reads. It is parsed each time: a parsed element takes up to a hundred times the memory of its text.
    ///
    /// # Errors
    /// [`Unreadable`] where the bytes are not what the kind sends.
    pub fn value(&self) -> Result<Value, Unreadable> {
        formats::value(self)
    }
}
