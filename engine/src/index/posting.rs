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
enum Stored<'a> {
    /// Of its numbers, or of those that it lacks.
    Gaps(Gaps<'a>, Form),
    Bitmap(&'a [u8]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    Lacking,
}

impl<'a> Stored<'a> {
    /// None when the bytes are damaged. `reader` is then at the codes, or behind a set whose length is known.
    fn open(reader: &mut Reader<'a>, universe: u32) -> Option<Self> {
        let head = reader.varint()?;
        let (count, form) = (head >> 2, head & 3);
        if form == BITMAP {
            return reader.take(universe.div_ceil(8) as usize).map(Self::Bitmap);
        }
        if count > u64::from(universe) {
            return None;
        }
        let bytes = if count > FEW { reader.slice()? } else { reader.bytes.get(reader.at..)? };
        let codes = BitReader::new(bytes, remainder_bits(count, universe));
        let form = if form == LIST { Form::List } else { Form::Lacking };
        Some(Self::Gaps(Gaps { count, codes, universe }, form))
    }
}

/// The gaps of a set.
struct Gaps<'a> {
    count: u64,
    codes: BitReader<'a>,
    universe: u32,
}

impl Gaps<'_> {
    /// Passes the numbers below `end` on, in ascending order, and moves the reader behind all of them. None when the bytes are
    /// damaged.
    #[inline]
    fn each(mut self, reader: &mut Reader<'_>, end: u32, mut number_is: impl FnMut(u32)) -> Option<()> {
        let mut next = 0_u32;
        for _ in 0..self.count {
            let number = next.checked_add(self.codes.code()?).filter(|number| *number < self.universe)?;
            // Only few have no length, and end where their codes do.
            if number >= end && self.count > FEW {
                return Some(());
            }
            number_is(number);
            next = number + 1;
        }
        self.end(reader)
    }

    /// Sets the bits of a set whose codes have no remainders: they are a one for each number that is passed over, and a zero for
    /// the next number of the gaps.
    fn add_unary(self, form: Form, words: &mut [u64]) -> Option<()> {
        let bytes = self.codes.bytes;
        let zeros: u64 = bytes.iter().map(|byte| u64::from(byte.count_zeros())).sum();
        // Behind the last code zeros fill the last byte.
        let length = (bytes.len() * 8).checked_sub(zeros.checked_sub(self.count)? as usize)?;
        let all = self.universe as usize;
        if length > all {
            return None;
        }
        let below = |end: usize, from: usize| match end.saturating_sub(from) {
            64.. => u64::MAX,
            few => (1 << few) - 1,
        };
        for ((n, word), eight) in
            words.iter_mut().enumerate().zip(bytes.chunks(8).chain(std::iter::repeat(&[][..])))
        {
            if n * 64 >= all {
                break;
            }
            let ones = little_endian(eight);
            let of_gaps = !ones & below(length, n * 64);
            *word |= if form == Form::List { of_gaps } else { !of_gaps & below(all, n * 64) };
        }
        Some(())
    }

    fn end(self, reader: &mut Reader<'_>) -> Option<()> {
        if self.count <= FEW {
            reader.take(self.codes.at.div_ceil(8))?;
            return Some(());
        }
        (self.codes.at <= self.codes.bytes.len() * 8).then_some(())
    }
}

/// Reads a set of numbers below `universe`, in ascending order. None when the bytes are damaged.
pub fn read(reader: &mut Reader<'_>, universe: u32) -> Option<Vec<u32>> {
    match Stored::open(reader, universe)? {
        Stored::Bitmap(bitmap) => {
            let is_set = |number: &u32| bitmap[*number as usize / 8] >> (number % 8) & 1 == 1;
            Some((0..universe).filter(is_set).collect())
        }
        Stored::Gaps(gaps, form) => {
            let most = gaps.codes.bytes.len() * 8;
            let mut numbers = Vec::with_capacity((gaps.count as usize).min(most));
            gaps.each(reader, universe, |number| numbers.push(number))?;
            if form == Form::List {
                return Some(numbers);
            }
            let mut lacking = numbers.into_iter().peekable();
            Some((0..universe).filter(|number| lacking.next_if_eq(number).is_none()).collect())
        }
    }
}

/// Reads a set as [`read`] does, and sets the bit of each of its numbers below `end`; those of others may be set or not. Bits
/// beyond the words are left out.
pub fn add_bits(reader: &mut Reader<'_>, universe: u32, end: u32, words: &mut [u64]) -> Option<()> {
    let of = |number: u32| (number as usize / 64, 1_u64 << (number % 64));
    match Stored::open(reader, universe)? {
        Stored::Bitmap(bitmap) => {
            for (word, eight) in words.iter_mut().zip(bitmap.chunks(8)) {
                *word |= little_endian(eight);
            }
            Some(())
        }
        Stored::Gaps(gaps, form) if gaps.codes.bits == 0 && gaps.count > FEW => gaps.add_unary(form, words),
        Stored::Gaps(gaps, Form::List) => gaps.each(reader, end, |number| {
            let (at, bit) = of(number);
            if let Some(word) = words.get_mut(at) {
                *word |= bit;
            }
        }),
        Stored::Gaps(gaps, Form::Lacking) => {
            let mut all = ones(universe as usize);
            gaps.each(reader, end, |number| {
                let (at, bit) = of(number);
                all[at] &= !bit;
            })?;
            words.iter_mut().zip(all).for_each(|(word, other)| *word |= other);
            Some(())
        }
    }
}

/// Moves past a set. None when the bytes are damaged.
#[inline]
pub fn skip(reader: &mut Reader<'_>, universe: u32) -> Option<()> {
    if let Stored::Gaps(mut gaps, _) = Stored::open(reader, universe)?
        && gaps.count <= FEW
    {
        for _ in 0..gaps.count {
            gaps.codes.code()?;
        }
        gaps.end(reader)?;
    }
    Some(())
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
    /// The next bits; zeros after the end.
    word: u64,
    /// How many of them are in `word`.
    left: u32,
    /// Of a remainder.
    bits: u32,
}

impl<'a> BitReader<'a> {
    fn new(bytes: &'a [u8], bits: u32) -> Self {
        Self { bytes, at: 0, word: 0, left: 0, bits }
    }

    /// The next 57 bits or more; zeros after the end.
    #[inline]
    fn fill(&mut self) {
        let start = self.at / 8;
        let word = match self.bytes.get(start..start + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().unwrap_or_default()),
            None => {
                let rest = self.bytes.get(start..).unwrap_or_default();
                little_endian(rest)
            }
        };
        self.word = word >> (self.at % 8);
        self.left = 64 - (self.at % 8) as u32;
    }

    /// The next code. Past the end there are zeros, which whoever reads finds out by `at`.
    #[inline]
    fn code(&mut self) -> Option<u32> {
        let mut ones = self.word.trailing_ones();
        if ones + 1 + self.bits > self.left {
            self.fill();
            ones = self.word.trailing_ones();
        }
        let length = ones + 1 + self.bits;
        // Nearly always: the word has the whole code, and the number has 32 bits.
        if length <= 56 && self.bits <= 24 {
            let remainder = (self.word >> (ones + 1)) as u32 & ((1 << self.bits) - 1);
            self.at += length as usize;
            self.word >>= length;
            self.left -= length;
            return Some(ones << self.bits | remainder);
        }
        self.long_code()
    }

    #[cold]
    fn long_code(&mut self) -> Option<u32> {
        let mut quotient = 0;
        loop {
            self.fill();
            let ones = self.word.trailing_ones().min(56);
            quotient += ones;
            self.at += ones as usize;
            if ones < 56 {
                break;
            }
        }
        self.at += 1;
        self.fill();
        let bits = self.bits;
        let remainder = self.word & ((1 << bits) - 1);
        self.at += bits as usize;
        self.left = 0;
        self.word = 0;
        quotient.checked_shl(bits).filter(|high| high >> bits == quotient).map(|high| high | remainder as u32)
    }
}

/// Up to eight bytes as a number.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Little-endian numbers at a place.
pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
