//! The kinds whose elements are JSON objects, alone or in an envelope.
//!
//! | kind | envelope |
//! |---|---|
//! | Kubernetes | an `EventList` with `items` (audit.k8s.io/v1) |
//! | Okta | an event hook with `data.events`; pages of the System Log are arrays |
//! | Retraced | `events`, of its bulk endpoint |
//!
//! Of duplicated names in an object the last counts, as in `serde_json`.

use std::sync::Arc;

use actix_web::web::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{Bounded, Head, MAX_EVENTS, TooMany, stream};
use crate::{
    accounts::source_kind::Kind,
    sources::element::{Element, Unreadable},
};

type Context = Option<Arc<Map<String, Value>>>;

pub(super) fn elements(kind: Kind, body: &Bytes, context: Context) -> Result<Vec<Element>, TooMany> {
    let mut elements = Vec::new();
    for place in stream::split(body)? {
        let raw = body.slice(place);
        match inside(kind, &raw) {
            Some(items) => {
                let items = items.items()?;
                let element = |item: &RawValue| raw.slice_ref(item.get().as_bytes());
                let items = items.into_iter().map(element);
                elements.extend(items.map(|raw| Element { kind, raw, context: context.clone() }));
            }
            None => elements.push(Element { kind, raw, context: context.clone() }),
        }
        if elements.len() > MAX_EVENTS {
            return Err(TooMany);
        }
    }
    Ok(elements)
}

/// What an envelope has inside. None where it is none.
fn inside(kind: Kind, raw: &[u8]) -> Option<Bounded<&RawValue>> {
    #[derive(Deserialize)]
    struct Items<'a> {
        #[serde(borrow)]
        items: Bounded<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Events<'a> {
        #[serde(borrow)]
        events: Bounded<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        data: Events<'a>,
    }
    if raw.first() != Some(&b'{') {
        return None;
    }
    match kind {
        Kind::Kubernetes => serde_json::from_slice::<Items<'_>>(raw).ok().map(|list| list.items),
        Kind::Okta => serde_json::from_slice::<Data<'_>>(raw).ok().map(|hook| hook.data.events),
        Kind::Retraced => serde_json::from_slice::<Events<'_>>(raw).ok().map(|bulk| bulk.events),
        _ => None,
    }
}

/// WorkOS's clients send the key of an event in a header.
pub(super) fn workos_context(head: &Head) -> Context {
    let key = head.header("idempotency-key")?;
    Some(Arc::new(Map::from_iter([("idempotency_key".to_owned(), key.into())])))
}

/// Parses an object.
pub(super) fn object(raw: &[u8]) -> Result<Map<String, Value>, Unreadable> {
    let value: Value = serde_json::from_slice(raw)
        .map_err(|error| Unreadable::new("malformed_json", format!("not well-formed: {error}")))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Unreadable::new("invalid", "must be an object")),
    }
}

pub(super) fn value(element: &Element) -> Result<Value, Unreadable> {
    let mut object = object(&element.raw)?;
    let inner = match element.kind {
        // `{"log_id": …, "data": {…}}`, or what is in `data` alone.
        Kind::Auth0 => Some(("data", "log_id")),
        // `{"organization_id": …, "event": {…}}`
        Kind::Workos => Some(("event", "organization_id")),
        _ => None,
    };
    if let Some((inner, beside)) = inner
        && let Some(Value::Object(mut found)) = object.remove(inner)
    {
        if let Some(value) = object.remove(beside) {
            found.entry(beside).or_insert(value);
        }
        object = found;
    } else if element.kind == Kind::Github
        && !object.contains_key("action")
        && let Some(Value::Object(event)) = object.remove("event")
    {
        // As its stream to Splunk wraps it.
        object = event;
    }
    Ok(Value::Object(object))
}
