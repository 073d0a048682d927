//! A run under construction.

use serde_json::{Map, Value};

use super::{
    directory::{Kind, Level},
    lists::Lists,
    pairs::{Keys, Values},
    run::{
        BLOCK, GROUP, MOST_COLUMNS, PieceNumber, Run, SIGNATURE_WORDS, TIMES, group_piece, words_piece,
        write_group, write_times,
    },
    texts::Texts,
    values,
};
use crate::{
    event::{Change, Event},
    filter::search::{metadata_texts, searched_texts},
};

/// Pairs of a key and a block that may be in memory, some 100 MB; a pair of a value and an event takes the space of two.
/// A run whose events have more is built of fewer events. Usual events have two thirds of it.
const MOST_PAIRS: usize = 24 << 20;

/// A run, and its pieces by number.
pub type Made = (Run, Vec<(PieceNumber, Vec<u8>)>);

/// The signature of one event.
pub(super) type Signature = [u64; SIGNATURE_WORDS];

pub struct Building {
    run: Run,
    level: Level,
    signatures: Vec<Signature>,
    /// The column of each seq, by its distance to the first.
    column_of: Vec<u16>,
    times: Vec<i64>,
    order: Vec<u16>,
    texts: Texts,
    marked: Marked,
    lists: Lists,
}

/// What the events have, without the signatures.
pub(super) struct Marked {
    pub(super) blocks: Keys,
    pub(super) wide: Keys,
    pub(super) values: Values,
}

impl Building {
    /// `times` are those of the events from `first_seq` on, by seq, without gaps.
    pub fn new(number: i32, level: Level, first_seq: i64, times: &[i64]) -> Self {
        let mut order: Vec<u16> = (0..times.len()).map(|place| place as u16).collect();
        // Stable: equal times stay in order of seq.
        order.sort_by_key(|place| times[usize::from(*place)]);
        let sorted: Vec<i64> = order.iter().map(|place| times[usize::from(*place)]).collect();
        let run = Run {
            number,
            first_seq,
            last_seq: first_seq + times.len() as i64 - 1,
            first_time: sorted.first().copied().unwrap_or_default(),
            last_time: sorted.last().copied().unwrap_or_default(),
        };
        let mut column_of = vec![0; times.len()];
        for (column, place) in order.iter().enumerate() {
            column_of[usize::from(*place)] = column as u16;
        }
        Self {
            level,
            signatures: vec![[0; SIGNATURE_WORDS]; times.len()],
            column_of,
            times: sorted,
            order,
            run,
            texts: Texts::default(),
            marked: Marked {
                blocks: Keys::new(Kind::Blocks, level),
                wide: Keys::new(Kind::WideBlocks, level),
                values: Values::new(level),
            },
            lists: Lists::default(),
        }
    }

    /// Adds an event. Returns false when the run has too much in it, and should be built of fewer events.
    pub fn add(&mut self, event: &Event, changes: &[Change], metadata: &Map<String, Value>) -> bool {
        let column = self.column_of[(event.seq - self.run.first_seq) as usize];
        let log = event.common.log;
        let Self { signatures, texts, marked, lists, .. } = self;
        values::values(event, changes, metadata, |field, parts| {
            if marked.values.add(log, field, parts, column) {
                lists.add(log, field, parts);
            }
        });
        let signature = &mut signatures[usize::from(column)];
        let mut text = |text: &str| texts.add(text, (log, column), signature, marked);
        searched_texts(event, changes, &mut text);
        metadata_texts(metadata, &mut text);
        marked.blocks.pairs() + marked.wide.pairs() + 2 * marked.values.pairs() <= MOST_PAIRS
    }

    /// The run and its pieces. Empty ones are left out.
    pub fn finish(self) -> Made {
        let Self { run, level, signatures, times, order, texts, marked, lists, .. } = self;
        let Marked { blocks, wide, values } = marked;
        let mut pieces = Vec::new();
        blocks.finish(&mut pieces);
        let large = values.finish(&mut pieces);
        wide.finish(&mut pieces);
        let mut dictionary = texts.dictionary(level);
        lists.add_to(&mut dictionary);
        pieces.extend(dictionary.finish().map(|(part, bytes)| (words_piece(part), bytes)));
        pieces.extend(large);
        let columns = times.chunks(GROUP).zip(order.chunks(GROUP)).zip(signatures.chunks(GROUP));
        for (group, ((times, places), signatures)) in columns.enumerate() {
            pieces.push((group_piece(group), write_group(times, places, signatures)));
        }
        let firsts: Vec<i64> = times.iter().step_by(GROUP).copied().collect();
        pieces.push((TIMES, write_times(&firsts)));
        (run, pieces)
    }
}

const _: () = assert!(MOST_COLUMNS / BLOCK <= 1 << 11, "a number has 11 bits");
