//! Values, sets, and when two of them are the same.
//!
//! A stored value is canonical JSON: equal values have equal texts, so none is parsed to be compared. A masked value is
//! known by its fingerprint alone. Without one, and beside a value that is not masked, nobody can tell whether the two are
//! the same; then nothing is claimed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::value::RawValue;

use crate::event::masking::MASK;

/// JSON as an answer has it. None where there is no value.
pub type Json<'a> = Option<Cow<'a, RawValue>>;

/// One value. Null is no value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value<'a> {
    pub json: Option<&'a RawValue>,
    pub is_masked: bool,
}

/// Whether two values are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Same,
    Different,
    /// One is masked so that nobody can tell.
    Unknown,
}

impl<'a> Value<'a> {
    pub(super) fn text(self) -> &'a str {
        self.json.map_or("null", RawValue::get)
    }

    pub(super) fn is_null(self) -> bool {
        self.text() == "null"
    }

    /// True when it cannot be told apart from other masked values.
    fn is_faceless(self) -> bool {
        self.is_masked && self.text().contains(MASK)
    }

    pub(super) fn compare(self, other: Self) -> Match {
        if self.text() == other.text() {
            return Match::Same;
        }
        // These are never masked.
        let is_empty = |value: Self| value.is_null() || value.text() == "\"\"";
        if is_empty(self) || is_empty(other) {
            return Match::Different;
        }
        if self.is_faceless() || other.is_faceless() || self.is_masked != other.is_masked {
            return Match::Unknown;
        }
        Match::Different
    }

    /// The items of an array. None for any other value.
    pub(super) fn items(self) -> Option<Vec<Self>> {
        let json = self.json.filter(|json| json.get().starts_with('['))?;
        let items: Vec<&'a RawValue> = serde_json::from_str(json.get()).ok()?;
        Some(items.into_iter().map(|json| Value { json: Some(json), is_masked: self.is_masked }).collect())
    }
}

/// What a set is known to have.
#[derive(Clone, Debug)]
pub(super) struct Set<'a> {
    /// By their JSON. Of a set that is known as a whole, only those that it has.
    members: BTreeMap<&'a str, Member<'a>>,
    /// False when it may have members that the log never named.
    is_whole: bool,
    /// Of those that it has: all, the masked ones, those that cannot be told apart from others.
    present: usize,
    masked: usize,
    faceless: usize,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    value: Value<'a>,
    is_present: bool,
    label: Option<String>,
}

impl<'a> Set<'a> {
    pub(super) fn new(is_whole: bool) -> Self {
        Self { members: BTreeMap::new(), is_whole, present: 0, masked: 0, faceless: 0 }
    }

    pub(super) fn of(items: Vec<Value<'a>>) -> Self {
        let mut set = Self::new(true);
        for item in items {
            set.put(item, true, None);
        }
        set
    }

    /// Members that are kept in memory.
    fn len(&self) -> usize {
        self.members.len()
    }

    fn each(&self) -> impl Iterator<Item = &Member<'a>> {
        self.members.values().filter(|member| member.is_present)
    }

    /// What is known of it.
    fn named(&self) -> impl Iterator<Item = (&str, bool)> {
        self.members.iter().map(|(text, member)| (*text, member.is_present))
    }

    /// Whether it has this member, if that is known.
    pub(super) fn has(&self, value: Value<'a>) -> Option<bool> {
        match self.members.get(value.text()) {
            Some(member) => Some(member.is_present),
            None => self.is_whole.then_some(false),
        }
    }

    /// Whether a member that is not found may be one that is masked in another way.
    pub(super) fn may_hide(&self, value: Value<'a>) -> bool {
        let others = if value.is_masked { self.present - self.masked } else { self.masked };
        value.is_faceless() || self.faceless > 0 || others > 0
    }

    pub(super) fn put(&mut self, value: Value<'a>, is_present: bool, label: Option<&str>) {
        let before = self.members.remove(value.text());
        if let Some(Member { value, is_present: true, .. }) = &before {
            self.present -= 1;
            self.masked -= usize::from(value.is_masked);
            self.faceless -= usize::from(value.is_faceless());
        }
        if is_present {
            self.present += 1;
            self.masked += usize::from(value.is_masked);
            self.faceless += usize::from(value.is_faceless());
        }
        if is_present || !self.is_whole {
            let label = label.map(str::to_owned).or_else(|| before?.label);
            self.members.insert(value.text(), Member { value, is_present, label });
        }
    }

    fn compare(&self, other: &Self) -> Match {
        let is_missing = |set: &Self, value: Value<'a>| set.has(value) == Some(false);
        let lacks = |set: &Self, other: &Self| -> Vec<Value<'a>> {
            let values = other.each().map(|member| member.value);
            values.filter(|value| is_missing(set, *value)).collect()
        };
        let (here, there) = (lacks(self, other), lacks(other, self));
        if here.is_empty() && there.is_empty() {
            let is_alike = self.is_whole == other.is_whole && self.named().eq(other.named());
            return if is_alike { Match::Same } else { Match::Unknown };
        }
        let hides = |set: &Self, lacks: &[Value<'a>]| lacks.iter().all(|value| set.may_hide(*value));
        if hides(self, &here) && hides(other, &there) && self.present == other.present {
            Match::Unknown
        } else {
            Match::Different
        }
    }
}

/// The value of a field: one value, or a set.
#[derive(Clone, Debug)]
pub struct FieldValue<'a>(pub(super) Content<'a>);

#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    One(Value<'a>),
    Set(Set<'a>),
}

impl<'a> FieldValue<'a> {
    pub(super) fn none() -> Self {
        Self::one(Value::default())
    }

    pub(super) fn one(value: Value<'a>) -> Self {
        Self(Content::One(value))
    }

    /// True for null and for a set without members.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Content::One(value) => value.is_null(),
            Content::Set(set) => set.present == 0,
        }
    }

    pub fn is_set(&self) -> bool {
        matches!(self.0, Content::Set(_))
    }

    /// False for a set that may have further members.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Content::One(_) => true,
            Content::Set(set) => set.is_whole,
        }
    }

    /// True when it, or a member of it, was masked before it was stored.
    pub fn is_masked(&self) -> bool {
        match &self.0 {
            Content::One(value) => value.is_masked,
            Content::Set(set) => set.masked > 0,
        }
    }

    /// As an answer has it: the members of a set are an array, sorted by their JSON.
    pub fn json(&self) -> Json<'a> {
        match &self.0 {
            Content::One(value) => value.json.filter(|_| !value.is_null()).map(Cow::Borrowed),
            Content::Set(set) => array(set.each().map(|member| member.value)),
        }
    }

    /// The labels of a set's members, if each has one.
    pub(super) fn label(&self) -> Option<String> {
        let Content::Set(set) = &self.0 else { return None };
        let labels: Option<Vec<&str>> = set.each().map(|member| member.label.as_deref()).collect();
        labels.filter(|labels| !labels.is_empty()).map(|labels| labels.join(", "))
    }

    /// How many values it keeps in memory.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Content::One(_) => 1,
            Content::Set(set) => 1 + set.len(),
        }
    }

    /// An array and a set are the same when they have the same items. No value and an empty set are the same.
    pub(super) fn compare(&self, other: &Self) -> Match {
        match (&self.0, &other.0) {
            (Content::One(one), Content::One(other)) => one.compare(*other),
            (Content::Set(one), Content::Set(other)) => one.compare(other),
            (Content::Set(set), Content::One(value)) | (Content::One(value), Content::Set(set)) => {
                match value.items() {
                    Some(items) => set.compare(&Set::of(items)),
                    None if value.is_null() => set.compare(&Set::new(true)),
                    None => Match::Different,
                }
            }
        }
    }

    /// The set as it was before these came and went. None for a single value.
    pub(super) fn before(&self, added: &[Value<'a>], removed: &[Value<'a>]) -> Json<'a> {
        let Content::Set(set) = &self.0 else { return None };
        let added: BTreeSet<&str> = added.iter().map(|value| value.text()).collect();
        let mut members: BTreeMap<&str, Value<'a>> =
            set.each().map(|member| (member.value.text(), member.value)).collect();
        members.retain(|text, _| !added.contains(text));
        members.extend(removed.iter().map(|value| (value.text(), *value)));
        array(members.into_values())
    }
}

/// A JSON array.
pub(super) fn array<'a>(values: impl Iterator<Item = Value<'a>>) -> Json<'a> {
    let mut text = String::from("[");
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(value.text());
    }
    text.push(']');
    RawValue::from_string(text).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare((one, one_masked): (&str, bool), (other, other_masked): (&str, bool)) -> Match {
        let json = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        let (one, other) = (json(one), json(other));
        let one = Value { json: Some(&one), is_masked: one_masked };
        one.compare(Value { json: Some(&other), is_masked: other_masked })
    }

    #[test]
    fn masked_values_differ_by_their_fingerprints_alone() {
        let (a, b, mask) = ("\"[masked:aa]\"", "\"[masked:bb]\"", "\"[masked]\"");
        assert_eq!(compare((a, true), (a, true)), Match::Same);
        assert_eq!(compare((a, true), (b, true)), Match::Different);
        assert_eq!(compare((mask, true), (a, true)), Match::Unknown);
        assert_eq!(compare((mask, true), (mask, true)), Match::Same);
        assert_eq!(compare((a, true), ("\"open\"", false)), Match::Unknown, "it was listed meanwhile");
        assert_eq!(compare((mask, true), ("null", false)), Match::Different, "null is never masked");
        assert_eq!(compare((mask, false), ("\"open\"", false)), Match::Different, "somebody wrote that");
    }

    #[test]
    fn a_set_that_is_not_known_as_a_whole_may_have_more() {
        let (a, b) = ("\"a\"", "\"b\"");
        let json = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        let (a, b) = (json(a), json(b));
        let [a, b] = [&a, &b].map(|json| Value { json: Some(json), is_masked: false });
        let whole = Set::of(vec![a, b]);
        let mut part = Set::new(false);
        part.put(a, true, None);
        assert_eq!(whole.compare(&part), Match::Unknown);
        assert_eq!(part.compare(&part.clone()), Match::Same, "no more is known of the one than of the other");
        part.put(b, false, None);
        assert_eq!(whole.compare(&part), Match::Different);
        assert_eq!(whole.compare(&Set::of(vec![b, a, a])), Match::Same);
        assert_eq!((part.has(a), part.has(b)), (Some(true), Some(false)));
    }
}
