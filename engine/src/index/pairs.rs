//! Pairs of a key and where it is, of a run under construction.
//!
//! They are collected in order of arrival and sorted at the end, which costs less than a table of all keys: most keys
//! and values are in one or two places only.

use foldhash::fast::RandomState;
use std::hash::BuildHasher as _;

use super::{
    directory::{Kind, Level, PartBuilder},
    posting,
    run::{PieceNumber, large_piece, part_piece},
    values::{self, Field},
};
use crate::event::Log;

/// Sets of more bytes are stored outside the directory, so that merging need not copy them, and a lookup of a rare value
/// need not read them.
const MOST_INLINE: usize = 64;

/// Which blocks have which keys.
pub(super) struct Keys {
    kind: Kind,
    level: Level,
    /// By the first bits of the key: the rest of it, and a number.
    lists: Vec<Vec<u32>>,
    pairs: usize,
    /// The number that was added last, and whether none was lower than the one before it, as is usual.
    last: u16,
    is_ascending: bool,
    /// A cache of the pairs that were added last, since most keys of an event are already keys of its block. An entry
    /// has the bits of the key that are not its index, and 11 bits of the number. A pair that was evicted is added
    /// again, and removed as a duplicate at the end.
    seen: Vec<u32>,
}

/// Bits of a key that are its index in [`Keys::seen`], which fits into the first cache of a processor.
const SEEN_BITS: u32 = 13;
/// Bits of a key that choose its list.
const LIST_BITS: u32 = 11;
const NUMBER_BITS: u32 = 11;
const KEY_REST_BITS: u32 = 32 - LIST_BITS;

impl Keys {
    pub(super) fn new(kind: Kind, level: Level) -> Self {
        Self {
            kind,
            level,
            lists: vec![Vec::new(); 1 << LIST_BITS],
            pairs: 0,
            last: 0,
            is_ascending: true,
            seen: vec![u32::MAX; 1 << SEEN_BITS],
        }
    }

    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    #[inline]
    pub(super) fn add(&mut self, key: u32, number: u16) {
        // 19 bits of the key and 11 of the number: never an unused entry.
        let pair = key >> SEEN_BITS << NUMBER_BITS | u32::from(number);
        let seen = &mut self.seen[key as usize & ((1 << SEEN_BITS) - 1)];
        if *seen != pair {
            *seen = pair;
            let list = &mut self.lists[(key >> (32 - LIST_BITS)) as usize];
            list.push(key << NUMBER_BITS | u32::from(number));
            self.pairs += 1;
            self.is_ascending &= self.last <= number;
            self.last = number;
        }
    }

    /// Adds the parts of the directory to `pieces`.
    pub(super) fn finish(self, pieces: &mut Vec<(PieceNumber, Vec<u8>)>) {
        let mut parts = Parts::new(self.kind, self.level);
        let mut numbers = Vec::new();
        let mut bytes = Vec::new();
        let mut sorted = Vec::new();
        for (first, mut list) in self.lists.into_iter().enumerate() {
            if self.is_ascending {
                sort_by_key(&mut list, &mut sorted);
            } else {
                list.sort_unstable();
            }
            list.dedup();
            for of_key in list.chunk_by(|one, other| one >> NUMBER_BITS == other >> NUMBER_BITS) {
                let key = (first as u64) << KEY_REST_BITS | u64::from(of_key[0] >> NUMBER_BITS);
                numbers.clear();
                numbers.extend(of_key.iter().map(|pair| pair & ((1 << NUMBER_BITS) - 1)));
                bytes.clear();
                posting::write(&mut bytes, &numbers, self.kind.numbers());
                parts.add(key, &bytes, pieces);
            }
        }
        parts.finish(pieces);
    }
}

/// Sorts pairs whose numbers ascend by their keys: a radix sort, which keeps the order of what is equal. It takes half
/// the time of a sort by comparison.
fn sort_by_key(list: &mut Vec<u32>, sorted: &mut Vec<u32>) {
    const DIGIT_BITS: u32 = KEY_REST_BITS.div_ceil(2);
    for shift in [NUMBER_BITS, NUMBER_BITS + DIGIT_BITS] {
        let digit = |pair: u32| (pair >> shift) as usize & ((1 << DIGIT_BITS) - 1);
        let mut next = [0_u32; 1 << DIGIT_BITS];
        list.iter().for_each(|pair| next[digit(*pair)] += 1);
        let mut start = 0;
        for place in &mut next {
            start += std::mem::replace(place, start);
        }
        sorted.resize(list.len(), 0);
        for pair in &*list {
            let place = &mut next[digit(*pair)];
            sorted[*place as usize] = *pair;
            *place += 1;
        }
        std::mem::swap(list, sorted);
    }
}

/// The events of each value.
pub(super) struct Values {
    level: Level,
    /// By the first bits of the key: the rest of it, and a column.
    lists: Vec<Vec<u64>>,
    pairs: usize,
    hasher: RandomState,
    /// Some values that were added last, with their keys: most values of an event are those of others.
    known: Vec<Option<Box<KnownValue>>>,
    /// Reused, so that not every value allocates.
    value: Vec<u8>,
}

struct KnownValue {
    /// As [`values::write`] wrote it.
    value: Box<[u8]>,
    key: u64,
}

/// A key has 57 bits, and the last one is 0: those that choose the list, and those of a column, leave 64 of a pair.
const VALUE_LIST_BITS: u32 = 8;
const COLUMN_BITS: u32 = 16;
const REST_BITS: u32 = 56 - VALUE_LIST_BITS;
/// A power of two.
const KNOWN_VALUES: usize = 2048;

impl Values {
    pub(super) fn new(level: Level) -> Self {
        Self {
            level,
            lists: vec![Vec::new(); 1 << VALUE_LIST_BITS],
            pairs: 0,
            hasher: RandomState::default(),
            known: (0..KNOWN_VALUES).map(|_| None).collect(),
            value: Vec::new(),
        }
    }

    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    /// Returns false when it was added before, or not long before.
    pub(super) fn add(&mut self, log: Log, field: Field, parts: [&[u8]; 2], column: u16) -> bool {
        values::write(&mut self.value, log, field, parts);
        let hash = self.hasher.hash_one(&*self.value);
        let known = &mut self.known[hash as usize % KNOWN_VALUES];
        let (key, is_new) = match known {
            Some(known) if *known.value == *self.value => (known.key, false),
            _ => {
                let key = values::key_of(&self.value);
                *known = Some(Box::new(KnownValue { value: self.value.as_slice().into(), key }));
                (key, true)
            }
        };
        self.add_key(key, column);
        is_new
    }

    #[inline]
    pub(super) fn add_key(&mut self, key: u64, column: u16) {
        let key = key >> 1;
        let rest = key & ((1 << REST_BITS) - 1);
        self.lists[(key >> REST_BITS) as usize].push(rest << COLUMN_BITS | u64::from(column));
        self.pairs += 1;
    }

    /// Adds the parts of the directory to `pieces`, and returns the sets that are too large for it.
    pub(super) fn finish(self, pieces: &mut Vec<(PieceNumber, Vec<u8>)>) -> Vec<(PieceNumber, Vec<u8>)> {
        let kind = Kind::Values;
        let mut parts = Parts::new(kind, self.level);
        let mut large = Vec::new();
        let mut columns: Vec<u32> = Vec::new();
        let mut bytes = Vec::new();
        for (first, mut list) in self.lists.into_iter().enumerate() {
            list.sort_unstable();
            list.dedup();
            for of_key in list.chunk_by(|one, other| one >> COLUMN_BITS == other >> COLUMN_BITS) {
                let key = ((first as u64) << REST_BITS | of_key[0] >> COLUMN_BITS) << 1;
                columns.clear();
                columns.extend(of_key.iter().map(|pair| *pair as u32 & ((1 << COLUMN_BITS) - 1)));
                bytes.clear();
                posting::write(&mut bytes, &columns, kind.numbers());
                if bytes.len() <= MOST_INLINE {
                    parts.add(key, &bytes, pieces);
                } else {
                    let nth = large.len() as u32;
                    large.push((large_piece(nth), bytes.clone()));
                    bytes.clear();
                    posting::write(&mut bytes, &[nth], kind.numbers());
                    parts.add(values::key_of_pieces(key), &bytes, pieces);
                }
            }
        }
        parts.finish(pieces);
        large
    }
}

/// Writes the parts of a directory, whose keys are added in ascending order.
struct Parts {
    kind: Kind,
    level: Level,
    number: usize,
    part: PartBuilder,
}

impl Parts {
    fn new(kind: Kind, level: Level) -> Self {
        Self { kind, level, number: 0, part: PartBuilder::default() }
    }

    fn add(&mut self, key: u64, set: &[u8], pieces: &mut Vec<(PieceNumber, Vec<u8>)>) {
        let (number, rest) = self.kind.place(key, self.level);
        if number != self.number {
            self.write(pieces);
            self.number = number;
        }
        self.part.add_written(rest, set);
    }

    fn write(&mut self, pieces: &mut Vec<(PieceNumber, Vec<u8>)>) {
        let bytes = std::mem::take(&mut self.part).bytes;
        if !bytes.is_empty() {
            pieces.push((part_piece(self.kind, self.number), bytes));
        }
    }

    fn finish(mut self, pieces: &mut Vec<(PieceNumber, Vec<u8>)>) {
        self.write(pieces);
    }
}
