//! A segment: the index of up to 64,512 events with consecutive seqs.
//!
//! Its events are *columns* in time order, and 32 columns are a *block*. A segment is stored in pieces, so that a query
//! reads only those that it needs:
//!
//! ```text
//! slice b        one bit of every column: is bit b of its signature set?           8 KiB
//! directory d    which blocks have which keys, for an 8,192nd of all keys        0.8 KiB
//! times          the time of each block's first event                            16 KiB
//! order c        the seqs of 4,032 columns, as distances to the first seq          8 KiB
//! ```

use super::{
    directory::{Address, Directory},
    posting::{read_posting, u16_at, u32_at, u64_at},
    signature::{BITS, Mark, Plan, Term},
};

/// The number of this format, which includes what `signature` makes of an event. A change of any stored byte, or of an
/// event's bits and keys, takes the next number; then a background job rebuilds every index. A test in `format.rs`
/// guards it.
pub const FORMAT: i32 = 2;
/// Columns of the largest segment: a slice with its row's head just fits into a page of PostgreSQL, which would
/// otherwise store it outside the row, in five parts.
pub const MOST_COLUMNS: usize = 63 * SMALL_COLUMNS;
/// Columns of a small segment, which is written soon after its events.
pub const SMALL_COLUMNS: usize = 1024;
/// Columns that share their keys: half a word of a slice.
pub const BLOCK: usize = 32;
/// Words for all bits of a column.
const COLUMN_WORDS: usize = (BITS as usize).div_ceil(64);
/// Columns in one piece of the order.
const ORDER_COLUMNS: usize = 4032;

/// The number of a piece within its segment.
pub type PieceNumber = i32;
const DIRECTORY: PieceNumber = 1000;
/// The piece with the times of the blocks.
pub const TIMES: PieceNumber = 10_000;
const ORDER: PieceNumber = 10_001;
/// All other pieces in one, of a small segment.
pub const PACKED: PieceNumber = 11_000;

/// The piece with the slice of a bit.
pub fn slice_piece(bit: u16) -> PieceNumber {
    PieceNumber::from(bit)
}

/// The pieces of the order that contain any of these columns.
pub fn order_pieces(columns: &[u64]) -> Vec<PieceNumber> {
    let words = columns.iter().enumerate().filter(|(_, word)| **word != 0);
    let mut pieces: Vec<_> = words.map(|(n, _)| order_piece(n * 64)).collect();
    pieces.dedup();
    pieces
}

pub fn order_piece(column: usize) -> PieceNumber {
    ORDER + (column / ORDER_COLUMNS) as PieceNumber
}

/// A segment, and its pieces by number.
pub type Made = (Segment, Vec<(PieceNumber, Vec<u8>)>);

/// The extent of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Never reused in a workspace, so that a cached piece never changes.
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

    /// The number of bits that choose a key's part of the directory. Several parts fit into a page: a key is looked up
    /// in all segments, and on SQLite the parts are stored side by side, so a part should have little beside the key
    /// that is looked up.
    fn directory_bits(&self) -> u32 {
        if self.is_small() { 4 } else { 13 }
    }

    /// The piece with the posting of a key.
    pub fn directory_piece(&self, key: u32) -> PieceNumber {
        DIRECTORY + Address::of(key, self.directory_bits()).part as PieceNumber
    }
}

/// A segment under construction.
pub struct Building {
    segment: Segment,
    /// The bits of each column, [`COLUMN_WORDS`] words per column. An event's bits are kept together until all are
    /// known.
    columns: Vec<u64>,
    keys: Directory,
    /// The column of each seq, by its distance to the first.
    column_of: Vec<u16>,
    times: Vec<i64>,
    order: Vec<u16>,
}

impl Building {
    /// `times` are those of the events from `first_seq` on, by seq, without gaps.
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
            columns: vec![0; COLUMN_WORDS * segment.columns().next_multiple_of(64)],
            keys: Directory::new(segment.directory_bits()),
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
                self.columns[usize::from(column) * COLUMN_WORDS + usize::from(bit / 64)] |= 1 << (bit % 64);
            }
            Mark::Key(key) => self.keys.add(key, column / BLOCK as u16),
        }
    }

    /// The segment and its pieces. Empty ones are left out.
    pub fn finish(self) -> Made {
        let Self { segment, columns, keys, column_of: _, times, order } = self;
        let mut pieces: Vec<(PieceNumber, Vec<u8>)> = Vec::new();
        let slices = slices(&columns).into_iter().enumerate();
        pieces.extend(slices.map(|(bit, slice)| (slice_piece(bit as u16), slice)));
        let directory = keys.finish(segment.blocks()).into_iter().enumerate();
        pieces.extend(directory.map(|(part, piece)| (DIRECTORY + part as PieceNumber, piece)));
        pieces.retain(|(_, piece)| piece.iter().any(|byte| *byte != 0));
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

/// Transposes consecutive columns into slices: for each bit, one word per 64 columns.
fn slices(columns: &[u64]) -> Vec<Vec<u8>> {
    let mut slices = vec![Vec::with_capacity(columns.len() / COLUMN_WORDS / 8); usize::from(BITS)];
    for columns in columns.chunks(COLUMN_WORDS * 64) {
        for (word, slices) in slices.chunks_mut(64).enumerate() {
            let mut square = std::array::from_fn(|column| columns[column * COLUMN_WORDS + word]);
            transpose(&mut square);
            slices.iter_mut().zip(square).for_each(|(slice, columns)| slice.extend(columns.to_le_bytes()));
        }
    }
    slices
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

/// Packs pieces into one: their count, then the number and length of each, then their bytes.
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

/// One bit per block or column.
pub type Words = Vec<u64>;

/// The blocks of a segment that may contain a matching event.
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
            let Address { part: _, suffix } = Address::of(*key, segment.directory_bits());
            if let Some(piece) = piece(segment.directory_piece(*key)) {
                read_posting(piece, suffix, blocks, &mut words);
            }
            and(&mut found, &words);
        }
        Some(found)
    })
}

/// The columns of those blocks that may match.
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

/// Intersects the groups of a plan; a group is the union of its terms. A term that has nothing to check (None) accepts
/// everything.
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
    fn a_bit_of_a_column_is_a_column_of_a_slice() {
        let of = |bit: usize, column: usize| (bit * 31 + column * 17).is_multiple_of(7);
        let mut columns = vec![0; 128 * COLUMN_WORDS];
        let all = || (0..usize::from(BITS)).flat_map(|bit| (0..128).map(move |column| (bit, column)));
        for (bit, column) in all().filter(|(bit, column)| of(*bit, *column)) {
            columns[column * COLUMN_WORDS + bit / 64] |= 1 << (bit % 64);
        }
        let slices = slices(&columns);
        for (bit, column) in all() {
            assert_eq!(slices[bit][column / 8] >> (column % 8) & 1 == 1, of(bit, column), "{bit} {column}");
        }
    }

    #[test]
    fn what_is_packed_is_found_by_its_number() {
        let pieces = [(0, vec![7; 3]), (516, Vec::new()), (1000, vec![1, 2]), (TIMES, vec![0; 300])];
        let packed = pack(&pieces);
        for (number, piece) in &pieces {
            assert_eq!(unpack(&packed, *number), Some(piece.as_slice()), "{number}");
        }
        assert_eq!(unpack(&packed, 1), None);
        assert_eq!(unpack(&pack(&[]), 0), None);
        // Cut-off bytes are missing, and never cause a panic.
        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length], TIMES), None);
        }
    }
}
