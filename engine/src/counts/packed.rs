//! Packs cells into few bytes, and sums them without unpacking.
//!
//! A cell is the number of events of one slot of time with one [`Key`]. The format, in varints (LEB128) except for the
//! texts:
//!
//! ```text
//! version  2
//! texts    count, then (length, bytes) each
//! keys     count, then (action, outcome, role + 1, target type + 1, source) each: indexes of texts; 0 is none
//! slots    count, then (slot - slot before, bytes of its cells) each; the first one is zigzag coded
//! cells    of each slot: (key - key before, events) each, by key
//! ```
//!
//! Texts and keys stay in the order in which they were added, so a row that grows keeps them, and slots to which
//! nothing is added are copied unchanged. A typical cell takes two bytes.

mod tables;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use crate::{
    event::Outcome,
    filter::Dimension,
    varint::{self, Reader, unzigzag, zigzag},
};

pub use tables::Tables;

const VERSION: u8 = 2;

/// What distinguishes cells, besides time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    pub action: &'a str,
    pub outcome: Outcome,
    pub role: Option<&'a str>,
    pub target_type: Option<&'a str>,
    pub source: &'a str,
}

/// A key as indexes of texts, in the order of [`Dimension`]: action, outcome's number, role + 1, target type + 1, source.
type Ids = [u32; 5];

fn values_of(keys: &[Ids], dimension: Dimension) -> impl Iterator<Item = usize> {
    keys.iter().map(move |ids| ids[dimension as usize] as usize)
}

fn key_of(texts: &[Box<str>], [action, outcome, role, kind, source]: Ids) -> Key<'_> {
    let text = |place: u32| &*texts[place as usize];
    Key {
        action: text(action),
        outcome: Outcome::from_number(outcome as i16).expect("keys are checked when they are parsed"),
        role: role.checked_sub(1).map(text),
        target_type: kind.checked_sub(1).map(text),
        source: text(source),
    }
}

/// The cells of one slot of time.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Quarter hours or days since 1970.
    pub at: i64,
    from: usize,
    to: usize,
}

/// Checked packed cells: texts and keys are unpacked, cells are not.
#[derive(Clone, Debug, Default)]
pub struct PackedCells {
    texts: Vec<Box<str>>,
    keys: Vec<Ids>,
    slots: Vec<Slot>,
    bytes: Vec<u8>,
    totals: OnceLock<Box<[u64]>>,
    /// The places of the keys, and among which keys they are.
    places: OnceLock<(u64, Arc<[u32]>)>,
}

impl PackedCells {
    /// None when [`CellsBuilder::pack`] did not write these bytes.
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        if reader.byte()? != VERSION {
            return None;
        }
        let mut texts = Vec::new();
        for _ in 0..reader.count()? {
            let text = reader.slice()?;
            texts.push(std::str::from_utf8(text).ok()?.into());
        }
        let mut keys = Vec::new();
        for _ in 0..reader.count()? {
            let ids: Ids =
                [reader.small()?, reader.small()?, reader.small()?, reader.small()?, reader.small()?];
            let [action, outcome, role, kind, source] = ids;
            let known = texts.len() as u32;
            Outcome::from_number(i16::try_from(outcome).ok()?).ok()?;
            if action >= known || role > known || kind > known || source >= known {
                return None;
            }
            keys.push(ids);
        }
        let mut slots = Vec::new();
        let (mut at, mut from) = (0i64, 0);
        for place in 0..reader.count()? {
            let step = reader.varint()?;
            if place > 0 && step == 0 {
                return None;
            }
            at = if place == 0 { unzigzag(step) } else { at.checked_add(i64::try_from(step).ok()?)? };
            let to = reader.count()?.checked_add(from)?;
            slots.push(Slot { at, from, to });
            from = to;
        }
        let start = reader.at;
        for slot in &mut slots {
            slot.from = slot.from.checked_add(start)?;
            slot.to = slot.to.checked_add(start)?;
            let mut cells = Reader { bytes: bytes.get(slot.from..slot.to)?, at: 0 };
            let mut key = 0u64;
            while cells.at < cells.bytes.len() {
                key = key.checked_add(cells.varint()?)?;
                cells.varint()?;
                if key >= keys.len() as u64 {
                    return None;
                }
            }
        }
        let ends_here = slots.last().map_or(start, |slot| slot.to) == bytes.len();
        let (totals, places) = (OnceLock::new(), OnceLock::new());
        ends_here.then_some(Self { texts, keys, slots, bytes, totals, places })
    }

    /// The places of its keys among those that `id` distinguishes. They are remembered of the first ones that are asked
    /// for.
    pub fn places(&self, id: u64, look_up: impl FnOnce() -> Vec<u32>) -> Arc<[u32]> {
        if let Some((known, places)) = self.places.get()
            && *known == id
        {
            return places.clone();
        }
        let places: Arc<[u32]> = look_up().into();
        // It may have those of others, which were forgotten: then they are looked up until the row is read anew.
        let _ = self.places.set((id, places.clone()));
        places
    }

    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether a key has this text.
    pub fn has_text(&self, text: &str) -> bool {
        self.texts.iter().any(|known| **known == *text)
    }

    /// The slots with `from <= at < to`.
    pub fn slots_within(&self, from: i64, to: i64) -> &[Slot] {
        let first = self.slots.partition_point(|slot| slot.at < from);
        let last = self.slots.partition_point(|slot| slot.at < to);
        &self.slots[first..last.max(first)]
    }

    /// Each cell of a slot: the index of its key, and its number of events.
    pub fn cells(&self, slot: &Slot) -> impl Iterator<Item = (usize, u64)> {
        let mut reader = Reader { bytes: &self.bytes[slot.from..slot.to], at: 0 };
        let mut key = 0;
        std::iter::from_fn(move || {
            // `parse` has read all cells, so only the end gives None.
            key += reader.varint()?;
            Some((key as usize, reader.varint()?))
        })
    }

    /// The number of events of each key, in all slots. Added up once, since many questions are about whole months.
    pub fn totals(&self) -> &[u64] {
        self.totals.get_or_init(|| {
            let mut totals = vec![0_u64; self.keys.len()];
            for (key, events) in self.slots.iter().flat_map(|slot| self.cells(slot)) {
                // Damaged cells may have any number.
                totals[key] = totals[key].saturating_add(events);
            }
            totals.into()
        })
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = Key<'_>> {
        self.keys.iter().map(|ids| key_of(&self.texts, *ids))
    }

    /// For each key, a number for its value in a dimension. Equal values have equal numbers within a row.
    pub fn values(&self, dimension: Dimension) -> impl Iterator<Item = usize> {
        values_of(&self.keys, dimension)
    }

    /// Every cell, unpacked. Rows that have the same cells in different bytes unpack to the same.
    pub fn unpack(&self) -> BTreeMap<(i64, Key<'_>), u64> {
        let keys: Vec<Key<'_>> = self.keys().collect();
        let mut cells = BTreeMap::new();
        for slot in &self.slots {
            for (key, events) in self.cells(slot) {
                let sum: &mut u64 = cells.entry((slot.at, keys[key])).or_default();
                // Damaged cells may have any number.
                *sum = sum.saturating_add(events);
            }
        }
        cells
    }

    /// Estimated bytes of memory.
    pub fn weight(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len() + 16).sum();
        // With the totals and places, which may be added later.
        let keys = self.keys.len() * (size_of::<Ids>() + size_of::<u64>() + size_of::<u32>());
        texts + keys + self.slots.len() * size_of::<Slot>() + self.bytes.len()
    }
}

/// Collects cells on top of packed ones.
#[derive(Clone, Debug, Default)]
pub struct CellsBuilder {
    base: PackedCells,
    tables: Tables,
    added: BTreeMap<i64, BTreeMap<u32, u64>>,
}

impl CellsBuilder {
    /// A builder that begins with packed cells.
    pub fn over(base: PackedCells) -> Self {
        Self { tables: Tables::of(&base), base, added: BTreeMap::new() }
    }

    pub fn add(&mut self, slot: i64, key: Key<'_>, events: u64) {
        let key = self.tables.key(key);
        *self.added.entry(slot).or_default().entry(key).or_default() += events;
    }

    /// The place of a key, for [`CellsBuilder::add_sums`].
    pub fn key(&mut self, key: Key<'_>) -> u32 {
        self.tables.key(key)
    }

    /// Adds the events of each key to a slot, and sets the sums back to zero.
    pub fn add_sums<'a>(&mut self, slot: i64, sums: impl Iterator<Item = (u32, &'a mut u64)>) {
        for (key, events) in sums {
            if *events > 0 {
                *self.added.entry(slot).or_default().entry(key).or_default() += std::mem::take(events);
            }
        }
    }

    /// Adds these slots of `other`, each to the slot that `slot_of` returns for it.
    pub fn add_all(&mut self, other: &PackedCells, slots: &[Slot], slot_of: impl Fn(i64) -> i64) {
        // Of the keys only those of these slots: a row must not grow with what belongs to other rows.
        let mut keys: Vec<Option<u32>> = vec![None; other.keys.len()];
        for slot in slots {
            let cells = self.added.entry(slot_of(slot.at)).or_default();
            for (key, events) in other.cells(slot) {
                let own =
                    keys[key].get_or_insert_with(|| self.tables.key(key_of(&other.texts, other.keys[key])));
                *cells.entry(*own).or_default() += events;
            }
        }
    }

    /// The number of added cells, without those of the base.
    pub fn len(&self) -> usize {
        self.added.values().map(BTreeMap::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.base.slots.is_empty()
    }

    /// The bytes of all cells, those of the base included.
    pub fn pack(&self) -> Vec<u8> {
        let Self { base, tables, added } = self;
        // The body is written first, since the slots contain its lengths.
        let mut body = Vec::with_capacity(base.bytes.len() + 1024);
        let mut slots: Vec<(i64, usize)> = Vec::new();
        let mut close = |at: i64, body: &Vec<u8>, from: usize| slots.push((at, body.len() - from));
        let mut old = base.slots.iter().peekable();
        for (at, cells) in added {
            while let Some(slot) = old.next_if(|slot| slot.at < *at) {
                let from = body.len();
                body.extend_from_slice(&base.bytes[slot.from..slot.to]);
                close(slot.at, &body, from);
            }
            let from = body.len();
            match old.next_if(|slot| slot.at == *at) {
                Some(slot) => {
                    let mut cells = cells.clone();
                    for (key, events) in base.cells(slot) {
                        *cells.entry(key as u32).or_default() += events;
                    }
                    write_cells(&mut body, &cells);
                }
                None => write_cells(&mut body, cells),
            }
            close(*at, &body, from);
        }
        for slot in old {
            let from = body.len();
            body.extend_from_slice(&base.bytes[slot.from..slot.to]);
            close(slot.at, &body, from);
        }

        let mut bytes = vec![VERSION];
        varint::write(&mut bytes, tables.texts.len() as u64);
        for text in &tables.texts {
            varint::write(&mut bytes, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
        varint::write(&mut bytes, tables.keys.len() as u64);
        for id in tables.keys.iter().flatten() {
            varint::write(&mut bytes, u64::from(*id));
        }
        varint::write(&mut bytes, slots.len() as u64);
        let mut before = None;
        for (at, length) in slots {
            varint::write(&mut bytes, before.map_or(zigzag(at), |before: i64| (at - before).unsigned_abs()));
            varint::write(&mut bytes, length as u64);
            before = Some(at);
        }
        bytes.append(&mut body);
        bytes
    }
}

fn write_cells(body: &mut Vec<u8>, cells: &BTreeMap<u32, u64>) {
    let mut before = 0;
    for (key, events) in cells {
        varint::write(body, u64::from(key - before));
        varint::write(body, *events);
        before = *key;
    }
}

#[cfg(test)]
mod tests;
