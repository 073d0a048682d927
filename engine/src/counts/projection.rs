//! Rollups with only one dimension left, of the events that a filter matches.
//!
//! A chart of a year of days, in a time zone whose days are cut out of UTC's, needs the quarter hours of every day. With
//! hundreds of keys in each quarter hour that took 10 ms at ten million events, every time. What is drawn has a handful of
//! values: their cells are cached, a hundredth of the size. Like the rows themselves they stay right until a row's
//! revision changes.

use super::{
    cells::matches_key,
    packed::{CellsBuilder, Key, PackedCells},
};
use crate::{
    event::Outcome,
    filter::{Dimension, Filter},
};

/// Which rows are projected, and onto what.
pub struct Projection<'a> {
    filter: &'a Filter,
    dimension: Dimension,
    hash: [u8; 8],
}

impl<'a> Projection<'a> {
    pub fn new(filter: &'a Filter, dimension: Dimension) -> Self {
        // Its range does not matter: the rows of a range are chosen by their buckets.
        let hash = Filter { since: None, until: None, ..filter.clone() }.hash();
        Self { filter, dimension, hash }
    }

    /// What distinguishes it from other projections of the same row.
    pub fn id(&self) -> (Dimension, [u8; 8]) {
        (self.dimension, self.hash)
    }

    /// The cells of the keys that the filter matches. Their keys differ in the dimension alone.
    pub fn of(&self, packed: &PackedCells) -> PackedCells {
        let mut builder = CellsBuilder::default();
        // The place of each key among the values; None when the filter does not match it.
        let mut places: Vec<Option<usize>> = Vec::new();
        let mut of_value: Vec<Option<usize>> = Vec::new();
        let mut keys: Vec<u32> = Vec::new();
        for (key, value) in packed.keys().zip(packed.values(self.dimension)) {
            if of_value.len() <= value {
                of_value.resize(value + 1, None);
            }
            places.push(matches_key(self.filter, &key).then(|| {
                *of_value[value].get_or_insert_with(|| {
                    keys.push(builder.key(only(&key, self.dimension)));
                    keys.len() - 1
                })
            }));
        }
        let mut sums = vec![0; keys.len()];
        for slot in packed.slots() {
            for (key, events) in packed.cells(slot) {
                if let Some(place) = places[key] {
                    sums[place] += events;
                }
            }
            builder.add_sums(slot.at, keys.iter().copied().zip(&mut sums));
        }
        // What a builder packed can be parsed.
        PackedCells::parse(builder.pack()).unwrap_or_default()
    }
}

/// The key with only one dimension.
fn only<'a>(key: &Key<'a>, dimension: Dimension) -> Key<'a> {
    let none = Key { action: "", outcome: Outcome::Success, role: None, target_type: None, source: "" };
    match dimension {
        Dimension::Action => Key { action: key.action, ..none },
        Dimension::Outcome => Key { outcome: key.outcome, ..none },
        Dimension::Role => Key { role: key.role, ..none },
        Dimension::TargetType => Key { target_type: key.target_type, ..none },
        Dimension::Source => Key { source: key.source, ..none },
    }
}
