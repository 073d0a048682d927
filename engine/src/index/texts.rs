//! Finds the marks of the texts of a run under construction, and remembers those of frequent texts and words.

use std::{collections::HashMap, hash::BuildHasher as _};

use foldhash::fast::RandomState;

use super::{
    building::{Marked, Signature},
    directory::{Kind, Level},
    run::{BLOCK, WIDE_BLOCK},
    signature::{self, Word},
    values::{self, Field},
    words::{Dictionary, MOST_BYTES, is_number},
};
use crate::{event::Log, text::normalize};

/// Of each, a power of two.
const SEEN_TEXTS: usize = 16_384;
const KNOWN_TEXTS: usize = 4096;
/// Longer texts are hardly frequent. With this, the known ones are at most some 20 MB.
const LONGEST_KNOWN: usize = 300;

#[derive(Default)]
pub(super) struct Texts {
    hasher: RandomState,
    /// Hashes of texts that were seen once or more.
    seen: Vec<u64>,
    /// Texts that were seen twice or more.
    known: Vec<Option<Box<KnownText>>>,
    words: [Words; Log::ALL.len()],
    /// Reused.
    found: TextMarks,
}

/// The words of a log.
#[derive(Default)]
struct Words {
    known: HashMap<Box<[u8]>, KnownWord, RandomState>,
    /// Of all words, and of all numbers.
    bytes: [usize; 2],
}

struct KnownWord {
    key: u64,
    /// The last column that got it, whose block so has the keys of its runs.
    column: Option<u16>,
}

struct KnownText {
    log: Log,
    text: Box<str>,
    marks: TextMarks,
    /// The last column that got its marks.
    column: u16,
}

/// The marks of one text.
#[derive(Default)]
struct TextMarks {
    blocks: Vec<u32>,
    wide: Vec<u32>,
    /// The keys of its words and pairs.
    words: Vec<u64>,
    signature: Signature,
}

impl Texts {
    /// Adds a text of an event.
    pub(super) fn add(
        &mut self,
        text: &str,
        (log, column): (Log, u16),
        signature: &mut Signature,
        marked: &mut Marked,
    ) {
        let hash = self.hasher.hash_one((log.number(), text));
        if self.seen.is_empty() {
            self.seen.resize(SEEN_TEXTS, 0);
            self.known.resize_with(KNOWN_TEXTS, || None);
        }
        let (block, wide_block) = (column / BLOCK as u16, column / WIDE_BLOCK as u16);
        let place = hash as usize % KNOWN_TEXTS;
        if let Some(known) = &mut self.known[place]
            && known.log == log
            && *known.text == *text
        {
            let before = std::mem::replace(&mut known.column, column);
            if before != column {
                known.marks.add_to(marked, column, before / BLOCK as u16 != block, signature);
            }
            return;
        }
        let seen = &mut self.seen[hash as usize % SEEN_TEXTS];
        let is_frequent = std::mem::replace(seen, hash) == hash && text.len() <= LONGEST_KNOWN;
        let words = &mut self.words[log.number() as usize - 1];
        let normalized = normalize(text);
        if is_frequent {
            self.found.clear();
            let mut remember = Remember { log, words, found: &mut self.found };
            signature::marks(log, normalized.as_bytes(), &mut remember);
            self.found.words.sort_unstable();
            self.found.words.dedup();
            self.found.add_to(marked, column, true, signature);
            let marks = std::mem::take(&mut self.found);
            self.known[place] = Some(Box::new(KnownText { log, text: text.into(), marks, column }));
        } else {
            let mut add = Add { log, words, marked, column, block, wide_block, signature };
            signature::marks(log, normalized.as_bytes(), &mut add);
        }
    }

    /// The dictionaries of all words.
    pub(super) fn dictionary(&self, level: Level) -> Dictionary {
        let mut dictionary = Dictionary::new(level);
        for (log, words) in Log::ALL.iter().zip(&self.words) {
            words.known.keys().for_each(|word| dictionary.add(*log, word));
        }
        dictionary
    }
}

impl TextMarks {
    fn clear(&mut self) {
        self.blocks.clear();
        self.wide.clear();
        self.words.clear();
        self.signature = Signature::default();
    }

    fn add_to(&self, marked: &mut Marked, column: u16, with_keys: bool, signature: &mut Signature) {
        signature.iter_mut().zip(self.signature).for_each(|(word, own)| *word |= own);
        self.words.iter().for_each(|key| marked.values.add_key(*key, column));
        if with_keys {
            let (block, wide_block) = (column / BLOCK as u16, column / WIDE_BLOCK as u16);
            self.blocks.iter().for_each(|key| marked.blocks.add(*key, block));
            self.wide.iter().for_each(|key| marked.wide.add(*key, wide_block));
        }
    }
}

impl Words {
    /// None when the dictionary is full.
    fn known(&mut self, log: Log, word: &[u8]) -> Option<&mut KnownWord> {
        if !self.known.contains_key(word) {
            let bytes = &mut self.bytes[usize::from(is_number(word))];
            if *bytes + word.len() > MOST_BYTES {
                return None;
            }
            *bytes += word.len() + 1;
            let known = KnownWord { key: values::key_of_word(log, word), column: None };
            self.known.insert(word.into(), known);
        }
        self.known.get_mut(word)
    }
}

/// Collects all marks of a text.
struct Remember<'a> {
    log: Log,
    words: &'a mut Words,
    found: &'a mut TextMarks,
}

impl signature::Marks for Remember<'_> {
    fn word(&mut self, word: &[u8]) -> Word {
        let Some(known) = self.words.known(self.log, word) else { return Word::Refused };
        self.found.words.push(known.key);
        Word::Added
    }

    fn pair(&mut self, pair: &[u8]) {
        self.found.words.push(values::key_of_pair(self.log, pair));
    }

    fn key(&mut self, kind: Kind, key: u32) {
        match kind {
            Kind::WideBlocks => self.found.wide.push(key),
            _ => self.found.blocks.push(key),
        }
    }

    fn bit(&mut self, bit: u16) {
        self.found.signature[usize::from(bit / 64)] |= 1 << (bit % 64);
    }
}

/// Adds the marks of a text to those of its event.
struct Add<'a> {
    log: Log,
    words: &'a mut Words,
    marked: &'a mut Marked,
    column: u16,
    block: u16,
    wide_block: u16,
    signature: &'a mut Signature,
}

impl signature::Marks for Add<'_> {
    fn word(&mut self, word: &[u8]) -> Word {
        let Some(known) = self.words.known(self.log, word) else { return Word::Refused };
        let before = known.column.replace(self.column);
        if before != Some(self.column) {
            self.marked.values.add_key(known.key, self.column);
        }
        let is_known = before.is_some_and(|column| column / BLOCK as u16 == self.block);
        if is_known { Word::Known } else { Word::Added }
    }

    fn pair(&mut self, pair: &[u8]) {
        self.marked.values.add(self.log, Field::Pair, [pair, b""], self.column);
    }

    #[inline]
    fn key(&mut self, kind: Kind, key: u32) {
        match kind {
            Kind::WideBlocks => self.marked.wide.add(key, self.wide_block),
            _ => self.marked.blocks.add(key, self.block),
        }
    }

    #[inline]
    fn bit(&mut self, bit: u16) {
        self.signature[usize::from(bit / 64)] |= 1 << (bit % 64);
    }
}
