//! What the index stores of an event's texts.
//!
//! An event leaves two kinds of marks:
//! - **keys** of runs of bytes in its normalized texts, each together with the log, exactly for each block of 32 events
//!   or group of 128: a block has no key that none of its events has. [`Runs::each`] says of which runs.
//! - **bits**, stored for each event: one for most runs of three bytes. Different runs may share a bit, so a bit that is
//!   set means "maybe".
//!
//! The keys find the blocks that may have an event, the bits say which of a block's 32 it may be. The signatures are
//! those of BitFunnel (Goodwin et al., SIGIR 2017).
//!
//! Sizes per event, measured on the events of the bench, keys in blocks of 32 unless it says otherwise: one byte 0.5,
//! two 7, three 17 (with hexadecimal ones, of which every block has half: 42; in groups of 128: 10), four letters 11,
//! five letters 9, four hexadecimal digits in groups 23, two letters each side of a space 7.

use super::directory::Kind;
use crate::event::Log;

/// Bits of a signature. With 290 bytes of text, half of them are set, which is when they say most.
pub const BITS: usize = 232;

/// Bits that are checked for one text, at most.
const MOST_BITS: usize = 20;
/// Keys that are looked up for one text, at most, in blocks and in groups.
const MOST_KEYS: usize = 8;
const MOST_GROUP_KEYS: usize = 6;

/// The finalizer of SplitMix64 (Steele et al., OOPSLA 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What a run of bytes is, and so where its key is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    Two,
    Three,
    /// Three of a UUID: in groups.
    ThreeHex,
    FourLetters,
    /// Four of a UUID or of a number: in groups.
    FourHex,
    FiveLetters,
    /// Two letters, a sign, two letters: where two words meet.
    Pair,
}

impl Shape {
    fn kind(self) -> Kind {
        match self {
            Self::ThreeHex | Self::FourHex => Kind::Groups,
            _ => Kind::Blocks,
        }
    }

    fn has_bit(self) -> bool {
        matches!(self, Self::Three | Self::FourHex)
    }
}

/// The key of a hash: the half that [`bit`] does not use.
fn key(hash: u64) -> u32 {
    hash as u32
}

fn bit(hash: u64) -> u16 {
    (((hash >> 32 & 0xffff) * BITS as u64) >> 16) as u16
}

/// The runs of a text, which is pushed byte by byte.
#[derive(Default)]
struct Runs {
    /// The last eight bytes, the newest lowest.
    last: u64,
    /// How many bytes were pushed.
    length: usize,
    /// How many of the last bytes are letters without a break; hexadecimal digits; those and hyphens.
    letters: usize,
    digits: usize,
    of_uuid: usize,
}

impl Runs {
    /// Adds a byte, and passes the shape and hash of each run that it ends to `visit`. The log is part of the hash, since
    /// a word that is common in one log may be rare in another.
    #[inline]
    fn each(&mut self, log: Log, byte: u8, mut visit: impl FnMut(Shape, u64)) {
        let class = CLASSES[usize::from(byte)];
        self.last = self.last << 8 | u64::from(byte);
        self.length += 1;
        self.letters = if class & LETTER != 0 { self.letters + 1 } else { 0 };
        self.digits = if class & DIGIT != 0 { self.digits + 1 } else { 0 };
        self.of_uuid = if class & (DIGIT | HYPHEN) != 0 { self.of_uuid + 1 } else { 0 };
        let mut found = |shape: Shape, length: u32| {
            let bytes = self.last & (u64::MAX >> (64 - 8 * length));
            visit(shape, mix((log.number() as u64) << 56 | u64::from(length) << 48 | bytes));
        };
        found(Shape::One, 1);
        if self.length < 2 {
            return;
        }
        found(Shape::Two, 2);
        if self.length < 3 {
            return;
        }
        found(if self.of_uuid >= 3 { Shape::ThreeHex } else { Shape::Three }, 3);
        if self.letters >= 4 {
            found(Shape::FourLetters, 4);
            if self.letters >= 5 {
                found(Shape::FiveLetters, 5);
            }
        } else if self.digits >= 4 {
            found(Shape::FourHex, 4);
        } else if self.letters == 2 && self.length >= 5 {
            let class_of = |back: u32| CLASSES[usize::from((self.last >> (8 * back)) as u8)];
            if class_of(2) & (LETTER | DIGIT) == 0 && class_of(3) & class_of(4) & LETTER != 0 {
                found(Shape::Pair, 5);
            }
        }
    }
}

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const HYPHEN: u8 = 4;

/// Letters (every byte of one beyond ASCII is at least 0x80), hexadecimal digits, and the hyphen.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'f' => LETTER | DIGIT,
            b'g'..=b'z' | 0x80.. => LETTER,
            b'0'..=b'9' => DIGIT,
            b'-' => HYPHEN,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Passes the keys and bits of a normalized text to `add_key` and `add_bit`, some of them more than once.
#[inline]
pub fn marks(log: Log, text: &[u8], mut add_key: impl FnMut(Kind, u32), mut add_bit: impl FnMut(u16)) {
    let mut runs = Runs::default();
    for byte in text {
        runs.each(log, *byte, |shape, hash| {
            add_key(shape.kind(), key(hash));
            if shape.has_bit() {
                add_bit(bit(hash));
            }
        });
    }
}

/// The marks of every event that has a text which contains this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextMarks {
    /// The most selective ones first.
    pub blocks: Vec<u32>,
    pub groups: Vec<u32>,
    pub bits: Vec<u16>,
}

impl TextMarks {
    pub fn new(log: Log, normalized: &[u8]) -> Self {
        let mut all: Vec<(Shape, u64)> = Vec::new();
        let mut runs = Runs::default();
        normalized.iter().for_each(|byte| runs.each(log, *byte, |shape, hash| all.push((shape, hash))));
        let of = |shape: Shape| -> Vec<u64> {
            all.iter().filter(|(other, _)| *other == shape).map(|(_, hash)| *hash).collect()
        };
        let mut blocks = Vec::new();
        // Longer runs are more selective. Shorter ones are for where letters, digits and others meet.
        for (shape, most) in
            [(Shape::FiveLetters, 4), (Shape::Pair, 2), (Shape::FourLetters, 4), (Shape::Three, MOST_KEYS)]
        {
            blocks.extend(spaced(&of(shape), (MOST_KEYS - blocks.len()).min(most)));
        }
        let mut groups = spaced(&of(Shape::FourHex), MOST_GROUP_KEYS);
        if blocks.is_empty() && groups.len() < 2 {
            groups.extend(spaced(&of(Shape::ThreeHex), MOST_GROUP_KEYS / 2));
        }
        if normalized.len() < 3 {
            blocks = of(if normalized.len() == 1 { Shape::One } else { Shape::Two });
        }
        // The first two are looked up first. They are taken from far apart in the text.
        for keys in [&mut blocks, &mut groups] {
            if keys.len() > 2 {
                let middle = keys.len() / 2;
                keys.swap(1, middle);
            }
        }
        let with_bits: Vec<u64> =
            all.iter().filter(|(shape, _)| shape.has_bit()).map(|(_, hash)| *hash).collect();
        let mut bits: Vec<u16> = spaced(&with_bits, MOST_BITS).into_iter().map(bit).collect();
        bits.sort_unstable();
        bits.dedup();
        let keys = |hashes: Vec<u64>| hashes.into_iter().map(key).collect();
        Self { blocks: keys(blocks), groups: keys(groups), bits }
    }

    /// The keys in one directory.
    pub fn keys(&self, kind: Kind) -> &[u32] {
        match kind {
            Kind::Groups => &self.groups,
            _ => &self.blocks,
        }
    }
}

/// At most `most` of them, evenly spaced from the first to the last.
fn spaced(all: &[u64], most: usize) -> Vec<u64> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).map(|n| all[n * (all.len() - 1) / (most - 1).max(1)]).collect()
}
