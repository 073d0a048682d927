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

/// A segment with what was found in it, by the place of a plan.
pub type LookedUp = (Segment, Vec<(usize, Found)>);

/// What is looked up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// Of a text, a few keys. They usually suffice for one that occurs nowhere.
    First,
    All,
}

impl Lookup {
    /// Looks up the keys of plans in segments, with one statement for the directories, one for each dictionary, and one for
    /// the words that these name. Each segment comes with the plans that are looked up in it, by their places in `plans`.
    ///
    /// # Errors
    /// The database's.
    pub fn read(
        self,
        conn: &mut Conn,
        (cache, pieces): (&Cache, &mut Pieces),
        plans: &[Plan],
        segments: Vec<(Segment, Vec<usize>)>,
    ) -> Result<Vec<LookedUp>> {
        let only_first = self == Self::First;
        let words = |plan: &'_ Plan| if only_first { 0 } else { plan.words().len() };
        let list =
            |nth, plan: &Plan, segment: &Segment| words_piece(words::list(plan.log, nth, segment.level));
        let each = || {
            segments
                .iter()
                .flat_map(|(segment, places)| places.iter().map(move |place| (segment, &plans[*place])))
        };
        let wanted = each().flat_map(|(segment, plan)| {
            plan.lists().map(move |nth| (segment.number, list(nth, plan, segment)))
        });
        pieces.load(conn, cache, wanted)?;
        let conditions: Vec<Conditions> = each()
            .map(|(segment, plan)| {
                plan.conditions(|nth| {
                    words::lines(pieces.get(segment.number, list(nth, plan, segment)).unwrap_or_default())
                })
            })
            .collect();

        let mut wanted = Vec::new();
        for ((segment, plan), conditions) in each().zip(&conditions) {
            let texts = plan.texts(only_first).map(|(kind, key)| (kind, u64::from(key)));
            let outside =
                plan.words()[..words(plan)].iter().flat_map(|InWord { outside: (kind, keys), .. }| {
                    keys.iter().map(|key| (*kind, u64::from(*key)))
                });
            let values = conditions.keys().into_iter().map(|key| (Kind::Values, key));
            let keys = texts.chain(outside).chain(values);
            wanted.extend(keys.map(|(kind, key)| (segment.number, key_piece(kind, key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let mut all_terms = Vec::with_capacity(conditions.len());
        for (segment, plan) in each() {
            let words = &plan.words()[..words(plan)];
            all_terms.push(terms(conn, (cache, pieces.others()), plan.log, words, segment)?);
        }
        let mut wanted = Vec::new();
        for ((segment, _), terms) in each().zip(&all_terms) {
            let keys = terms.iter().flat_map(|term| &term.keys);
            wanted.extend(keys.map(|key| (segment.number, key_piece(Kind::Values, *key, segment.level))));
        }
        pieces.load(conn, cache, wanted)?;

        let mut looked_up = conditions.into_iter().zip(all_terms);
        let found = segments.into_iter().map(|(segment, places)| {
            let piece = |number| pieces.get(segment.number, number);
            let found = places.into_iter().zip(&mut looked_up).map(|(place, looked_up)| {
                (place, Found::new(&segment, &plans[place], only_first, looked_up, piece))
            });
            let found = found.collect();
            (segment, found)
        });
        Ok(found.collect())
    }
}
