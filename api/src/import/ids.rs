//! A set of row ids: one bit for each, 65,536 to a block. A block is stored deflated, in base64: some 30 bytes where all
//! rows up to one are there, 11 KiB at most.
//!
//! In memory a block of few ids is a list: ids that carry a time lie so far apart that each would fill a block with zeros.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io::{self, Read as _, Write as _},
    ops::RangeInclusive,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

const BLOCK_BITS: i64 = 65_536;
const BLOCK_BYTES: usize = BLOCK_BITS as usize / 8;
/// The longest list: an eighth of what the bits take.
const MAX_LISTED: usize = 512;

#[derive(Clone, Debug, Default)]
pub(super) struct IdSet {
    blocks: BTreeMap<i64, Block>,
    /// Blocks that changed since [`IdSet::take_changed`].
    changed: BTreeSet<i64>,
}

/// The ids of a block, less its first possible one.
#[derive(Clone, Debug)]
enum Block {
    /// In growing order.
    List(Vec<u16>),
    Bits(Vec<u8>),
}

impl Block {
    fn contains(&self, id: u16) -> bool {
        match self {
            Self::List(ids) => ids.binary_search(&id).is_ok(),
            Self::Bits(bits) => {
                let (byte, mask) = place(id);
                bits[byte] & mask != 0
            }
        }
    }

    /// Whether it is new.
    fn insert(&mut self, id: u16) -> bool {
        match self {
            Self::List(ids) => {
                let Err(place) = ids.binary_search(&id) else { return false };
                ids.insert(place, id);
                if ids.len() > MAX_LISTED {
                    *self = Self::Bits(to_bits(ids));
                }
                true
            }
            Self::Bits(bits) => {
                let (byte, mask) = place(id);
                let is_new = bits[byte] & mask == 0;
                bits[byte] |= mask;
                is_new
            }
        }
    }

    fn last(&self) -> Option<u16> {
        match self {
            Self::List(ids) => ids.last().copied(),
            Self::Bits(bits) => {
                let byte = bits.iter().rposition(|byte| *byte != 0)?;
                u16::try_from(byte * 8 + bits[byte].ilog2() as usize).ok()
            }
        }
    }

    /// Its ids as ranges in growing order, some of which touch. `first` is the block's first possible id.
    fn ranges(&self, first: i64) -> impl Iterator<Item = RangeInclusive<i64>> {
        let (ids, bits) = match self {
            Self::List(ids) => (&ids[..], &[][..]),
            Self::Bits(bits) => (&[][..], &bits[..]),
        };
        let listed = ids.iter().map(move |id| first + i64::from(*id)).map(|id| id..=id);
        let bytes = bits.iter().enumerate().filter(|(_, byte)| **byte != 0);
        // A byte is at most four ranges.
        listed.chain(bytes.flat_map(move |(n, byte)| of_byte(first + n as i64 * 8, *byte)))
    }

    fn bits(&self) -> Cow<'_, [u8]> {
        match self {
            Self::List(ids) => Cow::Owned(to_bits(ids)),
            Self::Bits(bits) => Cow::Borrowed(bits),
        }
    }

    fn from_bits(bits: Vec<u8>) -> Self {
        let count: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
        let block = Self::Bits(bits);
        if count as usize > MAX_LISTED {
            return block;
        }
        let ids = block.ranges(0).flatten().filter_map(|id| u16::try_from(id).ok());
        Self::List(ids.collect())
    }
}

impl IdSet {
    pub(super) fn contains(&self, id: i64) -> bool {
        let (block, id) = in_block(id);
        self.blocks.get(&block).is_some_and(|block| block.contains(id))
    }

    pub(super) fn insert(&mut self, id: i64) {
        let (block, id) = in_block(id);
        if self.blocks.entry(block).or_insert_with(|| Block::List(Vec::new())).insert(id) {
            self.changed.insert(block);
        }
    }

    /// The largest id.
    pub(super) fn last(&self) -> Option<i64> {
        let (number, block) = self.blocks.last_key_value()?;
        Some(number * BLOCK_BITS + i64::from(block.last()?))
    }

    /// The ids from one on that are not in the set, as ranges in growing order. The last of them has no end.
    pub(super) fn missing(&self, from: i64) -> Vec<RangeInclusive<i64>> {
        let mut missing = Vec::new();
        let mut next = from;
        for present in self.ranges() {
            if *present.end() < next {
                continue;
            }
            if *present.start() > next {
                missing.push(next..=present.start() - 1);
            }
            next = present.end() + 1;
        }
        missing.push(next..=i64::MAX);
        missing
    }

    /// The ids of the set, as ranges in growing order.
    pub(super) fn ranges(&self) -> impl Iterator<Item = RangeInclusive<i64>> {
        let mut parts =
            self.blocks.iter().flat_map(|(number, block)| block.ranges(number * BLOCK_BITS)).peekable();
        // Those that touch become one.
        std::iter::from_fn(move || {
            let range = parts.next()?;
            let mut end = *range.end();
            while let Some(more) = parts.next_if(|more| *more.start() == end + 1) {
                end = *more.end();
            }
            Some(*range.start()..=end)
        })
    }

    /// Adds a stored block. None when the text is not one.
    pub(super) fn load(&mut self, block: i64, text: &str) -> Option<()> {
        let deflated = BASE64.decode(text).ok()?;
        let mut bits = Vec::with_capacity(BLOCK_BYTES);
        DeflateDecoder::new(&*deflated).take(BLOCK_BYTES as u64 + 1).read_to_end(&mut bits).ok()?;
        (bits.len() == BLOCK_BYTES).then(|| drop(self.blocks.insert(block, Block::from_bits(bits))))
    }

    /// The blocks that changed since this was last called, as they are stored.
    pub(super) fn take_changed(&mut self) -> io::Result<Vec<(i64, String)>> {
        let encode = |block: i64| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.blocks.get(&block).map(Block::bits).unwrap_or_default())?;
            Ok((block, BASE64.encode(encoder.finish()?)))
        };
        std::mem::take(&mut self.changed).into_iter().map(encode).collect()
    }
}

/// An id's block, and the id in the block.
fn in_block(id: i64) -> (i64, u16) {
    (id.div_euclid(BLOCK_BITS), id.rem_euclid(BLOCK_BITS) as u16)
}

/// The byte of an id in its block, and the bit in the byte.
fn place(id: u16) -> (usize, u8) {
    (usize::from(id / 8), 1 << (id % 8))
}

fn to_bits(ids: &[u16]) -> Vec<u8> {
    let mut bits = vec![0; BLOCK_BYTES];
    for id in ids {
        let (byte, mask) = place(*id);
        bits[byte] |= mask;
    }
    bits
}

/// The ids of a byte whose first bit is `first`.
fn of_byte(first: i64, byte: u8) -> impl Iterator<Item = RangeInclusive<i64>> {
    let mut bit = 0;
    std::iter::from_fn(move || {
        let rest = byte.checked_shr(bit).filter(|rest| *rest != 0)?;
        let start = bit + rest.trailing_zeros();
        let length = (byte >> start).trailing_ones();
        bit = start + length;
        Some(first + i64::from(start)..=first + i64::from(bit - 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[i64]) -> IdSet {
        let mut set = IdSet::default();
        ids.iter().for_each(|id| set.insert(*id));
        set
    }

    #[test]
    fn what_is_missing_is_known_exactly() {
        let set = set(&[5, 6, 9, 12, 65_535, 65_536, 200_000]);
        assert!(set.contains(9) && set.contains(65_536) && !set.contains(7) && !set.contains(-1));
        let gaps = [1..=4, 7..=8, 10..=11, 13..=65_534, 65_537..=199_999, 200_001..=i64::MAX];
        assert_eq!(set.missing(1), gaps);
        assert_eq!(set.missing(6), gaps[1..]);
        assert_eq!(set.missing(14), [14..=65_534, gaps[4].clone(), gaps[5].clone()]);
        assert_eq!(set.missing(300_000), [300_000..=i64::MAX]);
        assert_eq!(set.last(), Some(200_000));
        assert_eq!((IdSet::default().last(), IdSet::default().missing(1)), (None, vec![1..=i64::MAX]));
    }

    #[test]
    fn ranges_and_gaps_divide_the_ids() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..50 {
            let limit = rng.i64(1..200_000);
            // Some blocks are lists, some are bits.
            let ids: Vec<i64> = (0..rng.usize(0..2000)).map(|_| rng.i64(1..=limit)).collect();
            let set = set(&ids);
            let mut all: Vec<_> = set.ranges().chain(set.missing(1)).collect();
            all.sort_by_key(|range| *range.start());
            assert_eq!((all[0].start(), all.last().map(RangeInclusive::end)), (&1, Some(&i64::MAX)));
            assert!(all.windows(2).all(|two| *two[0].end() + 1 == *two[1].start()));
            assert!(set.ranges().all(|range| range.into_iter().all(|id| ids.contains(&id))));
        }
    }

    #[test]
    fn a_set_survives_its_text() {
        let mut ids = set(&[1, 70_000, 1]);
        let stored = ids.take_changed().expect("in memory");
        assert_eq!(stored.iter().map(|(block, _)| *block).collect::<Vec<_>>(), [0, 1]);
        assert!(stored.iter().all(|(_, text)| text.len() < 100));
        ids.insert(1);
        assert!(ids.take_changed().expect("in memory").is_empty());

        let mut loaded = IdSet::default();
        for (block, text) in stored {
            loaded.load(block, &text).expect("a block");
        }
        assert!(loaded.contains(1) && loaded.contains(70_000) && !loaded.contains(2));
        assert!(loaded.load(0, "no block").is_none());
    }

    #[test]
    fn a_block_of_few_ids_is_a_list() {
        let many: Vec<i64> = (0..MAX_LISTED as i64).map(|n| n * 3).collect();
        let mut ids = set(&many);
        // As snowflakes are: each in a block of its own.
        (1..=1000).for_each(|n| ids.insert(n << 22));
        let is_list = |ids: &IdSet, block| matches!(ids.blocks.get(&block), Some(Block::List(_)));
        assert!((0..=1000).all(|n| is_list(&ids, n << 6)));
        ids.insert(1);
        assert!(!is_list(&ids, 0) && is_list(&ids, 64) && ids.contains(1) && !ids.contains(2));

        let mut loaded = IdSet::default();
        for (block, text) in ids.take_changed().expect("in memory") {
            loaded.load(block, &text).expect("a block");
        }
        assert!(!is_list(&loaded, 0) && is_list(&loaded, 64));
        assert!(loaded.ranges().eq(ids.ranges()) && loaded.last() == Some(1000 << 22));
    }
}
