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

/// What is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Of a text, a few keys. They usually suffice for one that occurs nowhere.
    First,
    All,
}

impl Lookup {
    /// Looks up a plan's keys in segments, with one statement for the directories and one for the words that the
    /// dictionaries name.
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
            for InWord { part, .. } in words.iter().filter(|word| !word.part.is_word()) {
                wanted.extend(words::parts(log, part, segment.level).map(|part| (number, words_piece(part))));
            }
        }
        pieces.load(conn, cache, wanted)?;

        let keys_of = |segment: &Segment, word: &InWord| -> Option<Vec<u64>> {
            let parts = words::parts(log, &word.part, segment.level);
            let parts = parts.filter_map(|part| pieces.get(segment.number, words_piece(part)));
            let words = word.part.words(parts)?.into_iter();
            Some(words.map(|word| values::key_of_word(log, word.as_bytes())).collect())
        };
        let of_segment =
            |segment: &Segment| -> WordKeys { words.iter().map(|word| keys_of(segment, word)).collect() };
        let of_segments: Vec<WordKeys> = segments.iter().map(of_segment).collect();
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
