//! What the index stores of an event's texts, beside their words ([`words`](super::words)).
//!
//! An event leaves two kinds of marks:
//! - **keys** of runs of bytes in its normalized texts, each together with the log, exactly for each block of 32 or
//!   256 events: a block has no key that none of its events has. [`Runs::push`] says of which runs.
//! - **bits**, stored for each event: one for most runs of three bytes, or four of a UUID, that cannot be inside a word.
//!   Different runs may share a bit, so a bit that is set means "maybe".
//!
//! The keys find the blocks that may have an event, the bits say which of a block's 32 it may be. The signatures are
//! those of BitFunnel (Goodwin et al., SIGIR 2017).

use super::{
    directory::Kind,
    words::{Neighbour, Part, Token, is_joint, pair_of, tokens},
};
use crate::event::Log;

/// Bits of a signature.
pub const BITS: usize = 232;

/// Bits that are checked for one text, at most.
const MOST_BITS: usize = 20;
/// Keys that are looked up for one text, at most, in blocks and in wide blocks.
const MOST_KEYS: usize = 8;
const MOST_WIDE_KEYS: usize = 6;
/// Of keys that the words of a text mostly imply.
const MOST_IMPLIED: usize = 2;
/// Of a word's keys outside of words. Together few blocks have them, and each one costs a read of every segment.
const MOST_OUTSIDE: usize = 3;

/// The finalizer of SplitMix64 (Steele et al., OOPSLA 2014).
pub(super) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What a run of bytes is, and so where its key is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    Two,
    /// Two of a UUID: in wide blocks.
    TwoHex,
    /// Three that may be inside a word.
    ThreeLetters,
    /// Three where a letter meets a sign. They are many and say little, so they have no keys.
    ThreeMeeting,
    Three,
    /// Three of a UUID: in wide blocks.
    ThreeHex,
    /// Four of a UUID, or of another mix of digits and letters: in wide blocks.
    FourHex,
    /// Three and four letters that are not in a word.
    ThreeOutside,
    FourOutside,
    /// With an ideograph.
    Four,
    Five,
    /// Digits around the hyphen of a date.
    Date,
}

impl Shape {
    /// The directory that has its key.
    fn kind(self) -> Option<Kind> {
        match self {
            Self::ThreeMeeting => None,
            Self::TwoHex | Self::ThreeHex | Self::FourHex => Some(Kind::WideBlocks),
            _ => Some(Kind::Blocks),
        }
    }

    fn has_bit(self) -> bool {
        matches!(self, Self::ThreeMeeting | Self::Three | Self::FourHex | Self::Date)
    }
}

/// The key of a hash: the half that [`bit`] does not use.
fn key(hash: u64) -> u32 {
    hash as u32
}

fn bit(hash: u64) -> u16 {
    (((hash >> 32 & 0xffff) * BITS as u64) >> 16) as u16
}

/// Part of a word: a letter of a script with words. Bytes from 0xE3 on begin ideographs and what comes after them.
const LETTER: u8 = 1;
/// A hexadecimal digit.
const HEX: u8 = 2;
/// Those and hyphens.
const UUID: u8 = 4;
/// Letters and ideographs.
const SIGN: u8 = 8;
/// Letters, ideographs and digits.
const WORD: u8 = 16;
const DIGIT: u8 = 32;
const HYPHEN: u8 = 64;

/// The classes of a date's parts, as in 2026-1 and 26-11.
const DATES: [u64; 2] = [
    u64::from_be_bytes([0, 0, 0, DIGIT, DIGIT, DIGIT, HYPHEN, DIGIT]),
    u64::from_be_bytes([0, 0, 0, DIGIT, DIGIT, HYPHEN, DIGIT, DIGIT]),
];

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'f' => LETTER | HEX | UUID | SIGN | WORD,
            b'g'..=b'z' | 0x80..=0xe2 => LETTER | SIGN | WORD,
            0xe3.. => SIGN | WORD,
            b'0'..=b'9' => HEX | UUID | WORD | DIGIT,
            b'-' => UUID | HYPHEN,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

pub(super) fn is_word_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & WORD != 0
}

pub(super) fn may_be_in_word(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & LETTER != 0
}

/// The runs of a text, which is pushed byte by byte.
struct Runs {
    log: u64,
    /// The last eight bytes and their classes, the newest lowest.
    last: u64,
    classes: u64,
    /// How many bytes were pushed.
    length: usize,
}

impl Runs {
    fn new(log: Log) -> Self {
        // The log is part of each hash, since a word that is common in one log may be rare in another.
        Self { log: (log.number() as u64) << 56, last: 0, classes: 0, length: 0 }
    }

    /// Whether each of the last `count` bytes is in one of the classes.
    #[inline]
    fn are(&self, count: u32, class: u8) -> bool {
        let all = u64::from(class) * (0x0101_0101_0101_0101 >> (64 - 8 * count));
        self.classes & all == all
    }

    /// Whether one of the last `count` bytes is in the class.
    #[inline]
    fn one_is(&self, count: u32, class: u8) -> bool {
        self.classes & (u64::from(class) * (0x0101_0101_0101_0101 >> (64 - 8 * count))) != 0
    }

    /// Adds a byte, and passes the shape and hash of each run that it ends to `visit`.
    #[inline]
    fn push(&mut self, byte: u8, outside_words: bool, visit: &mut impl FnMut(Shape, u64)) {
        self.last = self.last << 8 | u64::from(byte);
        self.classes = self.classes << 8 | u64::from(CLASSES[usize::from(byte)]);
        self.length += 1;
        let mut found = |shape: Shape, length: u32, variant: u64| {
            let bytes = self.last & (u64::MAX >> (64 - 8 * length));
            visit(shape, mix(self.log | variant << 52 | u64::from(length) << 48 | bytes));
        };
        found(Shape::One, 1, 0);
        if self.length < 2 {
            return;
        }
        found(if self.are(2, UUID) { Shape::TwoHex } else { Shape::Two }, 2, 0);
        if self.length < 3 {
            return;
        }
        let letters = self.are(3, LETTER);
        let three = match (self.are(3, UUID), letters) {
            (true, _) => Shape::ThreeHex,
            (_, true) => Shape::ThreeLetters,
            _ if self.one_is(3, SIGN) && !self.are(3, WORD) => Shape::ThreeMeeting,
            _ => Shape::Three,
        };
        found(three, 3, 0);
        if outside_words && letters {
            found(Shape::ThreeOutside, 3, 1);
        }
        if outside_words && self.are(4, LETTER) {
            found(Shape::FourOutside, 4, 1);
        } else if outside_words && self.are(4, HEX) {
            found(Shape::FourHex, 4, 0);
        } else if outside_words && self.are(4, SIGN) {
            found(Shape::Four, 4, 0);
        }
        if outside_words && self.are(5, SIGN) && !self.are(5, LETTER) {
            found(Shape::Five, 5, 0);
        }
        if DATES.iter().any(|date| self.classes & date == *date) {
            found(Shape::Date, 5, 0);
        }
    }

    /// Adds the rest of a word without looking at its runs.
    fn skip(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        for byte in &bytes[bytes.len().saturating_sub(8)..] {
            self.last = self.last << 8 | u64::from(*byte);
            self.classes = self.classes << 8 | u64::from(CLASSES[usize::from(*byte)]);
        }
    }
}

/// What becomes of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is in the dictionary; its block may not have the keys of its runs.
    Added,
    /// It is in the dictionary, and its block has the keys of its runs.
    Known,
    /// The dictionary is full.
    Refused,
}

/// Receives what is stored of a text.
pub trait Marks {
    fn word(&mut self, word: &[u8]) -> Word;
    /// A word of letters, and the sign between it and a number; with the number, if that is a word too.
    fn pair(&mut self, pair: &[u8]);
    fn key(&mut self, kind: Kind, key: u32);
    fn bit(&mut self, bit: u16);
}

/// Passes the marks of a normalized text on, some of them more than once.
pub fn marks(log: Log, text: &[u8], to: &mut impl Marks) {
    let mut runs = Runs::new(log);
    let mut at = 0;
    // What is right before this token, and what is before the joint that is right before it.
    let (mut before, mut joined) = (None, None);
    for token in tokens(text) {
        let start = at;
        at += token.bytes().len();
        let became = match token {
            Token::Word(word) => to.word(word),
            Token::Mixed(_) | Token::Between(_) => Word::Refused,
        };
        if let Token::Between(between) = token {
            joined = before.take().filter(|_| is_joint(between));
        } else {
            let this = if became == Word::Refused { Neighbour::Other } else { Neighbour::Word(start) };
            if let Some(pair) = joined.take().and_then(|first| pair_of(text, (first, this), (start, at))) {
                to.pair(pair);
            }
            before = Some(this);
        }
        let (bytes, outside_words, skipped) = match (token, became) {
            // The runs that end within its first two bytes began before it.
            (Token::Word(word), Word::Known) => (&word[..2], false, &word[2..]),
            (Token::Word(word), Word::Added) => (word, false, &word[..0]),
            (Token::Word(bytes) | Token::Mixed(bytes), _) => (bytes, true, &bytes[..0]),
            (Token::Between(bytes), _) => (bytes, false, &bytes[..0]),
        };
        for byte in bytes {
            runs.push(*byte, outside_words, &mut |shape, hash| {
                if let Some(kind) = shape.kind() {
                    to.key(kind, key(hash));
                }
                if shape.has_bit() {
                    to.bit(bit(hash));
                }
            });
        }
        runs.skip(skipped);
    }
}

/// A part of the text that is in a word of each event, or in another text without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InWord {
    pub part: Part,
    /// The keys of the blocks where it is, but not in a word.
    pub outside: (Kind, Vec<u32>),
}

/// The marks of every event that has a text which contains this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextMarks {
    /// The most selective ones first.
    pub blocks: Vec<u32>,
    pub wide: Vec<u32>,
    pub bits: Vec<u16>,
    pub words: Vec<InWord>,
}

impl TextMarks {
    pub fn new(log: Log, normalized: &[u8]) -> Self {
        // What is mixed is a part of something that is mixed, or has no runs of four.
        let tokens = tokens(normalized).map(|token| match token {
            Token::Mixed(bytes) => (bytes, true),
            Token::Word(bytes) | Token::Between(bytes) => (bytes, false),
        });
        let all = runs_of(log, tokens);
        let of = |shape: Shape| -> Vec<u64> {
            all.iter().filter(|(other, _)| *other == shape).map(|(_, hash)| *hash).collect()
        };
        let words: Vec<InWord> = Part::all(normalized)
            .into_iter()
            .map(|part| {
                let shape = match part.letters.len() {
                    _ if part.is_number() => Shape::FourHex,
                    3 => Shape::ThreeOutside,
                    _ => Shape::FourOutside,
                };
                let runs = runs_of(log, std::iter::once((part.letters.as_bytes(), true))).into_iter();
                let outside: Vec<u64> =
                    runs.filter(|(other, _)| *other == shape).map(|(_, hash)| hash).collect();
                let kind = shape.kind().unwrap_or(Kind::Blocks);
                InWord { part, outside: (kind, keys(spaced(&outside, MOST_OUTSIDE))) }
            })
            .collect();
        let mut blocks = Vec::new();
        // Longer runs are more selective.
        let implied = if words.is_empty() { MOST_KEYS } else { MOST_IMPLIED };
        for (shape, most) in [
            (Shape::Date, MOST_KEYS / 2),
            (Shape::Five, MOST_KEYS / 2),
            (Shape::Four, MOST_KEYS / 2),
            (Shape::Three, MOST_KEYS),
            (Shape::ThreeLetters, implied),
        ] {
            blocks.extend(spaced(&of(shape), (MOST_KEYS - blocks.len()).min(most)));
        }
        let mut wide = spaced(&of(Shape::FourHex), MOST_WIDE_KEYS);
        if blocks.is_empty() && wide.len() < 2 {
            wide.extend(spaced(&of(Shape::ThreeHex), MOST_WIDE_KEYS / 2));
        }
        if blocks.is_empty() && wide.is_empty() {
            blocks = spaced(&of(if normalized.len() == 1 { Shape::One } else { Shape::Two }), MOST_KEYS);
            wide = spaced(&of(Shape::TwoHex), MOST_WIDE_KEYS);
        }
        // The first two are looked up first. They are taken from far apart in the text.
        for keys in [&mut blocks, &mut wide] {
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
        Self { blocks: keys(blocks), wide: keys(wide), bits, words }
    }

    /// The keys in one directory.
    pub fn keys(&self, kind: Kind) -> &[u32] {
        match kind {
            Kind::WideBlocks => &self.wide,
            _ => &self.blocks,
        }
    }
}

fn keys(hashes: Vec<u64>) -> Vec<u32> {
    hashes.into_iter().map(key).collect()
}

/// The runs of a text's tokens, each of which is outside of words or not.
fn runs_of<'a>(log: Log, tokens: impl Iterator<Item = (&'a [u8], bool)>) -> Vec<(Shape, u64)> {
    let mut all = Vec::new();
    let mut runs = Runs::new(log);
    for (bytes, outside_words) in tokens {
        for byte in bytes {
            runs.push(*byte, outside_words, &mut |shape, hash| all.push((shape, hash)));
        }
    }
    all
}

/// At most `most` of them, evenly spaced from the first to the last.
fn spaced(all: &[u64], most: usize) -> Vec<u64> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most).map(|n| all[n * (all.len() - 1) / (most - 1).max(1)]).collect()
}

#[cfg(test)]
mod tests;
