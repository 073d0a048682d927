//! Reads what the directories and dictionaries of segments say of a query.

use super::{
    candidates::{Found, WordKeys, key_piece},
    directory::Kind,
    plan::Plan,
    run::{Segment, words_piece},
    signature::InWord,
    store::{Cache, Pieces},
    values, words,
};
use crate::{db::Conn, error::Result, event::Log};

/// The keys of a segment's words that have the parts of a text. Its dictionary is let go afterwards: it may have
/// megabytes, and a query looks at many segments.
fn word_keys(
    conn: &mut Conn,
    (cache, mut dictionary): (&Cache, Pieces),
    log: Log,
    words: &[InWord],
    segment: &Segment,
) -> Result<WordKeys> {
    let parts = |word: &InWord| words::parts(log, &word.part, segment.level).map(words_piece);
    let with_dictionary = words.iter().filter(|word| !word.part.is_word());
    let wanted = with_dictionary.flat_map(|word| parts(word).map(|part| (segment.number, part)));
    dictionary.load(conn, cache, wanted)?;
    let keys_of = |word: &InWord| {
        let parts = parts(word).filter_map(|part| dictionary.get(segment.number, part));
        let words = word.part.words(parts)?.into_iter();
        Some(words.map(|word| values::key_of_word(log, word.as_bytes())).collect())
    };
    Ok(words.iter().map(keys_of).collect())
}

/// What is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Of a text, a few keys. They usually suffice for one that occurs nowhere.
    First,
    All,
}

impl Lookup {
    /// Looks up a plan's keys in segments, with one statement for the directories, one for each dictionary, and one for
    /// the words that these name.
    ///
    /// # Errors
    /// The database's.
    pub fn read(
        self,
        conn: &mut Conn,
        (cache, pieces): (&Cache, &mut Pieces),
        (log, plan): (Log, &Plan),
        segments: Vec<Segment>,
    ) -> Result<Vec<(Segment, Found)>> {
        let only_first = self == Self::First;
        let words = if only_first { &[] } else { plan.words() };
        let mut keys: Vec<(Kind, u64)> = plan.values().into_iter().map(|key| (Kind::Values, key)).collect();
        keys.extend(plan.texts(only_first).map(|(kind, key)| (kind, key.into())));
        for (kind, outside) in words.iter().map(|word| &word.outside) {
            keys.extend(outside.iter().map(|key| (*kind, u64::from(*key))));
        }
        let mut wanted = Vec::new();
        for segment in &segments {
            let number = segment.number;
            wanted.extend(keys.iter().map(|(kind, key)| (number, key_piece(*kind, *key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let mut of_segments = Vec::with_capacity(segments.len());
        for segment in &segments {
            of_segments.push(word_keys(conn, (cache, pieces.others()), log, words, segment)?);
        }
        let mut wanted = Vec::new();
        for (segment, keys) in segments.iter().zip(&of_segments) {
            let keys = keys.iter().flatten().flatten();
            wanted.extend(keys.map(|key| (segment.number, key_piece(Kind::Values, *key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let found = segments.into_iter().zip(of_segments).map(|(segment, words)| {
            let piece = |number| pieces.get(segment.number, number);
            let found = Found::new(&segment, plan, only_first, &words, piece);
            (segment, found)
        });
        Ok(found.collect())
    }
}
