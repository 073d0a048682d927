//! A run under construction.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    directory::{Kind, Level, PartBuilder},
    posting,
    run::{
        BLOCK, GROUP, MOST_COLUMNS, PieceNumber, Run, SIGNATURE_WORDS, TIMES, group_piece, large_piece,
        part_piece, write_group, write_times,
    },
    signature, values,
};
use crate::{
    event::{Change, Event},
    filter::search::{metadata_texts, searched_texts},
    text::normalize,
};

/// Pairs of a key and a block, and of a value and an event, that may be in memory: some 100 MB. A run whose events have
/// more is built of fewer events. It is eight times what usual events have, so that only large texts without
/// repetition reach it.
const MOST_PAIRS: usize = 24 << 20;
/// Sets of more bytes are stored outside the directory, so that merging need not copy them, and a lookup of a rare value
/// need not read them.
const MOST_INLINE: usize = 64;
/// Bits of a key that are its index in [`Keys::seen`].
const SEEN_BITS: u32 = 15;

/// A run, and its pieces by number.
pub type Made = (Run, Vec<(PieceNumber, Vec<u8>)>);

pub struct Building {
    run: Run,
    level: Level,
    blocks: Keys,
    groups: Keys,
    /// The columns of each value, by its key.
    values: HashMap<u64, Vec<u16>, BuildHasherDefault<Hashed>>,
    value_pairs: usize,
    signatures: Vec<[u64; SIGNATURE_WORDS]>,
    /// The column of each seq, by its distance to the first.
    column_of: Vec<u16>,
    times: Vec<i64>,
    order: Vec<u16>,
}

impl Building {
    /// `times` are those of the events from `first_seq` on, by seq, without gaps.
    pub fn new(number: i32, level: Level, first_seq: i64, times: &[i64]) -> Self {
        let mut order: Vec<u16> = (0..times.len()).map(|place| place as u16).collect();
        // Stable: equal times stay in order of seq.
        order.sort_by_key(|place| times[usize::from(*place)]);
        let sorted: Vec<i64> = order.iter().map(|place| times[usize::from(*place)]).collect();
        let run = Run {
            number,
            first_seq,
            last_seq: first_seq + times.len() as i64 - 1,
            first_time: sorted.first().copied().unwrap_or_default(),
            last_time: sorted.last().copied().unwrap_or_default(),
        };
        let mut column_of = vec![0; times.len()];
        for (column, place) in order.iter().enumerate() {
            column_of[usize::from(*place)] = column as u16;
        }
        Self {
            level,
            blocks: Keys::new(Kind::Blocks, level),
            groups: Keys::new(Kind::Groups, level),
            values: HashMap::default(),
            value_pairs: 0,
            signatures: vec![[0; SIGNATURE_WORDS]; times.len()],
            column_of,
            times: sorted,
            order,
            run,
        }
    }

    /// Adds an event. Returns false when the run has too much in it, and should be built of fewer events.
    pub fn add(&mut self, event: &Event, changes: &[Change]) -> bool {
        let column = self.column_of[(event.seq - self.run.first_seq) as usize];
        let log = event.common.log;
        let Self { blocks, groups, values, value_pairs, signatures, .. } = self;
        values::values(event, changes, |field, parts| {
            let columns = values.entry(values::key(log, field, parts)).or_default();
            if columns.last() != Some(&column) {
                columns.push(column);
                *value_pairs += 1;
            }
        });
        let signature = &mut signatures[usize::from(column)];
        let (block, group) = (column / BLOCK as u16, column / GROUP as u16);
        let mut text = |text: &str| {
            signature::marks(
                log,
                normalize(text).as_bytes(),
                |kind, key| match kind {
                    Kind::Groups => groups.add(key, group),
                    _ => blocks.add(key, block),
                },
                |bit| signature[usize::from(bit / 64)] |= 1 << (bit % 64),
            );
        };
        searched_texts(event, changes, &mut text);
        metadata_texts(event, &mut text);
        // An entry of the map is as large as some pairs.
        self.blocks.pairs + self.groups.pairs + self.value_pairs + 16 * self.values.len() <= MOST_PAIRS
    }

    /// The run and its pieces. Empty ones are left out.
    pub fn finish(self) -> Made {
        let Self { run, level, blocks, groups, values, signatures, times, order, .. } = self;
        let mut pieces = Vec::new();
        blocks.finish(&mut pieces);
        let large = finish_values(values, level, &mut pieces);
        groups.finish(&mut pieces);
        pieces.extend(large);
        let columns = times.chunks(GROUP).zip(order.chunks(GROUP)).zip(signatures.chunks(GROUP));
        for (group, ((times, places), signatures)) in columns.enumerate() {
            let span = (times[0], times[times.len() - 1]);
            pieces.push((group_piece(group), write_group(span, places, signatures)));
        }
        let firsts: Vec<i64> = times.iter().step_by(GROUP).copied().collect();
        pieces.push((TIMES, write_times(&firsts)));
        (run, pieces)
    }
}

/// Adds the directory of values to `pieces`, and returns the sets that are too large for it.
fn finish_values(
    values: HashMap<u64, Vec<u16>, BuildHasherDefault<Hashed>>,
    level: Level,
    pieces: &mut Vec<(PieceNumber, Vec<u8>)>,
) -> Vec<(PieceNumber, Vec<u8>)> {
    let kind = Kind::Values;
    let mut large = Vec::new();
    let mut sorted: Vec<_> = values.into_iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let mut parts: BTreeMap<usize, PartBuilder> = BTreeMap::new();
    for (key, columns) in sorted {
        let mut columns: Vec<u32> = columns.into_iter().map(u32::from).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut bytes = Vec::new();
        posting::write(&mut bytes, &columns, kind.numbers());
        let (part, rest) = kind.place(key, level);
        let part = parts.entry(part).or_default();
        if bytes.len() <= MOST_INLINE {
            part.add(rest, &columns, kind.numbers());
        } else {
            let nth = large.len() as u32;
            part.add(values::key_of_pieces(rest), &[nth], kind.numbers());
            large.push((large_piece(nth), bytes));
        }
    }
    pieces.extend(parts.into_iter().map(|(part, builder)| (part_piece(kind, part), builder.bytes)));
    large
}

/// Which blocks, or groups, have which keys.
struct Keys {
    kind: Kind,
    level: Level,
    /// For each part, pairs of the rest of a key and a number, in order of arrival.
    parts: Vec<Vec<u32>>,
    /// Bits of a number in a pair.
    number_bits: u32,
    pairs: usize,
    /// A cache of the pairs that were added last, since most keys of an event are already keys of its block. An entry
    /// has the bits of the key that are not its index, and 11 bits of the number. A pair that was evicted is added
    /// again, and removed as a duplicate at the end.
    seen: Vec<u32>,
}

impl Keys {
    fn new(kind: Kind, level: Level) -> Self {
        Self {
            kind,
            level,
            parts: vec![Vec::new(); 1 << kind.part_bits(level)],
            number_bits: if level == 0 { 5 } else { 11 },
            pairs: 0,
            seen: vec![u32::MAX; 1 << SEEN_BITS],
        }
    }

    #[inline]
    fn add(&mut self, key: u32, number: u16) {
        // 17 bits of the key and 11 of the number: never an unused entry.
        let pair = key >> SEEN_BITS << 11 | u32::from(number);
        let seen = &mut self.seen[key as usize & ((1 << SEEN_BITS) - 1)];
        if *seen != pair {
            *seen = pair;
            let (part, rest) = self.kind.place(key.into(), self.level);
            self.parts[part].push((rest as u32) << self.number_bits | u32::from(number));
            self.pairs += 1;
        }
    }

    fn finish(self, pieces: &mut Vec<(PieceNumber, Vec<u8>)>) {
        let mut numbers = Vec::new();
        for (part, mut pairs) in self.parts.into_iter().enumerate() {
            pairs.sort_unstable();
            pairs.dedup();
            let mut builder = PartBuilder::default();
            for of_key in pairs.chunk_by(|one, other| one >> self.number_bits == other >> self.number_bits) {
                numbers.clear();
                numbers.extend(of_key.iter().map(|pair| pair & ((1 << self.number_bits) - 1)));
                builder.add((of_key[0] >> self.number_bits).into(), &numbers, self.kind.numbers());
            }
            if !builder.bytes.is_empty() {
                pieces.push((part_piece(self.kind, part), builder.bytes));
            }
        }
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const _: () = assert!(MOST_COLUMNS / BLOCK <= 1 << 11, "a number has 11 bits");
