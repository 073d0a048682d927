//! A segment: the index of up to 64,512 events that follow each other by seq.
//!
//! Its events stand in time order, a *column* each, and 32 columns are a *block*. A segment is kept in pieces, so that a
//! question reads only those that it needs:
//!
//! ```text
//! slice b        one bit of every column: is bit b of its signature set?           8 KiB
//! directory d    which blocks have which keys, for a 1,024th of all keys           2 KiB
//! times          the time of each block's first event                            16 KiB
//! order c        the seqs of 4,032 columns, as distances to the first seq          8 KiB
//! ```

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    posting::{read_posting, u16_at, u32_at, u64_at, write_posting},
    signature::{BITS, Mark, Plan, Term},
};

/// The number of this format, and of what `signature` makes of an event. Whatever changes a stored byte, or which bits and
/// keys an event has, takes the next number; then upkeep makes every index anew. A test in `format.rs` watches over it.
pub const FORMAT: i32 = 1;
/// Columns of the largest segment: a slice with its row's head just fits a page of PostgreSQL, which would otherwise store it
/// in five parts elsewhere.
pub const MOST_COLUMNS: usize = 63 * SMALL_COLUMNS;
/// Columns of a segment that is written soon after its events.
pub const SMALL_COLUMNS: usize = 1024;
/// Columns that share their keys: a half word of a slice.
pub const BLOCK: usize = 32;
/// Columns in one piece of the order.
const ORDER_COLUMNS: usize = 4032;

/// Which piece of a segment.
pub type PieceNumber = i32;
const DIRECTORY: PieceNumber = 1000;
pub const TIMES: PieceNumber = 3000;
const ORDER: PieceNumber = 3001;
/// All other pieces together, of a small segment.
pub const PACKED: PieceNumber = 4000;

pub fn slice_piece(bit: u16) -> PieceNumber {
    PieceNumber::from(bit)
}

/// The pieces of the order that have any of these columns.
pub fn order_pieces(columns: &[u64]) -> Vec<PieceNumber> {
    let words = columns.iter().enumerate().filter(|(_, word)| **word != 0);
    let mut pieces: Vec<_> = words.map(|(n, _)| order_piece(n * 64)).collect();
    pieces.dedup();
    pieces
}

pub fn order_piece(column: usize) -> PieceNumber {
    ORDER + (column / ORDER_COLUMNS) as PieceNumber
}

/// A segment with its pieces, by number.
pub type Made = (Segment, Vec<(PieceNumber, Vec<u8>)>);

/// What every segment says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Never given twice in a workspace, so that a piece that was read once never changes.
    pub number: i32,
    pub first_seq: i64,
    pub last_seq: i64,
    /// Microseconds since 1970.
    pub first_time: i64,
    pub last_time: i64,
}

impl Segment {
    pub fn columns(&self) -> usize {
        (self.last_seq - self.first_seq + 1) as usize
    }

    pub fn is_small(&self) -> bool {
        self.columns() <= SMALL_COLUMNS
    }

    pub fn blocks(&self) -> usize {
        self.columns().div_ceil(BLOCK)
    }

    /// Parts of the directory: so many that each is some 2 KiB.
    fn directory_bits(&self) -> u32 {
        if self.is_small() { 4 } else { 10 }
    }

    pub fn directory_piece(&self, key: u32) -> PieceNumber {
        DIRECTORY + (key >> (32 - self.directory_bits())) as PieceNumber
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u32(&mut self, key: u32) {
        // The table takes its place from the low bits and its tag from the high ones.
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Blocks that have a key, in the order in which they were seen.
#[derive(Default)]
struct Posting(Vec<u16>);

/// A segment in the making.
pub struct Building {
    segment: Segment,
    /// The slices of all bits, one after the other.
    slices: Vec<u8>,
    postings: HashMap<u32, Posting, BuildHasherDefault<KeyHasher>>,
    /// Column of each seq, by its distance to the first.
    column_of: Vec<u16>,
    times: Vec<i64>,
    order: Vec<u16>,
}

impl Building {
    /// `times` are those of the events from `first_seq` on, in order of seq, without gaps.
    pub fn new(number: i32, first_seq: i64, times: &[i64]) -> Self {
        let mut order: Vec<u16> = (0..times.len() as u16).collect();
        // Stable: equal times stay in order of seq.
        order.sort_by_key(|place| times[usize::from(*place)]);
        let time_at = |column: usize| order.get(column).map_or(0, |place| times[usize::from(*place)]);
        let segment = Segment {
            number,
            first_seq,
            last_seq: first_seq + times.len() as i64 - 1,
            first_time: time_at(0),
            last_time: time_at(times.len().saturating_sub(1)),
        };
        let mut column_of = vec![0; times.len()];
        for (column, place) in order.iter().enumerate() {
            column_of[usize::from(*place)] = column as u16;
        }
        Self {
            slices: vec![0; usize::from(BITS) * slice_bytes(&segment)],
            postings: HashMap::default(),
            column_of,
            times: (0..segment.blocks()).map(|block| time_at(block * BLOCK)).collect(),
            order,
            segment,
        }
    }

    /// Adds a mark of the event with this seq.
    pub fn mark(&mut self, seq: i64, mark: Mark) {
        let column = self.column_of[(seq - self.segment.first_seq) as usize];
        match mark {
            Mark::Bit(bit) => {
                let place = usize::from(bit) * slice_bytes(&self.segment) + usize::from(column / 8);
                self.slices[place] |= 1 << (column % 8);
            }
            Mark::Key(key) => {
                let block = column / BLOCK as u16;
                let posting = &mut self.postings.entry(key).or_default().0;
                // Neighbours in seq are mostly neighbours in time: this leaves few doubles for the end.
                if posting.last() != Some(&block) {
                    posting.push(block);
                }
            }
        }
    }

    /// The segment and its pieces. Empty ones are left out.
    pub fn finish(self) -> Made {
        let Self { segment, slices, postings, column_of: _, times, order } = self;
        let mut pieces: Vec<(PieceNumber, Vec<u8>)> = Vec::new();
        for (bit, slice) in slices.chunks(slice_bytes(&segment)).enumerate() {
            if slice.iter().any(|byte| *byte != 0) {
                pieces.push((slice_piece(bit as u16), slice.to_vec()));
            }
        }
        let mut postings: Vec<(u32, Vec<u16>)> = postings.into_iter().map(|(key, p)| (key, p.0)).collect();
        postings.sort_unstable_by_key(|(key, _)| *key);
        for (key, mut blocks) in postings {
            blocks.sort_unstable();
            blocks.dedup();
            let number = segment.directory_piece(key);
            if pieces.last().is_none_or(|(last, _)| *last != number) {
                pieces.push((number, Vec::new()));
            }
            if let Some((_, piece)) = pieces.last_mut() {
                write_posting(piece, key, &blocks, segment.blocks());
            }
        }
        pieces.push((TIMES, times.iter().flat_map(|time| time.to_le_bytes()).collect()));
        for (part, order) in order.chunks(ORDER_COLUMNS).enumerate() {
            let bytes = order.iter().flat_map(|place| place.to_le_bytes()).collect();
            pieces.push((order_piece(part * ORDER_COLUMNS), bytes));
        }
        if segment.is_small() {
            pieces = vec![(PACKED, pack(&pieces))];
        }
        (segment, pieces)
    }
}

/// Bytes of a slice: whole words.
fn slice_bytes(segment: &Segment) -> usize {
    segment.columns().div_ceil(64) * 8
}

/// One piece of all: how many, then number and length of each, then their bytes.
fn pack(pieces: &[(PieceNumber, Vec<u8>)]) -> Vec<u8> {
    let mut packed = (pieces.len() as u32).to_le_bytes().to_vec();
    for (number, piece) in pieces {
        packed.extend(number.to_le_bytes());
        packed.extend((piece.len() as u32).to_le_bytes());
    }
    pieces.iter().for_each(|(_, piece)| packed.extend(piece));
    packed
}

/// A piece within a packed one.
pub fn unpack(packed: &[u8], wanted: PieceNumber) -> Option<&[u8]> {
    let count = u32_at(packed, 0)? as usize;
    let mut start = 4 + count * 8;
    for entry in 0..count {
        let length = u32_at(packed, 8 + entry * 8)? as usize;
        if u32_at(packed, 4 + entry * 8)? == wanted as u32 {
            return packed.get(start..start + length);
        }
        start += length;
    }
    None
}

/// Bits of a word that blocks or columns have.
pub type Words = Vec<u64>;

/// The blocks of a segment in which an event may be that is asked for.
pub fn candidate_blocks<'a>(
    segment: &Segment,
    plan: &Plan,
    piece: &mut impl FnMut(PieceNumber) -> Option<&'a [u8]>,
) -> Words {
    let blocks = segment.blocks();
    let all = ones(blocks);
    combine(plan, &all, |term| {
        if term.keys.is_empty() {
            return None;
        }
        let mut found = all.clone();
        for key in &term.keys {
            let mut words = vec![0; all.len()];
            if let Some(piece) = piece(segment.directory_piece(*key)) {
                read_posting(piece, *key, blocks, &mut words);
            }
            and(&mut found, &words);
        }
        Some(found)
    })
}

/// The columns of those blocks that may be asked for.
pub fn candidate_columns<'a>(
    segment: &Segment,
    plan: &Plan,
    blocks: &[u64],
    piece: &mut impl FnMut(PieceNumber) -> Option<&'a [u8]>,
) -> Words {
    let mut all = ones(segment.columns());
    for (n, word) in all.iter_mut().enumerate() {
        // Two blocks a word.
        let pair = blocks[n / 32] >> (n % 32 * 2);
        *word &= (if pair & 1 == 0 { 0 } else { 0xffff_ffff })
            | (if pair & 2 == 0 { 0 } else { 0xffff_ffff << 32 });
    }
    combine(plan, &all, |term| {
        let mut found = all.clone();
        for bit in &term.bits {
            match piece(slice_piece(*bit)) {
                Some(slice) => {
                    for (n, word) in found.iter_mut().enumerate() {
                        *word &= u64_at(slice, n * 8).unwrap_or_default();
                    }
                }
                None => return Some(vec![0; found.len()]),
            }
        }
        Some(found)
    })
}

/// All groups of a plan, of each any term. A term that says nothing (None) lets everything through.
fn combine(plan: &Plan, all: &Words, mut find: impl FnMut(&Term) -> Option<Words>) -> Words {
    let mut left = all.clone();
    for group in &plan.groups {
        let mut any: Words = vec![0; all.len()];
        for term in group {
            match find(term) {
                Some(found) => any.iter_mut().zip(found).for_each(|(any, found)| *any |= found),
                None => any.clone_from(all),
            }
        }
        and(&mut left, &any);
    }
    left
}

fn and(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
}

fn ones(count: usize) -> Words {
    let mut words = vec![u64::MAX; count.div_ceil(64)];
    if !count.is_multiple_of(64)
        && let Some(last) = words.last_mut()
    {
        *last = (1 << (count % 64)) - 1;
    }
    words
}

/// The time of a block's first event.
pub fn block_time(times: &[u8], block: usize) -> Option<i64> {
    u64_at(times, block * 8).map(|time| time as i64)
}

/// The seq of a column, from the piece of the order that has it.
pub fn seq_at(segment: &Segment, order: &[u8], column: usize) -> Option<i64> {
    u16_at(order, column % ORDER_COLUMNS * 2).map(|place| segment.first_seq + i64::from(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_found_by_its_number() {
        let pieces = [(0, vec![7; 3]), (516, Vec::new()), (1000, vec![1, 2]), (TIMES, vec![0; 300])];
        let packed = pack(&pieces);
        for (number, piece) in &pieces {
            assert_eq!(unpack(&packed, *number), Some(piece.as_slice()), "{number}");
        }
        assert_eq!(unpack(&packed, 1), None);
        assert_eq!(unpack(&pack(&[]), 0), None);
        // What is cut off is missing, and never a panic.
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length], TIMES), None);
        }
    }
}
