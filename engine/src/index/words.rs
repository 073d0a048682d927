//! The dictionaries of words, which answer searches for a part of a word exactly.
//!
//! A *word* is a run of letters that neither a digit nor an ideograph touches, or a number: a run of digits that no letter
//! touches. Every word of a segment is in its dictionary, and the events with that word are found by its key like those
//! of a value ([`values`](super::values)). A search looks through the dictionary for the words that its own letters may
//! be a part of. So a text of frequent parts costs no look at an event: "cementa" is in no word.
//!
//! A dictionary is stored in parts. Each has some of a log's words, or of its numbers, ascending, with a line break
//! before, between and after them. Further parts are the lists of a log's values ([`lists`]).

use std::{collections::BTreeSet, ops::Range};

use super::{
    directory::{Level, MEDIUM},
    lists::{self, LISTED},
    signature::{is_word_byte, may_be_in_word, mix},
};
use crate::event::Log;

/// Bytes of a word of letters. Shorter ones would be in every event, and a longer run of letters is hardly a word.
const LETTERS: Range<usize> = 3..25;
/// Digits of a number. Shorter ones are in most events, and twelve may be the end of a UUID.
const DIGITS: Range<usize> = 4..12;
/// Bytes of the words, and of the numbers, of a log in one run, at most. In a run with more, the others are indexed like
/// a text of both. It bounds what a search reads when a tenant writes random letters.
pub const MOST_BYTES: usize = 256 << 10;
/// When more words match, so many events do that the search is answered without a dictionary.
pub const MOST_MATCHES: usize = 64;

/// The words, the numbers and the lists of each log.
const OF_LOG: usize = 2 + LISTED.len();
const SECTIONS: usize = OF_LOG * Log::ALL.len();
const LINE: u8 = b'\n';

/// A part of a normalized text: a maximal run of letters and digits, or what is between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Word(&'a [u8]),
    /// Letters with digits or ideographs, or too short or too long for a word.
    Mixed(&'a [u8]),
    Between(&'a [u8]),
}

impl<'a> Token<'a> {
    pub fn bytes(self) -> &'a [u8] {
        let (Self::Word(bytes) | Self::Mixed(bytes) | Self::Between(bytes)) = self;
        bytes
    }
}

/// The tokens of a text, one after the other.
pub fn tokens(text: &[u8]) -> impl Iterator<Item = Token<'_>> {
    text.chunk_by(|one, other| is_word_byte(*one) == is_word_byte(*other)).map(|token| {
        if !is_word_byte(token[0]) {
            Token::Between(token)
        } else if is_word(token) {
            Token::Word(token)
        } else {
            Token::Mixed(token)
        }
    })
}

/// A run of letters and digits is a word, not mixed.
fn is_word(token: &[u8]) -> bool {
    LETTERS.contains(&token.len()) && token.iter().all(|byte| may_be_in_word(*byte))
        || DIGITS.contains(&token.len()) && is_number(token)
}

pub fn is_number(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_digit)
}

/// What is on one side of a joint.
#[derive(Clone, Copy)]
pub enum Neighbour {
    /// A word of the dictionary, and where it begins.
    Word(usize),
    Other,
}

/// The pair that a token from `start` to `end` makes with what is before its joint. A word of letters beside something that
/// is no word makes one of itself and the joint: whoever looks for it beside a number has to look there too.
pub fn pair_of(text: &[u8], two: (Neighbour, Neighbour), (start, end): (usize, usize)) -> Option<&[u8]> {
    let (begin, end) = match two {
        (Neighbour::Word(first), Neighbour::Word(_)) => {
            (first, is_pair(&text[first..start - 1], &text[start..end]).then_some(end)?)
        }
        (Neighbour::Word(first), Neighbour::Other) => {
            (first, (!is_number(&text[first..start - 1])).then_some(start)?)
        }
        (Neighbour::Other, Neighbour::Word(_)) => {
            (start - 1, (!is_number(&text[start..end])).then_some(end)?)
        }
        (Neighbour::Other, Neighbour::Other) => return None,
    };
    Some(&text[begin..end])
}

/// Letters, or digits, of a search text, which are a word of each event that matches, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub letters: String,
    /// Whether a word begins, and ends, with them.
    pub begins: bool,
    pub ends: bool,
    /// The sign that joins them to the part before.
    pub joint: Option<u8>,
}

/// Joins the parts of a name like INV-2024. Not a space: a sentence has too many of these.
pub fn is_joint(between: &[u8]) -> bool {
    matches!(between, [sign] if !sign.is_ascii_whitespace())
}

/// Whether two words with a joint between them are indexed as a pair: one is a number, and the other is not. By
/// themselves the words of such names are in many events: each number of every kind of name, and each name's letters.
fn is_pair(one: &[u8], other: &[u8]) -> bool {
    is_number(one) != is_number(other)
}

impl Part {
    /// The parts of a normalized search text that a dictionary can answer.
    pub fn all(text: &[u8]) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut at = 0;
        // The two tokens before.
        let mut before = [Token::Between(b""); 2];
        for token in tokens(text) {
            let start = at;
            at += token.bytes().len();
            if let Token::Word(word) = token
                && let Ok(letters) = str::from_utf8(word)
            {
                let joint = match before {
                    [Token::Word(first), Token::Between(sign)] if is_joint(sign) && is_pair(first, word) => {
                        Some(sign[0])
                    }
                    _ => None,
                };
                parts.push(Self { letters: letters.into(), begins: start > 0, ends: at < text.len(), joint });
            }
            before = [before[1], token];
        }
        parts
    }

    pub fn is_number(&self) -> bool {
        is_number(self.letters.as_bytes())
    }

    /// A whole word: no dictionary is needed.
    pub fn is_word(&self) -> bool {
        self.begins && self.ends
    }

    /// The words that this is a part of. None when they are too many.
    pub fn words<'a>(&'a self, dictionary: impl Iterator<Item = &'a [u8]>) -> Option<Vec<&'a str>> {
        if self.is_word() { Some(vec![&self.letters]) } else { self.matches(dictionary) }
    }

    fn matches<'a>(&self, parts: impl Iterator<Item = &'a [u8]>) -> Option<Vec<&'a str>> {
        let mut pattern = Vec::with_capacity(self.letters.len() + 2);
        pattern.extend(self.begins.then_some(LINE));
        pattern.extend(self.letters.bytes());
        pattern.extend(self.ends.then_some(LINE));
        let finder = memchr::memmem::Finder::new(&pattern);
        let mut matches = Vec::new();
        for part in parts {
            let mut next = 0;
            while let Some(found) = part.get(next..).and_then(|rest| finder.find(rest)) {
                let inside = next + found + usize::from(self.begins);
                let start = memchr::memrchr(LINE, &part[..inside]).map_or(0, |line| line + 1);
                let end = memchr::memchr(LINE, &part[inside..]).map_or(part.len(), |length| inside + length);
                matches.extend(str::from_utf8(&part[start..end]).ok());
                if matches.len() > MOST_MATCHES {
                    return None;
                }
                // The line break after this word is the one before the next.
                next = end;
            }
        }
        Some(matches)
    }
}

/// Bits of a word's hash that choose its part. The words of a larger segment are mostly the same ones, so each level has
/// only four times as many parts.
fn part_bits(level: Level) -> u32 {
    2 * u32::from((level.max(MEDIUM) - MEDIUM).unsigned_abs())
}

/// The section of a log's words, or of its numbers.
fn section(log: Log, is_number: bool) -> usize {
    (log.number() as usize - 1) * OF_LOG + usize::from(is_number)
}

/// The section of a log's nth list.
fn section_of_list(log: Log, nth: usize) -> usize {
    (log.number() as usize - 1) * OF_LOG + 2 + nth
}

fn is_list(section: usize) -> bool {
    section % OF_LOG >= 2
}

/// The part with a log's nth list. It is one on every level.
pub fn list(log: Log, nth: usize, level: Level) -> usize {
    section_of_list(log, nth) << part_bits(level)
}

/// The parts of a log's dictionary that may have a part of a text.
pub fn parts(log: Log, part: &Part, level: Level) -> Range<usize> {
    let first = section(log, part.is_number()) << part_bits(level);
    first..first + (1 << part_bits(level))
}

fn part_of(section: usize, word: &[u8], level: Level) -> usize {
    if is_list(section) {
        return section << part_bits(level);
    }
    let eight = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let hash = word.chunks(8).map(eight).fold(0, |hash, eight| mix(hash ^ eight));
    section << part_bits(level) | (hash >> 32) as usize & ((1 << part_bits(level)) - 1)
}

/// Parts under construction, by number.
pub struct Dictionary {
    level: Level,
    parts: Vec<BTreeSet<Box<[u8]>>>,
}

impl Dictionary {
    pub fn new(level: Level) -> Self {
        Self { level, parts: vec![BTreeSet::new(); SECTIONS << part_bits(level)] }
    }

    pub fn add(&mut self, log: Log, word: &[u8]) {
        self.insert(section(log, is_number(word)), word);
    }

    /// Adds a line of a log's nth list.
    pub fn add_line(&mut self, log: Log, nth: usize, line: &[u8]) {
        self.insert(section_of_list(log, nth), line);
    }

    fn insert(&mut self, section: usize, word: &[u8]) {
        self.parts[part_of(section, word, self.level)].insert(word.into());
    }

    /// Adds the words of a part of a smaller segment.
    pub fn add_part(&mut self, level: Level, part: usize, bytes: &[u8]) {
        // Only damaged ones have another number.
        let section = part >> part_bits(level);
        if section < SECTIONS {
            lines(bytes).for_each(|word| self.insert(section, word));
        }
    }

    /// The parts that have words, with their numbers.
    pub fn finish(self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        let bits = part_bits(self.level);
        let parts = self.parts.into_iter().enumerate().filter(|(_, words)| !words.is_empty());
        parts.map(move |(number, mut words)| {
            if is_list(number >> bits) {
                let bytes = lists::bytes(&words);
                lists::bound(&mut words, bytes);
            }
            let mut bytes = vec![LINE];
            words.into_iter().for_each(|word| bytes.extend(word.iter().copied().chain([LINE])));
            (number, bytes)
        })
    }
}

/// Parts as they are stored, with their numbers.
pub type Stored = Vec<(usize, Vec<u8>)>;

/// The words of a part, or the lines of a list.
pub fn lines(part: &[u8]) -> impl Iterator<Item = &[u8]> {
    part.split(|byte| *byte == LINE).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::directory::{LARGE, SMALL};

    fn part(letters: &str, begins: bool, ends: bool) -> Part {
        Part { letters: letters.into(), begins, ends, joint: None }
    }

    #[test]
    fn a_text_has_these_parts() {
        let all = |text: &str| Part::all(text.as_bytes());
        assert_eq!(all("rao"), [part("rao", false, false)]);
        assert_eq!(all("sha rao"), [part("sha", false, true), part("rao", true, false)]);
        assert_eq!(all(" žofie "), [part("žofie", true, true)]);
        assert_eq!(all("ab mozilla/5.0 x11"), [part("mozilla", true, true)]);
        let joined = |letters, joint| Part { joint: Some(joint), ..part(letters, true, false) };
        assert_eq!(all("lab-000036"), [part("lab", false, true), joined("000036", b'-')]);
        for apart in ["lab 000036", "lab--000036"] {
            assert_eq!(all(apart), [part("lab", false, true), part("000036", true, false)], "{apart}");
        }
        assert_eq!(all("lab-test"), [part("lab", false, true), part("test", true, false)], "two words");
        assert_eq!(all("000036/lab"), [part("000036", false, true), joined("lab", b'/')]);
        assert_eq!(all("a1bcd 李雷 ab"), [], "mixed, ideographs, and too short");
    }

    #[test]
    fn words_are_found_by_their_parts() {
        let mut dictionary = Dictionary::new(LARGE);
        for word in ["asha", "natasha", "ashaman", "rao", "žofie", "000036", "0000361"] {
            dictionary.add(Log::Access, word.as_bytes());
        }
        dictionary.add(Log::Framework, b"ashap");
        let stored: Stored = dictionary.finish().collect();
        let matches = |part: Part| {
            let of_log =
                stored.iter().filter(|(number, _)| parts(Log::Access, &part, LARGE).contains(number));
            let mut found = part.matches(of_log.map(|(_, bytes)| &**bytes)).expect("not too many");
            found.sort_unstable();
            found
        };
        assert_eq!(matches(part("asha", false, false)), ["asha", "ashaman", "natasha"]);
        assert_eq!(matches(part("asha", true, false)), ["asha", "ashaman"]);
        assert_eq!(matches(part("asha", false, true)), ["asha", "natasha"]);
        assert_eq!(matches(part("ofi", false, false)), ["žofie"]);
        assert_eq!(matches(part("00036", false, true)), ["000036"]);
        assert_eq!(matches(part("cementa", false, false)), [""; 0]);

        let mut many = Dictionary::new(SMALL);
        (0..=MOST_MATCHES as u8).for_each(|n| many.add(Log::Access, &[b'x', b'a' + n / 26, b'a' + n % 26]));
        let many: Stored = many.finish().collect();
        assert_eq!(part("x", true, false).matches(many.iter().map(|(_, bytes)| &**bytes)), None);
    }

    #[test]
    fn merged_dictionaries_are_that_of_all_words() {
        let word = |n: usize| format!("word{}", char::from(b'a' + n as u8 % 26)).repeat(1 + n / 26);
        let mut all = Dictionary::new(LARGE + 1);
        let mut merged = Dictionary::new(LARGE + 1);
        for of_run in [0..40, 20..70] {
            let mut run = Dictionary::new(LARGE);
            for n in of_run {
                for log in Log::ALL {
                    run.add(*log, word(n).as_bytes());
                    all.add(*log, word(n).as_bytes());
                }
            }
            run.finish().for_each(|(part, bytes)| merged.add_part(LARGE, part, &bytes));
        }
        assert!(merged.finish().eq(all.finish()));
    }
}
