//! A directory: which numbers a key has. It is cut into parts by the first bits of the keys, so that a lookup reads one.
//!
//! A run has three ([`Kind`]): two of its texts, with the numbers of blocks, and one of its values, with the numbers of
//! events. The directory of a segment of several runs counts the runs' numbers on. It is made of the runs' directories
//! alone, part by part: see [`merge_part`].

use super::posting;
use crate::varint::{self, Reader};

/// Which directory. They differ in the length of keys and in what the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Keys of texts: which blocks have them.
    Blocks,
    /// Keys of UUIDs, which are many: which wide blocks have them.
    WideBlocks,
    /// Keys of values: which events have them, or where that is stored.
    Values,
}

/// The levels of segments. Those above [`LARGE`] are merged.
pub type Level = i16;
/// A run of the newest events, which grows.
pub const SMALL: Level = 0;
/// A run in place of some small ones, each of which would cost a question as much.
pub const MEDIUM: Level = 1;
pub const LARGE: Level = 2;
/// Segments of this level are not merged any more.
pub const TOP_LEVEL: Level = 4;
/// Most directories that are merged into one: each level has this many times as many parts.
pub const MOST_MERGED: usize = 16;

impl Kind {
    /// A part has some hundred keys. A key of a text may be taken for another in one of 4 billion cases, which costs a
    /// read. Exclusions rely on the keys of values, so these must be long.
    pub fn key_bits(self) -> u32 {
        match self {
            Self::Blocks | Self::WideBlocks => 32,
            Self::Values => 57,
        }
    }

    /// The number of bits of a key that choose its part.
    pub fn part_bits(level: Level) -> u32 {
        match level {
            SMALL => 5,
            MEDIUM => 9,
            _ => 12 + 4 * u32::from(level.abs_diff(LARGE)),
        }
    }

    /// A run's numbers are below this one.
    pub fn numbers(self) -> u32 {
        match self {
            Self::Blocks => 2048,
            Self::WideBlocks => 256,
            Self::Values => 65_536,
        }
    }

    /// The part that has a key, and the rest of the key.
    pub fn place(self, key: u64, level: Level) -> (usize, u64) {
        let rest = self.key_bits() - Self::part_bits(level);
        ((key >> rest) as usize, key & ((1 << rest) - 1))
    }
}

/// The part of a directory under construction. Keys are added in ascending order.
#[derive(Default)]
pub struct PartBuilder {
    pub bytes: Vec<u8>,
    next: u64,
}

impl PartBuilder {
    /// `rest` is what [`Kind::place`] leaves of the key.
    pub fn add(&mut self, rest: u64, numbers: &[u32], universe: u32) {
        self.add_key(rest);
        posting::write(&mut self.bytes, numbers, universe);
    }

    /// As [`PartBuilder::add`], with what [`posting::write`] wrote.
    pub fn add_written(&mut self, rest: u64, set: &[u8]) {
        self.add_key(rest);
        self.bytes.extend(set);
    }

    fn add_key(&mut self, rest: u64) {
        varint::write(&mut self.bytes, rest.wrapping_sub(self.next));
        self.next = rest + 1;
    }
}

/// A reader at the set of a key in its part. None when it has none.
pub fn find(part: &[u8], rest: u64, universe: u32) -> Option<Reader<'_>> {
    let [found, _] = find_two(part, rest, universe);
    found
}

/// Readers at the sets of a key and of the next one, as [`find`].
pub fn find_two(part: &[u8], rest: u64, universe: u32) -> [Option<Reader<'_>>; 2] {
    let mut reader = Reader { bytes: part, at: 0 };
    let mut next = 0_u64;
    let mut two = [None, None];
    while let Some(found) = reader.varint().and_then(|gap| next.checked_add(gap))
        && found <= rest + 1
    {
        if found >= rest {
            two[(found - rest) as usize] = Some(reader.clone());
        }
        next = found + 1;
        if posting::skip(&mut reader, universe).is_none() {
            break;
        }
    }
    two
}

/// Every key of a part, and its numbers. Ends where the bytes are damaged.
pub fn entries(part: &[u8], universe: u32) -> impl Iterator<Item = (u64, Vec<u32>)> {
    let mut reader = Reader { bytes: part, at: 0 };
    let mut next = 0_u64;
    std::iter::from_fn(move || {
        let rest = next.checked_add(reader.varint()?)?;
        // Only damaged bytes have the greatest number.
        next = rest.checked_add(1)?;
        Some((rest, posting::read(&mut reader, universe)?))
    })
}

/// A part of one of the directories that are merged.
pub struct Input<'a> {
    pub part: &'a [u8],
    /// The number of runs before its own, and of its own.
    pub runs_before: u32,
    pub runs: u32,
}

/// Merges one part of several directories of a level into the parts of the next one that have its keys, which are passed
/// to `emit` with their numbers; empty ones are left out. `runs` is the number of all runs, also of directories that have
/// no such part.
pub fn merge_part(
    kind: Kind,
    level: Level,
    part: usize,
    (inputs, runs): (&[Input<'_>], u32),
    mut emit: impl FnMut(usize, Vec<u8>),
) {
    let universe = runs * kind.numbers();
    let mut sources: Vec<_> = inputs
        .iter()
        .map(|input| {
            let before = input.runs_before * kind.numbers();
            let entries = entries(input.part, input.runs * kind.numbers());
            entries.map(move |(key, numbers)| (key, before, numbers)).peekable()
        })
        .collect();
    let rest = kind.key_bits() - Kind::part_bits(level + 1);
    let mut builder = PartBuilder::default();
    let mut current = None;
    while let Some(key) = sources.iter_mut().filter_map(|source| source.peek()).map(|(key, ..)| *key).min() {
        let mut merged: Vec<u32> = Vec::new();
        // The runs are in ascending order, and so are their numbers.
        for source in &mut sources {
            if let Some((_, before, numbers)) = source.next_if(|(other, ..)| *other == key) {
                merged.extend(numbers.into_iter().map(|number| before + number));
            }
        }
        let within = (key >> rest) as usize;
        if current != Some(within)
            && let Some(done) = current.replace(within)
        {
            emit(part * MOST_MERGED + done, std::mem::take(&mut builder).bytes);
        }
        builder.add(key & ((1 << rest) - 1), &merged, universe);
    }
    if let Some(done) = current {
        emit(part * MOST_MERGED + done, builder.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Entries = BTreeMap<(usize, u64), Vec<u32>>;

    /// Keys of one run: some in nearly all numbers, most in a few.
    fn keys(kind: Kind, seed: u64) -> BTreeMap<u64, Vec<u32>> {
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 16
        };
        let mut keys: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for n in 0..3000_u64 {
            // Half of the keys are in every run.
            let key = if n % 2 == 0 { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7 } else { next() };
            let key = key & ((1 << kind.key_bits()) - 1);
            let count = if n % 100 == 0 { kind.numbers() * (n as u32 / 100) / 30 } else { 1 + n as u32 % 5 };
            let numbers = keys.entry(key).or_default();
            numbers.extend((0..count).map(|_| (next() % u64::from(kind.numbers())) as u32));
            numbers.sort_unstable();
            numbers.dedup();
        }
        keys
    }

    /// The parts of the directory of several runs, built at once.
    fn directory(kind: Kind, level: Level, runs: &[BTreeMap<u64, Vec<u32>>]) -> BTreeMap<usize, Vec<u8>> {
        let mut all: Entries = Entries::new();
        for (run, keys) in (0..).zip(runs) {
            for (key, numbers) in keys {
                let entry = all.entry(kind.place(*key, level)).or_default();
                entry.extend(numbers.iter().map(|number| run * kind.numbers() + number));
            }
        }
        let mut parts: BTreeMap<usize, PartBuilder> = BTreeMap::new();
        for ((part, rest), numbers) in all {
            parts.entry(part).or_default().add(rest, &numbers, runs.len() as u32 * kind.numbers());
        }
        parts.into_iter().map(|(part, builder)| (part, builder.bytes)).collect()
    }

    #[test]
    fn merged_directories_are_the_directory_of_all_their_runs() {
        for kind in [Kind::Blocks, Kind::WideBlocks, Kind::Values] {
            let runs: Vec<_> = (1..=4).map(|seed| keys(kind, seed)).collect();
            // Two of one run, and one of two.
            let inputs: Vec<_> = [&runs[..1], &runs[1..3], &runs[3..]]
                .map(|runs| (directory(kind, LARGE, runs), runs.len()))
                .into();
            let mut merged = BTreeMap::new();
            for part in 0..1 << Kind::part_bits(LARGE) {
                let mut parts = Vec::new();
                let mut runs_before = 0;
                for (directory, runs) in &inputs {
                    if let Some(part) = directory.get(&part) {
                        parts.push(Input { part, runs_before, runs: *runs as u32 });
                    }
                    runs_before += *runs as u32;
                }
                merge_part(kind, LARGE, part, (&parts, runs_before), |part, bytes| {
                    assert!(merged.insert(part, bytes).is_none(), "each part once");
                });
            }
            assert!(merged == directory(kind, LARGE + 1, &runs), "{kind:?}");
        }
    }

    #[test]
    fn every_key_is_found_with_its_numbers_and_no_other() {
        for (kind, level) in [(Kind::Blocks, SMALL), (Kind::Values, LARGE), (Kind::WideBlocks, MEDIUM)] {
            let keys = keys(kind, 9);
            let parts = directory(kind, level, std::slice::from_ref(&keys));
            let find = |key: u64| {
                let (part, rest) = kind.place(key, level);
                let mut set = find(parts.get(&part)?, rest, kind.numbers())?;
                posting::read(&mut set, kind.numbers())
            };
            for (key, numbers) in &keys {
                assert_eq!(find(*key).as_ref(), Some(numbers), "{kind:?} {key}");
                let (part, rest) = kind.place(key & !1, level);
                let two = find_two(&parts[&part], rest, kind.numbers());
                let two = two.map(|set| set.and_then(|mut set| posting::read(&mut set, kind.numbers())));
                assert_eq!(two, [find(key & !1), find(key | 1)]);
                if !keys.contains_key(&(key ^ 1)) {
                    assert_eq!(find(key ^ 1), None);
                }
            }
            // Damaged bytes give less, and never a panic.
            for bytes in parts.values().take(50) {
                for cut in (0..bytes.len().min(600)).step_by(101) {
                    let _ = entries(&bytes[..cut], kind.numbers()).count();
                    let flipped: Vec<u8> = bytes.iter().map(|byte| byte ^ (cut as u8 | 1)).collect();
                    let _ = entries(&flipped[..cut], kind.numbers()).take(1000).count();
                }
            }
        }
    }
}
