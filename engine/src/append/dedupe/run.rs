//! Runs: the dedupe keys of one source that are stored together, 16 bytes each.
//!
//! ```text
//! an entry   | 86 bits of the key's hash            | 42 bits: the seq of its event |
//! stored as  | head, 32 bits | rest, 96 bits                                        |
//! ```
//!
//! The entries of a run are in ascending order, and divided into 2^n parts by their first n bits. A part has its heads in one
//! value and its rests in another, so that a look-up reads, and a cache keeps, a quarter of it: a head that is there is almost
//! always that of the key. Two keys of a source with the same 86 bits are not to be expected below 10^12 keys.
//!
//! A transaction writes one run for each source, and replaces [`MERGED`] runs of about the same size by one, up to
//! [`MOST_ENTRIES`], as in a log-structured merge tree (O'Neil et al., 1996). A table with a row for each key would change a page
//! of it for each event, since keys come in no order.

use super::Key;
use crate::event::id::MAX_SEQ;

/// Entries of a part, about.
const PART_ENTRIES: usize = 2048;
/// Entries of the largest runs that are made. Merging takes a transaction some 50 ms.
pub(super) const MOST_ENTRIES: usize = 512 * 1024;
/// Runs that become one.
pub(super) const MERGED: usize = 8;

const SEQ_BITS: u32 = MAX_SEQ.trailing_zeros();
const HEAD_BYTES: usize = 4;
const REST_BYTES: usize = 12;

/// A key, and the event that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry(u128);

impl Entry {
    pub(super) fn new(key: Key, seq: i64) -> Self {
        Self(key.0 | u128::from(seq.unsigned_abs()))
    }

    pub(super) fn key(self) -> Key {
        Key::from_bits(self.0)
    }

    pub(super) fn seq(self) -> i64 {
        (self.0 & ((1 << SEQ_BITS) - 1)) as i64
    }
}

impl Key {
    /// Of 128 bits; the last ones are those of a seq.
    pub(super) fn from_bits(bits: u128) -> Self {
        Self(bits >> SEQ_BITS << SEQ_BITS)
    }

    pub(super) fn head(self) -> u32 {
        (self.0 >> 96) as u32
    }
}

/// The bits of a key that choose its part in a run with so many entries.
pub(super) fn bits(entries: usize) -> u32 {
    entries.div_ceil(PART_ENTRIES).next_power_of_two().trailing_zeros()
}

/// The part of a key.
pub(super) fn part_of(key: Key, bits: u32) -> i32 {
    (u64::from(key.head()) << bits >> 32) as i32
}

/// Runs of one level are merged.
pub(super) fn level(entries: usize) -> u32 {
    entries.max(1).ilog(MERGED)
}

/// A part as it is stored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) heads: Vec<u8>,
    pub(super) rests: Vec<u8>,
}

/// The parts that have entries, with their numbers. The entries are in ascending order.
pub(super) fn parts(entries: &[Entry]) -> Vec<(i32, Part)> {
    let bits = bits(entries.len());
    let of = |entry: &Entry| part_of(entry.key(), bits);
    let part = |entries: &[Entry]| {
        let mut part = Part {
            heads: Vec::with_capacity(HEAD_BYTES * entries.len()),
            rests: Vec::with_capacity(REST_BYTES * entries.len()),
        };
        for entry in entries {
            let bytes = entry.0.to_be_bytes();
            part.heads.extend(&bytes[..HEAD_BYTES]);
            part.rests.extend(&bytes[HEAD_BYTES..]);
        }
        (of(&entries[0]), part)
    };
    entries.chunk_by(|one, other| of(one) == of(other)).map(part).collect()
}

/// The entries of a part. One that was damaged is another key's.
pub(super) fn entries(part: &Part) -> impl Iterator<Item = Entry> {
    let (heads, rests) = (part.heads.chunks_exact(HEAD_BYTES), part.rests.chunks_exact(REST_BYTES));
    heads.zip(rests).map(|(head, rest)| {
        let mut bytes = [0; HEAD_BYTES + REST_BYTES];
        bytes[..HEAD_BYTES].copy_from_slice(head);
        bytes[HEAD_BYTES..].copy_from_slice(rest);
        Entry(u128::from_be_bytes(bytes))
    })
}

/// The heads of a part, in ascending order.
pub(super) fn heads(bytes: &[u8]) -> Vec<u32> {
    let head = |bytes: &[u8]| bytes.iter().fold(0, |head, byte| head << 8 | u32::from(*byte));
    bytes.chunks_exact(HEAD_BYTES).map(head).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_has_its_entries_in_their_parts(
            keys in proptest::collection::btree_map(any::<u128>(), 1..MAX_SEQ, 1..300), times in 1_usize..40,
        ) {
            // Some more, so that there are several parts.
            let mut all: Vec<Entry> = (0..times as u128)
                .flat_map(|n| keys.iter().map(move |(key, seq)| Entry::new(Key::from_bits(key.wrapping_mul(2 * n + 1)), *seq)))
                .collect();
            all.sort_unstable();
            all.dedup();
            let stored = parts(&all);
            let bits = bits(all.len());
            let mut found = Vec::new();
            for (number, part) in &stored {
                let of_part: Vec<Entry> = entries(part).collect();
                prop_assert!(of_part.iter().all(|entry| part_of(entry.key(), bits) == *number));
                prop_assert_eq!(heads(&part.heads), of_part.iter().map(|entry| entry.key().head()).collect::<Vec<_>>());
                prop_assert_eq!(part.heads.len() + part.rests.len(), 16 * of_part.len());
                found.extend(of_part);
            }
            prop_assert_eq!(&found, &all);
            let model: BTreeMap<u128, i64> = all.iter().map(|entry| (entry.key().0, entry.seq())).collect();
            for entry in &all {
                prop_assert_eq!(Entry::new(Key(entry.key().0), entry.seq()), *entry);
                prop_assert!(model.contains_key(&entry.key().0));
            }
        }
    }

    #[test]
    fn parts_are_of_about_one_size() {
        assert_eq!([1, 2048, 2049, 4096, 4097, 524_288].map(bits), [0, 0, 1, 1, 2, 8]);
        assert_eq!(part_of(Key::from_bits(u128::MAX), 8), 255);
        assert_eq!(part_of(Key::from_bits(u128::MAX), 0), 0);
        assert_eq!([1, 7, 8, 63, 64, 511, 512].map(level), [0, 0, 1, 1, 2, 2, 3]);
    }
}
