use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    index::words::{self, Dictionary},
    text::normalize,
};

/// The marks of some texts; with a dictionary that takes a number of words.
#[derive(Default)]
struct Collected {
    keys: BTreeSet<(u8, u32)>,
    bits: BTreeSet<u16>,
    words: BTreeSet<Vec<u8>>,
    pairs: BTreeSet<Vec<u8>>,
    most_words: usize,
}

impl Marks for Collected {
    fn word(&mut self, word: &[u8]) -> Word {
        if self.words.contains(word) {
            return Word::Known;
        }
        if self.words.len() == self.most_words {
            return Word::Refused;
        }
        self.words.insert(word.to_vec());
        Word::Added
    }

    fn pair(&mut self, pair: &[u8]) {
        self.pairs.insert(pair.to_vec());
    }

    fn key(&mut self, kind: Kind, key: u32) {
        self.keys.insert((kind as u8, key));
    }

    fn bit(&mut self, bit: u16) {
        self.bits.insert(bit);
    }
}

impl Collected {
    fn has(&self, marks: &TextMarks, log: Log) -> bool {
        let has = |kind: Kind, keys: &[u32]| keys.iter().all(|key| self.keys.contains(&(kind as u8, *key)));
        let mut dictionary = Dictionary::new(0);
        self.words.iter().for_each(|word| dictionary.add(log, word));
        let parts: Vec<(usize, Vec<u8>)> = dictionary.finish().collect();
        let words_of = |part: &Part| -> Vec<String> {
            let numbers = words::parts(log, part, 0);
            let parts = parts.iter().filter(|(number, _)| numbers.contains(number)).map(|(_, part)| &**part);
            part.words(parts).expect("few words").into_iter().map(String::from).collect()
        };
        has(Kind::Blocks, &marks.blocks)
            && has(Kind::WideBlocks, &marks.wide)
            && marks.bits.iter().all(|bit| self.bits.contains(bit))
            && marks.words.iter().all(|InWord { part, outside }| {
                words_of(part).iter().any(|word| self.words.contains(word.as_bytes()))
                    || has(outside.0, &outside.1)
            })
            && marks.words.windows(2).all(|two| {
                let [first, second] = two else { return false };
                let Some(joint) = second.part.joint else { return true };
                let letters = if first.part.is_number() { second } else { first };
                let has_pair = |first: &str, second: &str| {
                    self.pairs.contains(&[first.as_bytes(), &[joint], second.as_bytes()].concat())
                };
                let (firsts, seconds) = (words_of(&first.part), words_of(&second.part));
                has(letters.outside.0, &letters.outside.1)
                    || firsts.iter().any(|first| seconds.iter().any(|second| has_pair(first, second)))
                    || (first.part.is_number() && seconds.iter().any(|second| has_pair("", second)))
                    || (!first.part.is_number() && firsts.iter().any(|first| has_pair(first, "")))
            })
    }
}

/// What real texts are made of, so that parts of all kinds meet.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-f]{1,6}",
        "[a-z]{1,8}",
        "[0-9a-f]{1,9}",
        "[0-9]{3,14}",
        "[0-9]{2,4}-[0-9]{1,2}",
        "[a-z]{2,5}[-/#][0-9]{3,6}",
        "[a-zA-Z]{20,30}",
        "[žéß’ﬁ]{1,3}",
        "[李雷韩]{1,4}",
        "[-_/.: ]{1,2}",
        Just(" ".to_owned()),
    ];
    proptest::collection::vec(part, 1..10).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn a_text_has_the_marks_of_everything_it_contains(
        texts in proptest::collection::vec(text(), 1..4),
        most_words in 0..8_usize,
        (from, length) in (any::<prop::sample::Index>(), 1..25_usize),
    ) {
        let log = Log::Application;
        let normalized: Vec<String> = texts.iter().map(|text| normalize(text).into_owned()).collect();
        let mut collected = Collected { most_words, ..Collected::default() };
        for text in &normalized {
            marks(log, text.as_bytes(), &mut collected);
        }
        for text in &normalized {
            let chars: Vec<char> = text.chars().collect();
            let from = from.index(chars.len());
            let contained: String = chars[from..chars.len().min(from + length)].iter().collect();
            let wanted = TextMarks::new(log, contained.as_bytes());
            prop_assert!(collected.has(&wanted, log), "{contained:?} in {text:?}");
        }
    }
}
