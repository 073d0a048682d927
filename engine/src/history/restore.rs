//! What to write to get a record back to what it was: a JSON Merge Patch (RFC 7396).
//!
//! A merge patch removes a member by null and merges objects, so some values cannot be written with it: an object that has
//! null inside. Nor can a value that nobody has: a masked one, or one that the log does not know. Such fields are left out
//! and named.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value as JsonValue, value::RawValue};

use super::{
    state::{Field, Fold},
    value::Match,
};

/// What to write.
#[derive(Debug)]
pub struct Patch<'a> {
    /// The new value of each field; None is null.
    pub fields: BTreeMap<Cow<'a, str>, Option<Cow<'a, RawValue>>>,
    pub left_out: Vec<(Cow<'a, str>, Reason)>,
}

/// Why a field is not in a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its value was masked before it was stored.
    Masked,
    /// The log does not say what it was.
    Unknown,
    /// An object with null inside, which a merge patch would remove.
    NullInside,
}

/// From `now` back to `then`, for the fields that `wanted` accepts.
pub fn patch<'a>(now: &Fold<'a>, then: &Fold<'a>, wanted: impl Fn(&str) -> bool) -> Patch<'a> {
    let mut patch = Patch { fields: BTreeMap::new(), left_out: Vec::new() };
    let (have, had) = (now.live(), then.live());
    let names: BTreeSet<&Cow<'a, str>> = have.into_iter().chain(had).flat_map(BTreeMap::keys).collect();
    for name in names.into_iter().filter(|name| wanted(name)) {
        let (now, was) = (have.and_then(|fields| fields.get(name)), had.and_then(|fields| fields.get(name)));
        match write(now, was, then.knows(name)) {
            Ok(None) => {}
            Ok(Some(value)) => {
                patch.fields.insert(name.clone(), value);
            }
            Err(reason) => patch.left_out.push((name.clone(), reason)),
        }
    }
    patch
}

/// What to write to a field; None where it already has its value.
type Write<'a> = Result<Option<Option<Cow<'a, RawValue>>>, Reason>;

fn write<'a>(now: Option<&Field<'a>>, was: Option<&Field<'a>>, is_known: bool) -> Write<'a> {
    let now = now.map(|field| &field.value);
    let is_set = now.is_some_and(|value| value.is_set());
    let Some(was) = was.map(|field| &field.value) else {
        if !is_known {
            return Err(Reason::Unknown);
        }
        return Ok(now.filter(|value| !value.is_empty()).map(|_| nothing(is_set)));
    };
    match now {
        None if was.is_empty() => return Ok(None),
        Some(now) if now.is_empty() && was.is_empty() => return Ok(None),
        Some(now) if now.compare(was) == Match::Same => return Ok(None),
        _ => {}
    }
    if !was.is_whole() {
        return Err(Reason::Unknown);
    }
    if was.is_masked() {
        return Err(Reason::Masked);
    }
    if was.is_empty() {
        return Ok(Some(nothing(is_set || was.is_set())));
    }
    let Some(json) = was.json() else { return Ok(Some(None)) };
    if !json.get().starts_with('{') {
        return Ok(Some(Some(json)));
    }
    let parse = |json: &RawValue| serde_json::from_str::<Map<String, JsonValue>>(json.get()).ok();
    let Some(was) = parse(&json) else { return Ok(Some(Some(json))) };
    let now = now.and_then(|value| value.json()).and_then(|json| parse(&json)).unwrap_or_default();
    let merged = merge(&now, &was).ok_or(Reason::NullInside)?;
    let text = serde_json::to_string(&merged).unwrap_or_default();
    RawValue::from_string(text).map(|json| Some(Some(Cow::Owned(json)))).map_err(|_| Reason::NullInside)
}

/// A set without members is an empty array, anything else without a value null.
fn nothing<'a>(is_set: bool) -> Option<Cow<'a, RawValue>> {
    is_set.then(|| RawValue::from_string("[]".into()).ok().map(Cow::Owned)).flatten()
}

/// The merge patch from one object to another. None where no merge patch leads there.
fn merge(now: &Map<String, JsonValue>, was: &Map<String, JsonValue>) -> Option<Map<String, JsonValue>> {
    let mut patch = Map::new();
    for name in now.keys().filter(|name| !was.contains_key(*name)) {
        patch.insert(name.clone(), JsonValue::Null);
    }
    for (name, value) in was {
        let have = now.get(name);
        if have == Some(value) {
            continue;
        }
        let value = match (value, have) {
            (JsonValue::Null, _) => return None,
            (JsonValue::Object(was), Some(JsonValue::Object(now))) => merge(now, was)?.into(),
            (JsonValue::Object(was), _) => merge(&Map::new(), was)?.into(),
            (value, _) => value.clone(),
        };
        patch.insert(name.clone(), value);
    }
    Some(patch)
}
