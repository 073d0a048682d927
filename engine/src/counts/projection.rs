//! Rollups with only one or two dimensions left, of the events that a filter matches.
//!
//! A chart of a year of days, in a time zone whose days are cut out of UTC's, needs the quarter hours of every day. With
//! hundreds of keys in each quarter hour that took 10 ms at ten million events, every time. What is drawn has a handful of
//! values: their cells are cached, a hundredth of the size. Like the rows themselves they stay right until a row's
//! revision changes.

use std::collections::HashMap;

use foldhash::fast::RandomState;

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
    dimensions: (Dimension, Option<Dimension>),
    hash: [u8; 8],
}

/// What distinguishes a projection from others of the same row: the dimensions that are left, and a hash of the filter.
pub type ProjectionId = ((Dimension, Option<Dimension>), [u8; 8]);

impl<'a> Projection<'a> {
    pub fn new(filter: &'a Filter, dimensions: (Dimension, Option<Dimension>)) -> Self {
        // Its range does not matter: the rows of a range are chosen by their buckets.
        let hash = Filter { since: None, until: None, ..filter.clone() }.hash();
        Self { filter, dimensions, hash }
    }

    pub fn id(&self) -> ProjectionId {
        (self.dimensions, self.hash)
    }

    /// The cells of the keys that the filter matches. Their keys differ in the dimensions alone.
    pub fn of(&self, packed: &PackedCells) -> PackedCells {
        let mut builder = CellsBuilder::default();
        // The place of each key among the values; None when the filter does not match it.
        let mut places: Vec<Option<usize>> = Vec::new();
        let mut of_values: HashMap<(usize, usize), usize, RandomState> = HashMap::default();
        let mut keys: Vec<u32> = Vec::new();
        let (first, second) = self.dimensions;
        let values = packed.values(first).zip(packed.values(second.unwrap_or(first)));
        for (key, values) in packed.keys().zip(values) {
            places.push(matches_key(self.filter, &key).then(|| {
                *of_values.entry(values).or_insert_with(|| {
                    keys.push(builder.key(self.only(&key)));
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

    /// The key with only these dimensions.
    fn only<'k>(&self, key: &Key<'k>) -> Key<'k> {
        let none = Key { action: "", outcome: Outcome::Success, role: None, target_type: None, source: "" };
        let with = |only: Key<'k>, dimension: Dimension| match dimension {
            Dimension::Action => Key { action: key.action, ..only },
            Dimension::Outcome => Key { outcome: key.outcome, ..only },
            Dimension::Role => Key { role: key.role, ..only },
            Dimension::TargetType => Key { target_type: key.target_type, ..only },
            Dimension::Source => Key { source: key.source, ..only },
        };
        let (first, second) = self.dimensions;
        second.into_iter().fold(with(none, first), with)
    }
}
