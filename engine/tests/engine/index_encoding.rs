//! The encoding of the search index, without a database: sets of numbers.

use logbook_engine::{
    index::posting::{add_bits, read, skip, write},
    varint::Reader,
};
use proptest::{collection::vec, prelude::*};

/// Ascending numbers below `all`, at least one.
fn numbers(all: u32) -> impl Strategy<Value = Vec<u32>> {
    (0.0..=1.0f64, any::<u64>()).prop_map(move |(density, seed)| {
        let mut state = seed | 1;
        let mut chance = || {
            // xorshift64 (Marsaglia 2003): the numbers themselves need not shrink.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        // Mostly few, as in practice.
        let mut numbers: Vec<u32> = (0..all).filter(|_| chance() < density.powi(4)).collect();
        if numbers.is_empty() {
            numbers.push((chance() * f64::from(all)) as u32);
        }
        numbers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sets_are_read_as_they_were_written(
        (all, sets) in (1..=70_000_u32).prop_flat_map(|all| (Just(all), vec(numbers(all), 1..6))),
        cut in any::<usize>(),
    ) {
        let mut bytes = Vec::new();
        for numbers in &sets {
            let before = bytes.len();
            write(&mut bytes, numbers, all);
            prop_assert!(bytes.len() - before <= 8 + all.div_ceil(8) as usize, "never longer than a bit a number");
        }
        let start = || Reader { bytes: &bytes, at: 0 };
        let (mut reader, mut skipped, mut added, mut until) = (start(), start(), start(), start());
        for numbers in &sets {
            prop_assert_eq!(&read(&mut reader, all).expect("a set"), numbers);
            let mut words = vec![0u64; all.div_ceil(64) as usize];
            add_bits(&mut added, all, all, &mut words).expect("a set");
            let found: Vec<u32> = (0..all).filter(|n| words[*n as usize / 64] >> (n % 64) & 1 == 1).collect();
            prop_assert_eq!(&found, numbers);
            let end = cut as u32 % all;
            let mut words = vec![0u64; all.div_ceil(64) as usize];
            add_bits(&mut until, all, end, &mut words).expect("a set");
            let below = |n: &u32| words[*n as usize / 64] >> (n % 64) & 1 == 1;
            let found: Vec<u32> = (0..end).filter(below).collect();
            prop_assert!(found.iter().eq(numbers.iter().take_while(|n| **n < end)));
            skip(&mut skipped, all).expect("a set");
            prop_assert_eq!([skipped.at, added.at, until.at], [reader.at; 3]);
        }
        prop_assert_eq!(reader.at, bytes.len());
        // Bytes that are cut off, or others, never cause a panic.
        let cut = || Reader { bytes: &bytes[..cut % bytes.len()], at: 0 };
        let (mut reader, mut added) = (cut(), cut());
        while read(&mut reader, all).is_some() {}
        while add_bits(&mut added, all, all, &mut [0; 3]).is_some() {}
    }
}

/// The gaps between random numbers take little more than they must.
#[test]
fn rare_numbers_take_few_bits() {
    let length = |step: usize| {
        let mut bytes = Vec::new();
        let numbers: Vec<u32> = (0..65_536).step_by(step).collect();
        write(&mut bytes, &numbers, 65_536);
        bytes.len() * 8 / numbers.len()
    };
    assert_eq!((length(1000), length(100), length(10)), (11, 8, 5));
}
