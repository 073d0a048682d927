//! Reads what the directories and dictionaries of segments say of a query.

use super::{
    candidates::{Found, Term, key_piece},
    directory::Kind,
    plan::{Conditions, Plan},
    run::{Segment, words_piece},
    signature::InWord,
    store::{Cache, Pieces},
    values, words,
};
use crate::{db::Conn, error::Result, event::Log};

/// Most words of a pair, times those of its other half, that are looked up.
const MOST_PAIRS: usize = 256;

/// What a segment's dictionary makes of the parts of a text. It is let go afterwards: it may have megabytes, and a query
/// looks at many segments.
fn terms(
    conn: &mut Conn,
    (cache, mut dictionary): (&Cache, Pieces),
    log: Log,
    words: &[InWord],
    segment: &Segment,
) -> Result<Vec<Term>> {
    let parts = |word: &InWord| words::parts(log, &word.part, segment.level).map(words_piece);
    let with_dictionary = words.iter().filter(|word| !word.part.is_word());
    let wanted = with_dictionary.flat_map(|word| parts(word).map(|part| (segment.number, part)));
    dictionary.load(conn, cache, wanted)?;
    let found: Vec<Option<Vec<&str>>> = words
        .iter()
        .map(|word| {
            let parts = parts(word).filter_map(|part| dictionary.get(segment.number, part));
            word.part.words(parts)
        })
        .collect();
    let mut terms = Vec::new();
    for (nth, two) in found.windows(2).enumerate() {
        let (Some(joint), [Some(first), Some(second)]) = (words[nth + 1].part.joint, two) else { continue };
        if first.len() * second.len() > MOST_PAIRS {
            continue;
        }
        let pairs = first.iter().flat_map(|first| {
            second.iter().map(move |second| [first.as_bytes(), &[joint], second.as_bytes()].concat())
        });
        // Beside a number that is no word of its own.
        let letters = if words[nth].part.is_number() { nth + 1 } else { nth };
        let halves = found[letters].iter().flatten().map(|word| match letters == nth {
            true => [word.as_bytes(), &[joint]].concat(),
            false => [&[joint], word.as_bytes()].concat(),
        });
        let keys = pairs.chain(halves).map(|pair| values::key_of_pair(log, &pair)).collect();
        terms.push(Term { keys, word: letters });
    }
    // Also those that are in a pair: where a part is outside of words, the other one says more.
    for (word, found) in found.iter().enumerate() {
        let Some(found) = found else { continue };
        let keys = found.iter().map(|word| values::key_of_word(log, word.as_bytes())).collect();
        terms.push(Term { keys, word });
    }
    Ok(terms)
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
        let list = |nth, segment: &Segment| words_piece(words::list(log, nth, segment.level));
        let wanted = segments
            .iter()
            .flat_map(|segment| plan.lists().map(move |nth| (segment.number, list(nth, segment))));
        pieces.load(conn, cache, wanted)?;
        let conditions: Vec<Conditions> = segments
            .iter()
            .map(|segment| {
                plan.conditions(|nth| {
                    words::lines(pieces.get(segment.number, list(nth, segment)).unwrap_or_default())
                })
            })
            .collect();

        let mut keys: Vec<(Kind, u64)> =
            plan.texts(only_first).map(|(kind, key)| (kind, key.into())).collect();
        for (kind, outside) in words.iter().map(|word| &word.outside) {
            keys.extend(outside.iter().map(|key| (*kind, u64::from(*key))));
        }
        let mut wanted = Vec::new();
        for (segment, conditions) in segments.iter().zip(&conditions) {
            let values = conditions.keys().into_iter().map(|key| (Kind::Values, key));
            let pieces = keys.iter().copied().chain(values);
            wanted.extend(pieces.map(|(kind, key)| (segment.number, key_piece(kind, key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let mut of_segments = Vec::with_capacity(segments.len());
        for segment in &segments {
            of_segments.push(terms(conn, (cache, pieces.others()), log, words, segment)?);
        }
        let mut wanted = Vec::new();
        for (segment, terms) in segments.iter().zip(&of_segments) {
            let keys = terms.iter().flat_map(|term| &term.keys);
            wanted.extend(keys.map(|key| (segment.number, key_piece(Kind::Values, *key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let looked_up = conditions.into_iter().zip(of_segments);
        let found = segments.into_iter().zip(looked_up).map(|(segment, looked_up)| {
            let piece = |number| pieces.get(segment.number, number);
            let found = Found::new(&segment, plan, only_first, looked_up, piece);
            (segment, found)
        });
        Ok(found.collect())
    }
}
