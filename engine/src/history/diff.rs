//! How the record of one moment differs from that of another.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    state::{Field, Fold},
    value::{Json, Match},
};

/// A field that differs.
#[derive(Debug)]
pub struct Difference<'a> {
    pub field: Cow<'a, str>,
    pub label: Option<String>,
    pub kind: Kind,
    pub old: Json<'a>,
    pub old_label: Option<String>,
    pub new: Json<'a>,
    pub new_label: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Added,
    Removed,
    Changed,
}

/// The fields that differ, by name. Null, an empty set and no field are the same, and a deleted record has no fields.
pub fn diff<'a>(from: &Fold<'a>, to: &Fold<'a>) -> Vec<Difference<'a>> {
    let (from, to) = (from.live(), to.live());
    let names: BTreeSet<&Cow<'a, str>> = from.into_iter().chain(to).flat_map(BTreeMap::keys).collect();
    let difference = |name: &Cow<'a, str>| {
        let (old, new) = (from.and_then(|fields| fields.get(name)), to.and_then(|fields| fields.get(name)));
        let is_some = |field: &&Field<'a>| !field.value.is_empty();
        let kind = match (old.filter(is_some), new.filter(is_some)) {
            (None, None) => return None,
            (None, Some(_)) => Kind::Added,
            (Some(_), None) => Kind::Removed,
            (Some(old), Some(new)) if old.value.compare(&new.value) == Match::Same => return None,
            (Some(_), Some(_)) => Kind::Changed,
        };
        let json = |field: Option<&Field<'a>>| field.and_then(|field| field.value.json());
        Some(Difference {
            field: name.clone(),
            label: new.and_then(|field| field.label.clone()).or_else(|| old?.label.clone()),
            kind,
            old: json(old),
            old_label: old.and_then(Field::value_label),
            new: json(new),
            new_label: new.and_then(Field::value_label),
        })
    };
    names.into_iter().filter_map(difference).collect()
}
