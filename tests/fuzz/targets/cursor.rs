//! Texts as cursors of a page.

use logbook::http::page::Cursor;
use logbook_engine::{
    db::timestamp::Timestamp,
    order::{Order, Position},
};
use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use super::Target;
use crate::mutate::{mutated, one_in, pick};

const HASHES: [[u8; 8]; 3] = [[0; 8], [7; 8], [0xff; 8]];
const ORDERS: [Order; 2] = [Order::Asc, Order::Desc];

pub(crate) struct Cursors;

impl Target for Cursors {
    fn name(&self) -> &'static str {
        "cursor"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let mut seeds = Vec::new();
        for order in ORDERS {
            for filter_hash in HASHES {
                for (micros, seq) in
                    [(0, 0), (1_795_380_538_323_338, 41), (253_402_300_799_999_999, i64::MAX)]
                {
                    let position = Position { occurred_at: Timestamp(micros), seq };
                    seeds.push(Cursor { order, position, filter_hash }.encode().into_bytes());
                }
            }
        }
        seeds
    }

    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = pick(rng, seeds).clone();
        if one_in(rng, 3) {
            return mutated(rng, &input, seeds, &[]);
        }
        // Letters of the alphabet in place of others: the length stays right, and what is inside changes.
        for _ in 0..rng.random_range(1..6_u32) {
            let at = rng.random_range(0..input.len());
            input[at] = *pick(rng, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
        }
        input
    }

    fn run(&mut self, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        let mut accepted = false;
        for order in ORDERS {
            for filter_hash in HASHES {
                match Cursor::decode(&text, order, filter_hash) {
                    Ok(position) => {
                        accepted = true;
                        assert!(
                            position.seq >= 0 && position.occurred_at.micros() >= 0,
                            "a place that exists"
                        );
                        let again = Cursor { order, position, filter_hash }.encode();
                        assert_eq!(again, text, "a cursor has one form");
                    }
                    Err(problem) => assert!(problem.code.name().starts_with("cursor_"), "{problem:?}"),
                }
            }
        }
        accepted
    }

    fn grown(&self, _: &[u8], _: usize) -> Option<Vec<u8>> {
        None
    }
}
