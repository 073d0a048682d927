//! Changes bytes at random: flips, cuts, repeats, splices two inputs, and puts nasty parts in place of tokens.

use std::ops::Range;

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;

use crate::nasty;

/// Longest input, in bytes, except for the few that are long on purpose.
const USUAL: usize = 8 * 1024;
const LONG: usize = 128 * 1024;

pub(crate) fn pick<'a, T>(rng: &mut Pcg64Mcg, all: &'a [T]) -> &'a T {
    &all[rng.random_range(0..all.len())]
}

/// True one time in `n`.
pub(crate) fn one_in(rng: &mut Pcg64Mcg, n: u32) -> bool {
    rng.random_range(0..n) == 0
}

/// One or several changes; mostly few, so that the input is still nearly valid.
pub(crate) fn mutated(rng: &mut Pcg64Mcg, seed: &[u8], seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = seed.to_vec();
    let limit = if one_in(rng, 2000) { LONG } else { USUAL };
    loop {
        change(rng, &mut input, seeds, words, limit);
        input.truncate(limit.max(seed.len()));
        if one_in(rng, 3) {
            return input;
        }
    }
}

fn change(rng: &mut Pcg64Mcg, input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str], limit: usize) {
    if input.is_empty() {
        input.extend_from_slice(pick(rng, nasty::TEXTS).as_bytes());
        return;
    }
    let at = rng.random_range(0..input.len());
    match rng.random_range(0..14_u32) {
        0 => input[at] ^= 1 << rng.random_range(0..8_u32),
        1 => input[at] = rng.random_range(0..=255_u8),
        2 => input.insert(at, rng.random_range(0..=255_u8)),
        3 => drop(input.drain(range(rng, input.len()))),
        4 => {
            let part = input[range(rng, input.len())].to_vec();
            splice(input, at..at, &part);
        }
        5 => {
            let part = input[range(rng, input.len())].to_vec();
            let times = if one_in(rng, 20) { 4000 } else { rng.random_range(2..40_usize) };
            let part = part.repeat(times.min(limit / part.len().max(1)));
            splice(input, at..at, &part);
        }
        6 | 7 => {
            let other = pick(rng, seeds);
            if !other.is_empty() {
                let (part, own) = (range(rng, other.len()), range(rng, input.len()));
                splice(input, own, &other[part]);
            }
        }
        8 => input.truncate(at),
        9 => splice(input, at..at, pick(rng, nasty::TEXTS).as_bytes()),
        10 => {
            let (open, close) = pick(rng, nasty::OPENERS);
            let times = if one_in(rng, 10) { 500 } else { rng.random_range(1..60_usize) };
            let own = token(input, at);
            let wrapped =
                [open.repeat(times).as_bytes(), &input[own.clone()], close.repeat(times).as_bytes()].concat();
            splice(input, own, &wrapped);
        }
        _ => {
            let own = token(input, at);
            let list = match rng.random_range(0..4_u32) {
                0 => nasty::TEXTS,
                1 => nasty::NUMBERS,
                2 => nasty::TIMES,
                _ if words.is_empty() => nasty::TEXTS,
                _ => words,
            };
            splice(input, own, pick(rng, list).as_bytes());
        }
    }
}

fn splice(input: &mut Vec<u8>, place: Range<usize>, part: &[u8]) {
    input.splice(place, part.iter().copied());
}

/// A part, mostly a short one.
fn range(rng: &mut Pcg64Mcg, length: usize) -> Range<usize> {
    let from = rng.random_range(0..length);
    let most = if one_in(rng, 4) { length - from } else { (length - from).min(24) };
    from..from + rng.random_range(1..=most.max(1)).min(length - from)
}

/// The letters and digits around a place; the byte there if it is neither.
fn token(input: &[u8], at: usize) -> Range<usize> {
    let is_inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte) || !byte.is_ascii();
    if !is_inside(&input[at]) {
        return at..at + 1;
    }
    let from = input[..at].iter().rposition(|byte| !is_inside(byte)).map_or(0, |before| before + 1);
    let until = input[at..].iter().position(|byte| !is_inside(byte)).map_or(input.len(), |after| at + after);
    from..until
}
