//! How each kind of source wraps its elements. A body that is partly damaged gives the others: a damaged part costs only
//! itself.
//!
//! An element is its own bytes and a context, and what the mapping reads is made from both. So a rejected record is read again
//! exactly as it was the first time.

mod cloudevents;
mod hec;
mod json;
mod otlp;
mod stream;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData};

use actix_web::web::Bytes;
use logbook_engine::{append::MAX_EVENTS, sources::Record};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::Value;

pub use hec::raw_lines;

use super::element::{Element, Unreadable};
use crate::accounts::source_kind::Kind;

/// What a format needs of the request's head.
#[derive(Clone, Debug, Default)]
pub struct Head(BTreeMap<String, String>);

impl Head {
    /// From the names and values of headers. Of a repeated one the last counts.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> String {
        let sent = self.header("content-type").unwrap_or_default();
        sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// The body has more than [`MAX_EVENTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

/// A list of an envelope. Of one with more items than a request may have it keeps one more: an item takes many times the memory
/// of the shortest text of one.
#[derive(Debug)]
struct Bounded<T>(Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Bounded<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while items.len() <= MAX_EVENTS {
                    let Some(item) = list.next_element()? else { return Ok(Bounded(items)) };
                    items.push(item);
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Bounded(items))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

impl<T> Bounded<T> {
    fn items(self) -> Result<Vec<T>, TooMany> {
        if self.0.len() > MAX_EVENTS { Err(TooMany) } else { Ok(self.0) }
    }
}

/// The name of a member. Most need no copy.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Splits a decompressed body into its elements.
///
/// # Errors
/// [`TooMany`]
pub fn elements(kind: Kind, head: &Head, body: &Bytes) -> Result<Vec<Element>, TooMany> {
    match kind {
        Kind::Otlp => otlp::elements(head, body),
        Kind::Cloudevents => cloudevents::elements(head, body),
        Kind::Workos => json::elements(kind, body, json::workos_context(head)),
        _ => json::elements(kind, body, None),
    }
}

/// The element of a record that was rejected.
pub fn again(kind: Kind, record: &Record) -> Element {
    let context = record.context.as_deref().and_then(|context| serde_json::from_str(context).ok());
    Element { kind, raw: record.bytes.clone(), context }
}

/// What the mapping reads of an element.
pub(super) fn value(element: &Element) -> Result<Value, Unreadable> {
    match element.kind {
        Kind::Hec => hec::value(element),
        Kind::Otlp => otlp::value(element),
        Kind::Cloudevents => cloudevents::value(element),
        _ => json::value(element),
    }
}
