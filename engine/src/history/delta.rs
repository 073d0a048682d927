//! What a version changed, with the values as they are stored.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{record::Version, value::Value};

/// One changed field.
pub(super) struct Delta<'a> {
    pub field: Cow<'a, str>,
    pub label: Option<String>,
    pub old_label: Option<String>,
    pub new_label: Option<String>,
    pub content: Content<'a>,
}

pub(super) enum Content<'a> {
    One { old: Value<'a>, new: Value<'a> },
    Set { added: Vec<Value<'a>>, removed: Vec<Value<'a>> },
}

/// As [`crate::event::Change`] is stored.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow, default)]
    old: Option<&'a RawValue>,
    #[serde(borrow, default)]
    new: Option<&'a RawValue>,
    #[serde(borrow, default)]
    added: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    removed: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    old_label: Option<String>,
    #[serde(default)]
    new_label: Option<String>,
}

/// The changes of a version. Logbook wrote the text, so it parses; text that does not parse counts as no change.
pub(super) fn deltas(version: &Version) -> Vec<Delta<'_>> {
    let stored: Vec<Stored<'_>> =
        version.changes.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let masked = Masked::new(version.masked.as_deref());
    let delta = |(n, stored): (usize, _)| {
        let Stored { field, old, new, added, removed, label, old_label, new_label } = stored;
        let content = if added.is_some() || removed.is_some() {
            let members = |side, members: Option<Vec<_>>| {
                let member = |(at, json)| masked.value(Some(json), (n, side, at));
                members.into_iter().flatten().enumerate().map(member).collect()
            };
            Content::Set { added: members("added", added), removed: members("removed", removed) }
        } else {
            Content::One { old: masked.value(old, (n, "old", 0)), new: masked.value(new, (n, "new", 0)) }
        };
        Delta { field, label, old_label, new_label, content }
    };
    stored.into_iter().enumerate().map(delta).collect()
}

/// A value's place: the number of the change, the name in it, and the index of a member.
type Place<'a> = (usize, &'a str, usize);

/// Which values were masked, wholly or somewhere inside.
struct Masked(BTreeSet<(usize, String, usize)>);

impl Masked {
    fn new(pointers: Option<&str>) -> Self {
        let pointers: Vec<String> =
            pointers.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let place = |pointer: String| {
            let mut steps = pointer.strip_prefix("/changes/")?.split('/');
            let change = steps.next()?.parse().ok()?;
            let name = steps.next()?;
            let member = match name {
                "added" | "removed" => steps.next()?.parse().ok()?,
                _ => 0,
            };
            Some((change, name.to_owned(), member))
        };
        Self(pointers.into_iter().filter_map(place).collect())
    }

    fn value<'a>(&self, json: Option<&'a RawValue>, (change, name, member): Place<'_>) -> Value<'a> {
        let is_masked = !self.0.is_empty() && self.0.contains(&(change, name.to_owned(), member));
        Value { json, is_masked }
    }
}
