//! What the directories say of a query: in each run, which columns may match.

use std::collections::HashMap;

use super::{
    directory::{Kind, Level, find},
    plan::{AllOf, Plan},
    posting::ones,
    run::{BLOCK, GROUP, PieceNumber, Segment, Words, large_piece, large_set, part_piece},
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
    values: HashMap<u64, ValueSet>,
    /// One bit per block, and per group, of all runs; None when the text has no such keys.
    blocks: Option<Words>,
    groups: Option<Words>,
}

impl Found {
    /// With the pieces of the directories, and only the first keys of a text or all.
    pub fn new<'a>(
        segment: &Segment,
        plan: &Plan,
        only_first: bool,
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
        let mut found =
            Self { values: plan.values().into_iter().map(of_value).collect(), blocks: None, groups: None };
        for (kind, key) in plan.texts(only_first) {
            let universe = segment.universe(kind);
            let mut words = vec![0; universe.div_ceil(64) as usize];
            if let Some(set) = set(kind, key.into()) {
                set.add_to(&mut words, universe);
            }
            let all = if kind == Kind::Groups { &mut found.groups } else { &mut found.blocks };
            match all {
                Some(all) => all.iter_mut().zip(words).for_each(|(all, word)| *all &= word),
                None => *all = Some(words),
            }
        }
        found
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
        plan: &Plan,
        run: usize,
        large: Option<&dyn Fn(PieceNumber) -> Option<&'a [u8]>>,
    ) -> Words {
        let all = ones(segment.runs[run].columns());
        let mut left = all.clone();
        if let Some(blocks) = &self.blocks {
            and_spread::<BLOCK>(&mut left, blocks, run);
        }
        if let Some(groups) = &self.groups {
            and_spread::<GROUP>(&mut left, groups, run);
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
                words.iter_mut().zip(stored).for_each(|(word, other)| *word |= other);
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
        for group in &plan.any {
            let mut any = vec![0; all.len()];
            for keys in group {
                any.iter_mut().zip(all_of(keys).0).for_each(|(any, word)| *any |= word);
            }
            and(&mut left, &any);
        }
        for keys in &plan.none {
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

/// Keeps the columns of a run whose bit in `units` is set; `units` has one bit for so many columns, of all runs.
fn and_spread<const COLUMNS: usize>(columns: &mut [u64], units: &[u64], run: usize) {
    let first = run * super::run::MOST_COLUMNS / COLUMNS;
    for (n, word) in columns.iter_mut().enumerate() {
        let mask = (0..64).step_by(COLUMNS.min(64)).fold(0, |mask, column| {
            let unit = first + (n * 64 + column) / COLUMNS;
            let is_set = units.get(unit / 64).is_some_and(|word| word >> (unit % 64) & 1 == 1);
            let ones = if COLUMNS >= 64 { u64::MAX } else { (1 << COLUMNS) - 1 };
            if is_set { mask | ones << column } else { mask }
        });
        *word &= mask;
    }
}
