//! Texts and keys with places that never change.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Ids, Key, PackedCells, key_of, values_of};
use crate::filter::Dimension;

/// Texts and keys, each once.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(super) texts: Vec<Box<str>>,
    places: HashMap<Box<str>, u32, RandomState>,
    pub(super) keys: Vec<Ids>,
    key_places: HashMap<Ids, u32, RandomState>,
}

impl Tables {
    pub(super) fn of(packed: &PackedCells) -> Self {
        let PackedCells { texts, keys, .. } = packed;
        Self {
            texts: texts.clone(),
            places: (0..).zip(texts).map(|(place, text)| (text.clone(), place)).collect(),
            keys: keys.clone(),
            key_places: (0..).zip(keys).map(|(place, ids)| (*ids, place)).collect(),
        }
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.texts.len() as u32;
        self.texts.push(text.into());
        self.places.insert(text.into(), place);
        place
    }

    fn ids(&mut self, ids: Ids) -> u32 {
        let next = self.keys.len() as u32;
        let place = *self.key_places.entry(ids).or_insert(next);
        if place == next {
            self.keys.push(ids);
        }
        place
    }

    /// The index of the key, which never changes.
    pub fn key(&mut self, key: Key<'_>) -> u32 {
        let Key { action, outcome, role, target_type, source } = key;
        let ids = [
            self.text(action),
            outcome.number().unsigned_abs().into(),
            role.map_or(0, |role| self.text(role) + 1),
            target_type.map_or(0, |kind| self.text(kind) + 1),
            self.text(source),
        ];
        self.ids(ids)
    }

    /// The index of each key of a packed row, in the row's order.
    pub fn keys_of(&mut self, packed: &PackedCells) -> Vec<u32> {
        let texts: Vec<u32> = packed.texts.iter().map(|text| self.text(text)).collect();
        let text = |place: u32| texts[place as usize];
        let optional = |place: u32| place.checked_sub(1).map_or(0, |place| text(place) + 1);
        let keys = packed.keys.iter();
        keys.map(|&[action, outcome, role, kind, source]| {
            self.ids([text(action), outcome, optional(role), optional(kind), text(source)])
        })
        .collect()
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = Key<'_>> {
        self.keys.iter().map(|ids| key_of(&self.texts, *ids))
    }

    /// As [`PackedCells::values`].
    pub fn values(&self, dimension: Dimension) -> impl Iterator<Item = usize> {
        values_of(&self.keys, dimension)
    }
}
