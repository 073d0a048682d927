//! A run: the index of up to 65,536 events with consecutive seqs.
//!
//! Its events are *columns* in time order. 32 columns are a *block*, 128 a *group*. A run is stored in pieces, so that
//! a query reads only those that it needs:
//!
//! ```text
//! directories     which blocks or columns have which keys (`directory`); a merge replaces them
//! dictionaries    the words of each log (`words`); a merge replaces them, too
//! large sets      one for each value that many events have: its columns                 0.1 to 8 KiB
//! groups          of 128 columns: first and last time, seqs, one bit of each signature
//!                 after the other, and about when each eight of them begin                   3.9 KiB
//! times           the first time of each group                                                 2 KiB
//! ```

use super::{
    directory::{Kind, Level},
    posting::{self, u16_at, u64_at},
    signature::BITS,
};
use crate::varint::{self, Reader};

/// The number of this format, which includes what `signature`, `words` and `values` make of an event. A change of any stored
/// byte, or of an event's marks, takes the next number; then a background job rebuilds every index. A test in
/// `format.rs` guards it.
pub const FORMAT: i32 = 6;
/// Columns of the largest run.
pub const MOST_COLUMNS: usize = 65_536;
/// Columns of a small run, which is written soon after its events.
pub const SMALL_COLUMNS: usize = 1024;
/// Columns of a medium run, which replaces small ones.
pub const MEDIUM_COLUMNS: usize = 8192;
/// Columns that share their keys.
pub const BLOCK: usize = 32;
/// Columns that share the keys of their UUIDs. Most wide blocks have most of those of three digits.
pub const WIDE_BLOCK: usize = 256;
/// Columns in one piece. Its bytes, with all bits of the signatures, fill a page of SQLite or half a page of
/// PostgreSQL.
pub const GROUP: usize = 128;

/// The number of a piece within its run or segment.
pub type PieceNumber = i32;
const VALUES: PieceNumber = 1 << 26;
const WIDE_BLOCKS: PieceNumber = 1 << 27;
const WORDS: PieceNumber = WIDE_BLOCKS + (1 << 26);
/// Pieces below belong to the directories.
pub const DIRECTORIES_END: PieceNumber = 1 << 28;
const LARGE: PieceNumber = DIRECTORIES_END;
const GROUPS: PieceNumber = 1 << 29;
/// The piece with the first time of each group.
pub const TIMES: PieceNumber = 1 << 30;

/// The piece with a part of a directory.
pub fn part_piece(kind: Kind, part: usize) -> PieceNumber {
    let first = match kind {
        Kind::Blocks => 0,
        Kind::Values => VALUES,
        Kind::WideBlocks => WIDE_BLOCKS,
    };
    first + part as PieceNumber
}

/// The piece with a part of the dictionary of words.
pub fn words_piece(part: usize) -> PieceNumber {
    WORDS + part as PieceNumber
}

/// What is in a piece of a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Directory(Kind, usize),
    Words(usize),
}

/// The part in a piece that [`part_piece`] or [`words_piece`] names.
pub fn part_of_piece(piece: PieceNumber) -> Part {
    match piece {
        WORDS.. => Part::Words((piece - WORDS) as usize),
        WIDE_BLOCKS.. => Part::Directory(Kind::WideBlocks, (piece - WIDE_BLOCKS) as usize),
        VALUES.. => Part::Directory(Kind::Values, (piece - VALUES) as usize),
        _ => Part::Directory(Kind::Blocks, piece as usize),
    }
}

/// The piece with the nth set of a run that is too large for the directory.
pub fn large_piece(nth: u32) -> PieceNumber {
    LARGE + nth as PieceNumber
}

pub fn group_piece(group: usize) -> PieceNumber {
    GROUPS + group as PieceNumber
}

/// The extent of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Never reused in a workspace, so that a cached piece never changes. Runs and segments are numbered together.
    pub number: i32,
    pub first_seq: i64,
    pub last_seq: i64,
    /// Microseconds since 1970.
    pub first_time: i64,
    pub last_time: i64,
}

impl Run {
    pub fn columns(&self) -> usize {
        (self.last_seq - self.first_seq + 1) as usize
    }

    pub fn groups(&self) -> usize {
        self.columns().div_ceil(GROUP)
    }
}

/// Runs whose directories are one, by seq. A segment of one run has its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub number: i32,
    pub level: Level,
    pub runs: Vec<Run>,
}

impl Segment {
    pub fn first_seq(&self) -> i64 {
        self.runs.first().map_or(0, |run| run.first_seq)
    }

    pub fn last_seq(&self) -> i64 {
        self.runs.last().map_or(0, |run| run.last_seq)
    }

    pub fn first_time(&self) -> i64 {
        self.runs.iter().map(|run| run.first_time).min().unwrap_or_default()
    }

    pub fn last_time(&self) -> i64 {
        self.runs.iter().map(|run| run.last_time).max().unwrap_or_default()
    }

    /// The first and the last time.
    pub fn times(&self) -> (i64, i64) {
        (self.first_time(), self.last_time())
    }

    /// The numbers in its directory are below this one.
    pub fn universe(&self, kind: Kind) -> u32 {
        self.runs.len() as u32 * kind.numbers()
    }
}

/// One bit per block or column.
pub type Words = Vec<u64>;

/// Sets the bits of those columns of a large set that are below `end`, and perhaps others.
pub fn add_large_set(piece: &[u8], end: usize, words: &mut [u64]) {
    // A damaged one has fewer.
    let _ = posting::add_bits(&mut Reader { bytes: piece, at: 0 }, MOST_COLUMNS as u32, end as u32, words);
}

/// The bytes of a group: the time of its first and last column, the distance of each column's seq to the run's first,
/// for each bit of a signature the bits of the columns, and the time of every eighth column as a fraction of the time between
/// the first and the last one, rounded down. Late events are together in the first groups of a run, which then last weeks.
pub fn write_group(times: &[i64], places: &[u16], signatures: &[[u64; SIGNATURE_WORDS]]) -> Vec<u8> {
    let (first, last) =
        (times.first().copied().unwrap_or_default(), times.last().copied().unwrap_or_default());
    let mut bytes = Vec::with_capacity(FRACTIONS_AT + GROUP / EIGHT * 2);
    bytes.extend(first.to_le_bytes());
    bytes.extend(last.to_le_bytes());
    bytes.extend(places.iter().flat_map(|place| place.to_le_bytes()));
    bytes.resize(BITS_AT, 0);
    bytes.resize(FRACTIONS_AT, 0);
    for (half, signatures) in signatures.chunks(64).enumerate() {
        for word in 0..SIGNATURE_WORDS {
            let mut square = [0; 64];
            square.iter_mut().zip(signatures).for_each(|(row, signature)| *row = signature[word]);
            transpose(&mut square);
            for (bit, columns) in square.into_iter().enumerate().take(BITS.saturating_sub(word * 64)) {
                let at = BITS_AT + (word * 64 + bit) * GROUP / 8 + half * 8;
                bytes[at..at + 8].copy_from_slice(&columns.to_le_bytes());
            }
        }
    }
    let span = (i128::from(last) - i128::from(first)).max(1);
    for time in times.iter().step_by(EIGHT) {
        let fraction = (i128::from(*time) - i128::from(first)) * i128::from(WHOLE) / span;
        bytes.extend((fraction as u16).to_le_bytes());
    }
    bytes
}

/// Words for all bits of a column.
pub const SIGNATURE_WORDS: usize = BITS.div_ceil(64);
const PLACES_AT: usize = 16;
const BITS_AT: usize = PLACES_AT + GROUP * 2;
const FRACTIONS_AT: usize = BITS_AT + BITS * GROUP / 8;
/// Columns whose times are known about.
pub const EIGHT: usize = 8;
/// The fraction that is the whole time of a group.
const WHOLE: u16 = u16::MAX;

/// A group as it is stored.
#[derive(Clone, Copy)]
pub struct Group<'a>(pub &'a [u8]);

impl Group<'_> {
    /// First and last time of its columns.
    pub fn times(self) -> Option<(i64, i64)> {
        Some((u64_at(self.0, 0)? as i64, u64_at(self.0, 8)? as i64))
    }

    /// Times between which the nth eight columns are.
    pub fn times_of_eight(self, nth: usize) -> Option<(i64, i64)> {
        let (first, last) = self.times()?;
        let span = i128::from(last) - i128::from(first);
        let fraction = |nth: usize| u16_at(self.0, FRACTIONS_AT + nth * 2).map(i128::from);
        let from = i128::from(first) + span * fraction(nth)? / i128::from(WHOLE);
        // The next eight begin before the next fraction.
        let until =
            fraction(nth + 1).map(|next| i128::from(first) + span * (next + 1) / i128::from(WHOLE) + 1);
        Some((from as i64, until.map_or(last, |until| until.min(last.into()) as i64)))
    }

    /// The distance of a column's seq to the run's first.
    pub fn place(self, column: usize) -> Option<u16> {
        u16_at(self.0, PLACES_AT + column * 2)
    }

    /// Of these columns, those that have all of these bits.
    pub fn with_bits(self, columns: u128, bits: &[u16]) -> u128 {
        bits.iter().fold(columns, |columns, bit| {
            let at = BITS_AT + usize::from(*bit) * GROUP / 8;
            let low = u64_at(self.0, at).unwrap_or_default();
            let high = u64_at(self.0, at + 8).unwrap_or_default();
            columns & (u128::from(high) << 64 | u128::from(low))
        })
    }
}

/// The piece with the first time of each group, as distances from one to the next.
pub fn write_times(times: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(times.len() * 4 + 8);
    let mut before = 0;
    for time in times {
        // The first one may be any number; the others ascend.
        varint::write(&mut bytes, time.wrapping_sub(before) as u64);
        before = *time;
    }
    bytes
}

pub fn read_times(bytes: &[u8]) -> Vec<i64> {
    let mut reader = Reader { bytes, at: 0 };
    let mut before = 0_i64;
    std::iter::from_fn(|| {
        before = before.wrapping_add(reader.varint()? as i64);
        Some(before)
    })
    .collect()
}

/// Bit b of word w becomes bit w of word b, by halves: Warren, Hacker's Delight, 7-3.
fn transpose(square: &mut [u64; 64]) {
    let mut mask = u64::from(u32::MAX);
    let mut half = 32;
    while half > 0 {
        for word in (0..64).filter(|word| word & half == 0) {
            let swapped = (square[word] >> half ^ square[word + half]) & mask;
            square[word] ^= swapped << half;
            square[word + half] ^= swapped;
        }
        half /= 2;
        mask ^= mask << half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_eight_columns_of_a_group_are_within_their_times() {
        let week = 7 * 86_400_000_000_i64;
        // Late events, then those of some seconds; all at once; from one end of time to the other; and a part of a group.
        let late = (0..100).map(|n| n * week / 20).chain((0..28).map(|n| 5 * week + n * 1_000_003)).collect();
        let ends = (0..127).map(|n| i64::MIN + n).chain([i64::MAX]).collect();
        for times in [late, vec![7; GROUP], ends, vec![3, 4, 9], vec![5]] as [Vec<i64>; 5] {
            let places = vec![0; times.len()];
            let bytes = write_group(&times, &places, &vec![[0; SIGNATURE_WORDS]; times.len()]);
            let group = Group(&bytes);
            assert_eq!(group.times(), Some((times[0], times[times.len() - 1])));
            for (nth, eight) in times.chunks(EIGHT).enumerate() {
                let (from, until) = group.times_of_eight(nth).expect("times");
                assert!(eight.iter().all(|time| (from..=until).contains(time)), "{from} {eight:?} {until}");
                let widest = (times[times.len() - 1].abs_diff(times[0]) / 65_535 + 1) * 2;
                let next = times.get((nth + 1) * EIGHT).copied().unwrap_or(until);
                assert!(eight[0].abs_diff(from) <= widest && until.abs_diff(next) <= widest);
            }
            assert_eq!(group.times_of_eight(times.len().div_ceil(EIGHT)), None);
        }
    }
}
