//! What the directories say of a query: in each run, which columns may match.

use std::{cell::Cell, collections::HashMap};

use super::{
    directory::{Kind, Level, find, find_two},
    plan::{AllOf, Conditions, Plan},
    posting::{self, ones},
    run::{
        BLOCK, MOST_COLUMNS, PieceNumber, Segment, WIDE_BLOCK, Words, add_large_set, large_piece, part_piece,
    },
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
        let of_value = |key: u64| {
            let (part, rest) = Kind::Values.place(key, segment.level);
            let universe = segment.universe(Kind::Values);
            let two = piece(part_piece(Kind::Values, part)).map(|part| find_two(part, rest, universe));
            // The next key is that of its pieces.
            let [columns, pieces] = two
                .unwrap_or_default()
                .map(|set| set.and_then(|mut set| posting::read(&mut set, universe)).unwrap_or_default());
            (key, ValueSet { columns, pieces })
        };
        // The blocks that have all of these keys.
        let with_all = |kind: Kind, keys: &mut dyn Iterator<Item = u32>| -> Option<Words> {
            let universe = segment.universe(kind);
            let mut all: Option<Words> = None;
            for key in keys {
                let mut words = vec![0; universe.div_ceil(64) as usize];
                let (part, rest) = kind.place(key.into(), segment.level);
                let part = piece(part_piece(kind, part));
                if let Some(mut set) = part.and_then(|part| find(part, rest, universe)) {
                    // A damaged one has fewer.
                    let _ = posting::add_bits(&mut set, universe, universe, &mut words);
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

    /// False when no column of a run can match, which is quickly seen.
    pub fn may_have(&self, run: usize) -> bool {
        let any_in = |numbers: &[u32]| of_run(numbers, run, Kind::Values).next().is_some();
        let has =
            |key: &u64| self.values.get(key).is_some_and(|set| any_in(&set.columns) || any_in(&set.pieces));
        let in_blocks = |kind: Kind, units: &[u64]| {
            let of_one = kind.numbers() as usize / 64;
            units.iter().skip(run * of_one).take(of_one).any(|word| *word != 0)
        };
        self.blocks.as_ref().is_none_or(|units| in_blocks(Kind::Blocks, units))
            && self.wide.as_ref().is_none_or(|units| in_blocks(Kind::WideBlocks, units))
            && self.conditions.any.iter().all(|group| group.iter().any(|keys| keys.iter().all(has)))
            && self.terms.iter().all(|FoundTerm { keys, outside: (kind, units) }| {
                keys.iter().any(has) || in_blocks(*kind, units)
            })
    }

    /// The columns of a run that may match, before `end`; others may be among them. `large` are its large sets; None while they are
    /// not loaded: then all columns may be in them.
    pub fn columns<'a>(
        &self,
        segment: &Segment,
        run: usize,
        end: usize,
        large: Option<&dyn Fn(PieceNumber) -> Option<&'a [u8]>>,
    ) -> Words {
        let all = ones(segment.runs[run].columns());
        let mut left = all.clone();
        let mut found = vec![0; all.len()];
        if let Some(blocks) = &self.blocks {
            spread::<BLOCK>(blocks, run, &mut found);
            and(&mut left, &found);
        }
        if let Some(wide) = &self.wide {
            spread::<WIDE_BLOCK>(wide, run, &mut found);
            and(&mut left, &found);
        }
        if left.iter().all(|word| *word == 0) {
            return left;
        }
        let end = Cell::new(end);
        // Adds the events of one value; false when they are in a piece that is not loaded.
        let add = |key: &u64, words: &mut Words| -> bool {
            let Some(set) = self.values.get(key) else { return true };
            for piece in of_run(&set.pieces, run, Kind::Values) {
                let Some(large) = large else { return false };
                if let Some(stored) = large(large_piece(piece)) {
                    add_large_set(stored, end.get(), words);
                }
            }
            for column in of_run(&set.columns, run, Kind::Values) {
                if let Some(word) = words.get_mut(column as usize / 64) {
                    *word |= 1 << (column % 64);
                }
            }
            true
        };
        // Adds the columns that have all of the values; false when they may be fewer.
        let mut one = vec![0; all.len()];
        let mut add_all = |keys: &AllOf, words: &mut Words| -> bool {
            if let [key] = keys.as_slice() {
                let known = add(key, words);
                if !known {
                    words.clone_from(&all);
                }
                return known;
            }
            let mut exact = true;
            let mut both = all.clone();
            for key in keys {
                one.fill(0);
                match add(key, &mut one) {
                    true => and(&mut both, &one),
                    false => exact = false,
                }
            }
            or(words, &both);
            exact
        };
        // Small sets come first: where they leave nothing, or only early columns, the large ones need not be read to their end.
        let bytes = |keys: &AllOf| -> usize {
            let sets = keys.iter().filter_map(|key| self.values.get(key));
            let pieces = sets.flat_map(|set| of_run(&set.pieces, run, Kind::Values));
            pieces.filter_map(|piece| large?(large_piece(piece))).map(<[u8]>::len).sum()
        };
        let terms = self.terms.iter().map(|term| (bytes(&term.keys), Step::Term(term)));
        let any = self.conditions.any.iter().map(|any| (any.iter().map(bytes).sum(), Step::Any(any)));
        let none = self.conditions.none.iter().map(|none| (bytes(none), Step::None(none)));
        let mut steps: Vec<(usize, Step<'_>)> = terms.chain(any).chain(none).collect();
        steps.sort_by_key(|(bytes, _)| *bytes);
        for (_, step) in steps {
            match step {
                Step::Term(FoundTerm { keys, outside }) => {
                    match outside {
                        (Kind::WideBlocks, outside) => spread::<WIDE_BLOCK>(outside, run, &mut found),
                        (_, outside) => spread::<BLOCK>(outside, run, &mut found),
                    }
                    if keys.iter().all(|key| add(key, &mut found)) {
                        and(&mut left, &found);
                    }
                }
                Step::Any(any) => {
                    found.fill(0);
                    for keys in any {
                        add_all(keys, &mut found);
                    }
                    and(&mut left, &found);
                }
                Step::None(keys) => {
                    found.fill(0);
                    if add_all(keys, &mut found) {
                        left.iter_mut().zip(&found).for_each(|(left, word)| *left &= !word);
                    }
                }
            }
            let last = left.iter().rposition(|word| *word != 0);
            let Some(last) = last else { return left };
            end.set(end.get().min((last + 1) * 64));
        }
        left
    }
}

/// A condition on a run's columns.
enum Step<'a> {
    Term(&'a FoundTerm),
    /// All of one of these.
    Any(&'a [AllOf]),
    /// Not all of these.
    None(&'a AllOf),
}

fn and(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word &= other);
}

fn or(words: &mut [u64], others: &[u64]) {
    words.iter_mut().zip(others).for_each(|(word, other)| *word |= other);
}

/// Makes `columns` those of a run whose bit in `units` is set; `units` has one bit for so many columns, of all runs.
fn spread<const COLUMNS: usize>(units: &[u64], run: usize, columns: &mut Words) {
    const { assert!(COLUMNS == 32 || COLUMNS.is_multiple_of(64)) };
    let first = run * MOST_COLUMNS / COLUMNS;
    let is_set = |unit: usize| units.get(unit / 64).is_some_and(|word| word >> (unit % 64) & 1 == 1);
    for (n, word) in columns.iter_mut().enumerate() {
        *word = match COLUMNS {
            32 => [0, 0xffff_ffff, 0xffff_ffff << 32, u64::MAX][two_bits(units, first + n * 2)],
            _ if is_set(first + n * 64 / COLUMNS) => u64::MAX,
            _ => 0,
        };
    }
}

/// Of bits `at` and the next one, where `at` is even.
fn two_bits(units: &[u64], at: usize) -> usize {
    units.get(at / 64).map_or(0, |word| (word >> (at % 64) & 3) as usize)
}
