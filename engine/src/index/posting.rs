//! Encodes a set of numbers in few bits: the blocks that have a key, or the events that have a value.
//!
//! A set is stored as the gaps between its numbers, each as a Rice code (Rice 1979): the quotient by a power of two in
//! unary, then the remainder. The power of two follows from how many numbers there are, so it is not stored. A set of
//! more than half of all numbers is stored as what it lacks; where one bit per number is shorter, that is stored.
//!
//! Not Roaring bitmaps: their containers have 16 bits per number and a header of their own. Most sets here have one to
//! three numbers, and there are some hundred thousand of them per million events.
//!
//! ```text
//! count * 4 + form     varint; count is that of the gaps
//! length               varint, in bytes; only with more than FEW gaps
//! bits                 the codes, or one bit per number, the lowest bit of a byte first
//! ```

use crate::varint::{self, Reader};

/// The gaps of the numbers in the set.
const LIST: u64 = 0;
/// The gaps of the numbers that are not in the set.
const LACKING: u64 = 1;
/// One bit per number.
const BITMAP: u64 = 2;
/// Up to this many gaps have no length before them: whoever skips them reads them.
const FEW: u64 = 8;

/// The number of bits of a remainder when `count` gaps cover `universe` numbers: the best one for random gaps
/// (ln 2 times the average gap, as a power of two).
fn remainder_bits(count: u64, universe: u32) -> u32 {
    (u64::from(universe) * 177 / 256).checked_div(count).and_then(u64::checked_ilog2).unwrap_or(0)
}

/// Appends a set of ascending numbers below `universe`, which are not empty.
pub fn write(bytes: &mut Vec<u8>, numbers: &[u32], universe: u32) {
    let all = universe as usize;
    if numbers.len() * 2 <= all {
        write_as(bytes, LIST, numbers.iter().copied(), numbers, universe);
    } else {
        let mut next = numbers.iter().copied().peekable();
        let lacking: Vec<u32> = (0..universe).filter(|number| next.next_if_eq(number).is_none()).collect();
        write_as(bytes, LACKING, lacking.iter().copied(), numbers, universe);
    }
}

fn write_as(
    bytes: &mut Vec<u8>,
    form: u64,
    gaps_of: impl ExactSizeIterator<Item = u32>,
    numbers: &[u32],
    universe: u32,
) {
    let count = gaps_of.len() as u64;
    let bits = remainder_bits(count, universe);
    let mut writer = BitWriter::default();
    let mut next = 0;
    for number in gaps_of {
        writer.code(number - next, bits);
        next = number + 1;
    }
    let codes = writer.finish();
    let bitmap_bytes = universe.div_ceil(8) as usize;
    if codes.len() > bitmap_bytes {
        varint::write(bytes, BITMAP);
        let start = bytes.len();
        bytes.resize(start + bitmap_bytes, 0);
        numbers.iter().for_each(|number| bytes[start + *number as usize / 8] |= 1 << (number % 8));
        return;
    }
    varint::write(bytes, count << 2 | form);
    if count > FEW {
        varint::write(bytes, codes.len() as u64);
    }
    bytes.extend(codes);
}

/// A set as it is stored.
pub enum Set<'a> {
    Numbers(Vec<u32>),
    Lacking(Vec<u32>),
    Bitmap(&'a [u8]),
}

impl Set<'_> {
    /// The numbers of the set, in ascending order.
    pub fn numbers(self, universe: u32) -> Vec<u32> {
        match self {
            Self::Numbers(numbers) => numbers,
            Self::Lacking(lacking) => {
                let mut lacking = lacking.into_iter().peekable();
                (0..universe).filter(|number| lacking.next_if_eq(number).is_none()).collect()
            }
            Self::Bitmap(bitmap) => {
                let is_set = |number: &u32| bitmap[*number as usize / 8] >> (number % 8) & 1 == 1;
                (0..universe).filter(is_set).collect()
            }
        }
    }

    /// Sets the bit of each number of the set. Bits beyond the words are left out.
    pub fn add_to(&self, words: &mut [u64], universe: u32) {
        match self {
            Self::Numbers(numbers) => {
                for number in numbers {
                    if let Some(word) = words.get_mut(*number as usize / 64) {
                        *word |= 1 << (number % 64);
                    }
                }
            }
            Self::Lacking(lacking) => {
                let mut all = ones(universe as usize);
                lacking.iter().for_each(|number| all[*number as usize / 64] &= !(1 << (number % 64)));
                words.iter_mut().zip(all).for_each(|(word, other)| *word |= other);
            }
            Self::Bitmap(bitmap) => {
                for (word, eight) in words.iter_mut().zip(bitmap.chunks(8)) {
                    *word |= eight.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                }
            }
        }
    }
}

/// Reads a set of numbers below `universe`. None when the bytes are damaged.
pub fn read<'a>(reader: &mut Reader<'a>, universe: u32) -> Option<Set<'a>> {
    let head = reader.varint()?;
    let (count, form) = (head >> 2, head & 3);
    if form == BITMAP {
        return reader.take(universe.div_ceil(8) as usize).map(Set::Bitmap);
    }
    if count > u64::from(universe) {
        return None;
    }
    let bits = remainder_bits(count, universe);
    let bytes = if count > FEW { reader.slice()? } else { reader.bytes.get(reader.at..)? };
    let mut codes = BitReader { bytes, at: 0 };
    let mut numbers = Vec::with_capacity((count as usize).min(bytes.len() * 8));
    let mut next = 0_u32;
    for _ in 0..count {
        let number = next.checked_add(codes.code(bits)?).filter(|number| *number < universe)?;
        numbers.push(number);
        next = number + 1;
    }
    if count <= FEW {
        reader.take(codes.at.div_ceil(8))?;
    } else if codes.at > bytes.len() * 8 {
        return None;
    }
    Some(if form == LIST { Set::Numbers(numbers) } else { Set::Lacking(numbers) })
}

/// The lowest `count` bits set.
pub fn ones(count: usize) -> Vec<u64> {
    let mut words = vec![u64::MAX; count.div_ceil(64)];
    if !count.is_multiple_of(64)
        && let Some(last) = words.last_mut()
    {
        *last = (1 << (count % 64)) - 1;
    }
    words
}

/// Moves past a set. None when the bytes are damaged.
pub fn skip(reader: &mut Reader<'_>, universe: u32) -> Option<()> {
    let head = reader.varint()?;
    let (count, form) = (head >> 2, head & 3);
    if form == BITMAP {
        reader.take(universe.div_ceil(8) as usize)?;
    } else if count > FEW {
        reader.slice()?;
    } else {
        let mut few = BitReader { bytes: reader.bytes.get(reader.at..)?, at: 0 };
        let bits = remainder_bits(count, universe);
        for _ in 0..count {
            few.code(bits)?;
        }
        reader.take(few.at.div_ceil(8))?;
    }
    Some(())
}

#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    word: u64,
    /// Bits in `word`, below 8 between two calls.
    used: u32,
}

impl BitWriter {
    fn code(&mut self, gap: u32, bits: u32) {
        let mut quotient = gap.checked_shr(bits).unwrap_or(0);
        while quotient >= 16 {
            self.push(0xffff, 16);
            quotient -= 16;
        }
        // Ones, and a zero that ends them.
        self.push((1 << quotient) - 1, quotient + 1);
        self.push(u64::from(gap) & ((1 << bits) - 1), bits);
    }

    /// At most 32 bits.
    fn push(&mut self, value: u64, bits: u32) {
        self.word |= value << self.used;
        self.used += bits;
        while self.used >= 8 {
            self.bytes.push(self.word as u8);
            self.word >>= 8;
            self.used -= 8;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.used > 0 {
            self.bytes.push(self.word as u8);
        }
        self.bytes
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl BitReader<'_> {
    /// The next 57 bits or more; zeros after the end.
    #[inline]
    fn peek(&self) -> u64 {
        let start = self.at / 8;
        let word = match self.bytes.get(start..start + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().unwrap_or_default()),
            None => {
                let rest = self.bytes.get(start..).unwrap_or_default();
                rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
            }
        };
        word >> (self.at % 8)
    }

    /// The next code. Past the end there are zeros, which whoever reads finds out by `at`.
    #[inline]
    fn code(&mut self, bits: u32) -> Option<u32> {
        let next = self.peek();
        let ones = next.trailing_ones();
        let length = ones + 1 + bits;
        // Nearly always: one look has the whole code, and the number has 32 bits.
        if length <= 56 && bits <= 24 {
            self.at += length as usize;
            return Some(ones << bits | (next >> (ones + 1)) as u32 & ((1 << bits) - 1));
        }
        self.long_code(bits)
    }

    #[cold]
    fn long_code(&mut self, bits: u32) -> Option<u32> {
        let mut quotient = 0;
        loop {
            let ones = self.peek().trailing_ones().min(56);
            quotient += ones;
            self.at += ones as usize;
            if ones < 56 {
                break;
            }
        }
        self.at += 1;
        let remainder = self.peek() & ((1 << bits) - 1);
        self.at += bits as usize;
        quotient.checked_shl(bits).filter(|high| high >> bits == quotient).map(|high| high | remainder as u32)
    }
}

/// Little-endian numbers at a place.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
