//! The encoding of the search index, without a database: sets of numbers.

use logbook_engine::{
    index::posting::{read, skip, write},
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
        let (mut reader, mut skipped) = (Reader { bytes: &bytes, at: 0 }, Reader { bytes: &bytes, at: 0 });
        for numbers in &sets {
            let set = read(&mut reader, all).expect("a set");
            let mut words = vec![0u64; all.div_ceil(64) as usize];
            set.add_to(&mut words, all);
            let found: Vec<u32> = (0..all).filter(|n| words[*n as usize / 64] >> (n % 64) & 1 == 1).collect();
            prop_assert_eq!(&found, numbers);
            prop_assert_eq!(&set.numbers(all), numbers);
            skip(&mut skipped, all).expect("a set");
            prop_assert_eq!(skipped.at, reader.at);
        }
        prop_assert_eq!(reader.at, bytes.len());
        // Bytes that are cut off, or others, never cause a panic.
        let mut reader = Reader { bytes: &bytes[..cut % bytes.len()], at: 0 };
        while read(&mut reader, all).is_some() {}
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
