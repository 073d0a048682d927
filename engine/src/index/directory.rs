//! Collects the keys of a segment's blocks while it is built.

use super::posting::write_posting;

/// Bits of a key that are its index in [`Directory::seen`].
const SEEN_BITS: u32 = 15;
/// Up to this many pairs of a part are not searched for duplicates.
const FEW: usize = 4096;

/// Where a key is stored: the part of the directory, and the suffix that distinguishes it from the part's other keys.
/// Two keys with the same address are one key to the index. Of the 65,536 suffixes of a part, a segment uses a few
/// dozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub part: usize,
    pub suffix: u16,
}

impl Address {
    pub fn of(key: u32, part_bits: u32) -> Self {
        Self { part: (key >> (32 - part_bits)) as usize, suffix: (key >> (16 - part_bits)) as u16 }
    }
}

/// Which blocks have which keys.
pub struct Directory {
    part_bits: u32,
    /// For each part, pairs of a key's suffix and a block in order of arrival: `suffix << 16 | block`.
    parts: Vec<Vec<u32>>,
    /// A cache of the pairs that were added last, since most keys of an event are already keys of its block. An entry
    /// has the bits of the key that are not its index, and 11 bits of the block. A pair that was evicted is added
    /// again, and removed as a duplicate at the end.
    seen: Vec<u32>,
}

impl Directory {
    /// With `1 << part_bits` parts.
    pub fn new(part_bits: u32) -> Self {
        Self { part_bits, parts: vec![Vec::new(); 1 << part_bits], seen: vec![u32::MAX; 1 << SEEN_BITS] }
    }

    pub fn add(&mut self, key: u32, block: u16) {
        // Blocks are below 2,016, so this never equals an unused entry.
        let pair = key >> SEEN_BITS << 11 | u32::from(block);
        let seen = &mut self.seen[key as usize & ((1 << SEEN_BITS) - 1)];
        if *seen == pair {
            return;
        }
        *seen = pair;
        let Address { part, suffix } = Address::of(key, self.part_bits);
        let pairs = &mut self.parts[part];
        if pairs.len() == pairs.capacity() && pairs.len() >= FEW {
            drop_doubles(pairs);
            // Leaves room, so that it is not searched again soon.
            pairs.reserve(pairs.len());
        }
        pairs.push(u32::from(suffix) << 16 | u32::from(block));
    }

    /// The encoded parts of the directory of a segment with `blocks` blocks.
    pub fn finish(self, blocks: usize) -> Vec<Vec<u8>> {
        let part = |mut pairs: Vec<u32>| {
            drop_doubles(&mut pairs);
            let mut piece = Vec::with_capacity(pairs.len() * 2);
            for posting in pairs.chunk_by(|one, other| one >> 16 == other >> 16) {
                let suffix = (posting[0] >> 16) as u16;
                write_posting(&mut piece, suffix, posting.iter().map(|pair| *pair as u16), blocks);
            }
            piece
        };
        self.parts.into_iter().map(part).collect()
    }
}

fn drop_doubles(pairs: &mut Vec<u32>) {
    pairs.sort_unstable();
    pairs.dedup();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::index::posting::read_posting;

    /// Keys that repeat, in blocks in random order.
    #[test]
    fn every_key_is_found_in_its_blocks_and_no_other() {
        for (part_bits, blocks, count) in [(4, 32_usize, 3000), (13, 2016, 200_000)] {
            let mut keys = Directory::new(part_bits);
            let mut expected: BTreeMap<(usize, u16), Vec<u64>> = BTreeMap::new();
            let mut state = 7_u64;
            for _ in 0..count {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // A few are in nearly all blocks.
                let key = if state >> 63 == 0 { (state >> 40 & 3) << 29 } else { state >> 33 & 0xffff_f000 };
                let block = (state >> 20) % blocks as u64;
                keys.add(key as u32, block as u16);
                let Address { part, suffix } = Address::of(key as u32, part_bits);
                let words = expected.entry((part, suffix)).or_insert_with(|| vec![0; blocks.div_ceil(64)]);
                words[block as usize / 64] |= 1 << (block % 64);
            }
            let pieces = keys.finish(blocks);
            assert_eq!(pieces.len(), 1 << part_bits);
            for ((part, suffix), expected) in &expected {
                let mut words = vec![0; expected.len()];
                read_posting(&pieces[*part], *suffix, blocks, &mut words);
                assert_eq!(&words, expected, "{part} {suffix}");
            }
            for suffix in (0..u16::MAX).filter(|suffix| !expected.contains_key(&(0, *suffix))) {
                let mut none = vec![0; blocks.div_ceil(64)];
                read_posting(&pieces[0], suffix, blocks, &mut none);
                assert!(none.iter().all(|word| *word == 0), "{suffix}");
            }
        }
    }
}
