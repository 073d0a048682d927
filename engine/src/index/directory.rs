//! A directory: which numbers a key has. It is cut into parts by the first bits of the keys, so that a lookup reads one.
//!
//! A run has three ([`Kind`]): of its texts, with the numbers of blocks or of groups, and of its values, with the numbers
//! of events. The directory of a segment of several runs counts the runs' numbers on. It is made of the runs' directories alone,
//! part by part: see [`merge_part`].

use super::posting;
use crate::varint::{self, Reader};

/// Which directory. They differ in the length of keys and in what the numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Keys of texts: which blocks have them.
    Blocks,
    /// Keys of texts that nearly all blocks have, or few events: which groups have them.
    Groups,
    /// Keys of values: which events have them, or where that is stored.
    Values,
}

/// The levels of segments: a small run, a large run, and merged ones.
pub type Level = i16;
/// Segments of this level are not merged any more.
pub const TOP_LEVEL: Level = 3;
/// Most directories that are merged into one: each level has this many times as many parts.
pub const MOST_MERGED: usize = 16;

impl Kind {
    /// A part has some hundred keys. A key of a text may be taken for another in one of 4 billion cases, which costs a
    /// read. Exclusions rely on the keys of values, so these must be long.
    pub fn key_bits(self) -> u32 {
        match self {
            Self::Blocks | Self::Groups => 32,
            Self::Values => 57,
        }
    }

    /// The number of bits of a key that choose its part.
    pub fn part_bits(self, level: Level) -> u32 {
        let (small, large) = match self {
            Self::Blocks => (5, 12),
            Self::Groups => (5, 11),
            Self::Values => (3, 10),
        };
        if level == 0 { small } else { large + 4 * u32::from(level as u16 - 1) }
    }

    /// A run's numbers are below this one.
    pub fn numbers(self) -> u32 {
        match self {
            Self::Blocks => 2048,
            Self::Groups => 512,
            Self::Values => 65_536,
        }
    }

    /// The part that has a key, and the rest of the key.
    pub fn place(self, key: u64, level: Level) -> (usize, u64) {
        let rest = self.key_bits() - self.part_bits(level);
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
        varint::write(&mut self.bytes, rest.wrapping_sub(self.next));
        self.next = rest + 1;
        posting::write(&mut self.bytes, numbers, universe);
    }
}

/// The set of a key in its part. None when it has none.
pub fn find(part: &[u8], rest: u64, universe: u32) -> Option<posting::Set<'_>> {
    let mut reader = Reader { bytes: part, at: 0 };
    let mut next = 0_u64;
    loop {
        let found = next.checked_add(reader.varint()?)?;
        if found >= rest {
            return (found == rest).then(|| posting::read(&mut reader, universe)).flatten();
        }
        next = found + 1;
        posting::skip(&mut reader, universe)?;
    }
}

/// Every key of a part, and its numbers. Ends where the bytes are damaged.
pub fn entries(part: &[u8], universe: u32) -> impl Iterator<Item = (u64, Vec<u32>)> {
    let mut reader = Reader { bytes: part, at: 0 };
    let mut next = 0_u64;
    std::iter::from_fn(move || {
        let rest = next.checked_add(reader.varint()?)?;
        next = rest + 1;
        Some((rest, posting::read(&mut reader, universe)?.numbers(universe)))
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
    let rest = kind.key_bits() - kind.part_bits(level + 1);
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
        if current != Some(within) {
            if let Some(done) = current.replace(within) {
                emit(part * MOST_MERGED + done, std::mem::take(&mut builder).bytes);
            }
        }
        builder.add(key & ((1 << rest) - 1), &merged, universe);
    }
    if let Some(done) = current {
        emit(part * MOST_MERGED + done, builder.bytes);
    }
}
