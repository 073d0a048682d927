//! The encoding of the search index, without a database: postings, and a segment of the largest size.

use std::collections::BTreeMap;

use logbook_engine::index::{
    posting::{read_posting, write_posting},
    segment::{
        BLOCK, Building, MOST_COLUMNS, TIMES, block_time, candidate_blocks, candidate_columns, order_piece,
        seq_at,
    },
    signature::{Mark, Plan, Term},
};
use proptest::{collection::btree_map, prelude::*};

const BLOCKS: usize = MOST_COLUMNS.div_ceil(BLOCK);

/// Blocks that have a key, of all the blocks of a segment.
fn blocks(all: usize) -> impl Strategy<Value = Vec<u16>> {
    (0.0..=1.0f64, any::<u64>()).prop_map(move |(density, seed)| {
        let mut state = seed | 1;
        let mut chance = || {
            // xorshift64 (Marsaglia 2003): the blocks themselves need not shrink.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        // Mostly few, as in practice.
        (0..all as u16).filter(|_| chance() < density.powi(4)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_posting_is_read_as_it_was_written(
        (all, postings) in (1..=BLOCKS).prop_flat_map(|all| (Just(all), btree_map(any::<u16>(), blocks(all), 1..6))),
        stranger in any::<u16>(),
        cut in any::<usize>(),
    ) {
        let mut piece = Vec::new();
        for (key, blocks) in &postings {
            let before = piece.len();
            write_posting(&mut piece, *key, blocks.iter().copied(), all);
            prop_assert!(piece.len() - before <= 3 + all.div_ceil(8), "never longer than a bit a block");
        }
        let read = |piece: &[u8], key: u16| {
            let mut words = vec![0u64; all.div_ceil(64)];
            read_posting(piece, key, all, &mut words);
            (0..all as u16).filter(|n| words[usize::from(n / 64)] >> (n % 64) & 1 == 1).collect::<Vec<_>>()
        };
        for (key, blocks) in &postings {
            prop_assert_eq!(&read(&piece, *key), blocks);
        }
        if !postings.contains_key(&stranger) {
            prop_assert_eq!(read(&piece, stranger), Vec::<u16>::new());
        }
        // A piece that is cut off gives fewer blocks, and never a panic.
        for (key, blocks) in &postings {
            let cut = &piece[..cut % piece.len()];
            prop_assert!(read(cut, *key).iter().all(|block| blocks.contains(block)));
        }
    }
}

#[test]
fn a_full_segment_finds_each_of_its_events() {
    const FIRST: i64 = 1_000_001;
    const BIT: u16 = 7;
    let all = MOST_COLUMNS as i64;
    // Times go back and forth, and each occurs several times.
    let time_of = |n: i64| n * 7919 % 20_011;
    let times: Vec<i64> = (0..all).map(time_of).collect();
    let key_of = |n: i64| (n as u32).wrapping_mul(0x9e37_79b9);
    let mut building = Building::new(1, FIRST, &times);
    for n in 0..all {
        building.mark(FIRST + n, Mark::Key(key_of(n)));
        if n % 1000 == 0 {
            building.mark(FIRST + n, Mark::Bit(BIT));
        }
    }
    let (segment, pieces) = building.finish();
    assert_eq!((segment.first_seq, segment.last_seq), (FIRST, FIRST + all - 1));
    assert_eq!((segment.first_time, segment.last_time), (0, 20_010));
    let pieces: BTreeMap<_, _> = pieces.into_iter().collect();
    let seq = |column: usize| seq_at(&segment, &pieces[&order_piece(column)], column).expect("a seq");
    let order: Vec<(i64, i64)> =
        (0..MOST_COLUMNS).map(|column| (time_of(seq(column) - FIRST), seq(column))).collect();
    let mut expected: Vec<(i64, i64)> = (0..all).map(|n| (time_of(n), FIRST + n)).collect();
    expected.sort_unstable();
    assert!(order == expected, "columns are in order of time and seq");

    let mut piece = |number| pieces.get(&number).map(Vec::as_slice);
    let ones = |words: &[u64]| -> Vec<usize> {
        (0..words.len() * 64).filter(|n| words[n / 64] >> (n % 64) & 1 == 1).collect()
    };
    for n in (0..all).step_by(997) {
        let term = Term { keys: vec![key_of(n)], bits: Vec::new() };
        let column = order.binary_search(&(time_of(n), FIRST + n)).expect("a column");
        let blocks = candidate_blocks(&segment, &Plan { groups: vec![vec![term]] }, &mut piece);
        assert_eq!(ones(&blocks), [column / BLOCK], "{n}");
        assert_eq!(block_time(&pieces[&TIMES], column / BLOCK), Some(order[column / BLOCK * BLOCK].0));
    }
    let plan = Plan { groups: vec![vec![Term { keys: Vec::new(), bits: vec![BIT] }]] };
    let blocks = candidate_blocks(&segment, &plan, &mut piece);
    assert_eq!(ones(&blocks).len(), MOST_COLUMNS / BLOCK, "bits say nothing of blocks");
    let columns = ones(&candidate_columns(&segment, &plan, &blocks, &mut piece));
    let mut found: Vec<i64> = columns.into_iter().map(|column| order[column].1 - FIRST).collect();
    found.sort_unstable();
    assert_eq!(found, (0..all).step_by(1000).collect::<Vec<_>>());
}
