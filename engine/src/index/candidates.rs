//! What the directories say of a query: in each run, which columns may match.

use std::collections::HashMap;

use super::{
    directory::{Kind, Level, find},
    plan::{AllOf, Conditions, Plan},
    posting::ones,
    run::{BLOCK, MOST_COLUMNS, PieceNumber, Segment, WIDE_BLOCK, Words, large_piece, large_set, part_piece},
    values::key_of_pieces,
};

/// The piece of a directory that has a key.
pub fn key_piece(kind: Kind, key: u64, level: Level) -> PieceNumber {
    part_piece(kind, kind.place(key, level).0)
}

/// The events of one value in a segment.
#[derive(Default)]
struct ValueSet {
    /// Columns, counted on from run to run.
    columns: Vec<u32>,
    /// Pieces of runs, counted on in the same way.
    pieces: Vec<u32>,
}

/// The numbers of one run, counted from its own start.
fn of_run(numbers: &[u32], run: usize, kind: Kind) -> impl Iterator<Item = u32> {
    let first = run as u32 * kind.numbers();
    let start = numbers.partition_point(|number| *number < first);
    let end = numbers.partition_point(|number| *number - first.min(*number) < kind.numbers());
    numbers[start..end.max(start)].iter().map(move |number| number - first)
}

/// What was looked up of one segment.
pub struct Found {
    conditions: Conditions,
    values: HashMap<u64, ValueSet>,
    /// One bit per block, and per wide block, of all runs; None when the text has no such keys.
    blocks: Option<Words>,
    wide: Option<Words>,
    /// For what a dictionary makes of the text, where it is.
    terms: Vec<FoundTerm>,
}

/// A part of a text that is in words or pairs.
pub struct Term {
    /// Of the words or pairs. An event has one of them, or the part outside of words.
    pub keys: Vec<u64>,
    /// The part, by its place in those of the plan.
    pub word: usize,
}

struct FoundTerm {
    keys: Vec<u64>,
    /// One bit per block, or per wide block: where the part is outside of words.
    outside: (Kind, Words),
}

impl Found {
    /// With the pieces of the directories, and only the first keys of a text or all.
    pub fn new<'a>(
        segment: &Segment,
        plan: &Plan,
        only_first: bool,
        (conditions, terms): (Conditions, Vec<Term>),
        piece: impl Fn(PieceNumber) -> Option<&'a [u8]>,
    ) -> Self {
        let set = |kind: Kind, key: u64| {
            let (part, rest) = kind.place(key, segment.level);
            find(piece(part_piece(kind, part))?, rest, segment.universe(kind))
        };
        let numbers = |key: u64| -> Vec<u32> {
            set(Kind::Values, key).map(|set| set.numbers(segment.universe(Kind::Values))).unwrap_or_default()
        };
        let of_value = |key| (key, ValueSet { columns: numbers(key), pieces: numbers(key_of_pieces(key)) });
        // The blocks that have all of these keys.
        let with_all = |kind: Kind, keys: &mut dyn Iterator<Item = u32>| -> Option<Words> {
            let universe = segment.universe(kind);
            let mut all: Option<Words> = None;
            for key in keys {
                let mut words = vec![0; universe.div_ceil(64) as usize];
                if let Some(set) = set(kind, key.into()) {
                    set.add_to(&mut words, universe);
                }
                match &mut all {
                    Some(all) => and(all, &words),
                    None => all = Some(words),
                }
            }
            all
        };
        let of_kind = |kind| {
            with_all(
                kind,
                &mut plan.texts(only_first).filter(|(other, _)| *other == kind).map(|(_, key)| key),
            )
        };
        let found_terms: Vec<FoundTerm> = terms
            .into_iter()
            .map(|Term { keys, word }| {
                let (kind, outside) = &plan.words()[word].outside;
                let outside = with_all(*kind, &mut outside.iter().copied());
                FoundTerm { keys, outside: (*kind, outside.unwrap_or_default()) }
            })
            .collect();
        let keys = found_terms.iter().flat_map(|term| &term.keys).copied();
        Self {
            values: conditions.keys().into_iter().chain(keys).map(of_value).collect(),
            blocks: of_kind(Kind::Blocks),
            wide: of_kind(Kind::WideBlocks),
            terms: found_terms,
            conditions,
        }
    }

    /// The large sets of a run that a query needs.
    pub fn large_pieces(&self, run: usize) -> impl Iterator<Item = PieceNumber> {
        self.values.values().flat_map(move |set| of_run(&set.pieces, run, Kind::Values).map(large_piece))
    }

    /// The columns of a run that may match. `large` are its large sets; None while they are not loaded: then all columns
    /// may be in them.
    pub fn columns<'a>(
        &self,
        segment: &Segment,
        run: usize,
        large: Option<&dyn Fn(PieceNumber) -> Option<&'a [u8]>>,
    ) -> Words {
        let all = ones(segment.runs[run].columns());
        let mut left = all.clone();
        if let Some(blocks) = &self.blocks {
            and(&mut left, &spread::<BLOCK>(blocks, run, all.len()));
        }
        if let Some(wide) = &self.wide {
            and(&mut left, &spread::<WIDE_BLOCK>(wide, run, all.len()));
        }
        if left.iter().all(|word| *word == 0) {
            return left;
        }
        // The events of one value; None when they are in a piece that is not loaded.
        let value = |key: &u64| -> Option<Words> {
            let mut words = vec![0; all.len()];
            let Some(set) = self.values.get(key) else { return Some(words) };
            for piece in of_run(&set.pieces, run, Kind::Values) {
                let stored = large?(large_piece(piece)).and_then(large_set).unwrap_or_default();
                or(&mut words, &stored);
            }
            for column in of_run(&set.columns, run, Kind::Values) {
                if let Some(word) = words.get_mut(column as usize / 64) {
                    *word |= 1 << (column % 64);
                }
            }
            Some(words)
        };
        // The columns that have all of the values, and whether they are exact.
        let all_of = |keys: &AllOf| {
            let mut words = all.clone();
            let mut exact = true;
            for key in keys {
                match value(key) {
                    Some(found) => and(&mut words, &found),
                    None => exact = false,
                }
            }
            (words, exact)
        };
        for FoundTerm { keys, outside } in &self.terms {
            if let Some(words) = keys.iter().map(value).collect::<Option<Vec<_>>>() {
                let mut any = match outside {
                    (Kind::WideBlocks, outside) => spread::<WIDE_BLOCK>(outside, run, all.len()),
                    (_, outside) => spread::<BLOCK>(outside, run, all.len()),
                };
                words.iter().for_each(|words| or(&mut any, words));
                and(&mut left, &any);
            }
        }
        for group in &self.conditions.any {
            let mut any = vec![0; all.len()];
            for keys in group {
                or(&mut any, &all_of(keys).0);
            }
            and(&mut left, &any);
        }
        for keys in &self.conditions.none {
            if let (words, true) = all_of(keys) {
                left.iter_mut().zip(words).for_each(|(left, word)| *left &= !word);
            }
        }
        left
    }
}

fn and(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
}

fn or(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word |= other);
}

/// The columns of a run, in so many words, whose bit in `units` is set; `units` has one bit for so many columns, of all
/// runs.
fn spread<const COLUMNS: usize>(units: &[u64], run: usize, words: usize) -> Words {
    let first = run * MOST_COLUMNS / COLUMNS;
    let is_set = |unit: usize| units.get(unit / 64).is_some_and(|word| word >> (unit % 64) & 1 == 1);
    let ones = if COLUMNS >= 64 { u64::MAX } else { (1 << COLUMNS) - 1 };
    let word = |n: usize| {
        let set =
            (0..64).step_by(COLUMNS.min(64)).filter(|column| is_set(first + (n * 64 + column) / COLUMNS));
        set.fold(0, |word, column| word | ones << column)
    };
    (0..words).map(word).collect()
}
