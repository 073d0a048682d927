//! Changes JSON as JSON, so that what comes out still parses and reaches the checks behind the parser.

use rand::RngExt as _;
use rand_pcg::Pcg64Mcg;
use serde_json::{Map, Value};

use crate::{
    mutate::{mutated, one_in, pick},
    nasty,
};

/// One or several changes somewhere inside.
pub(crate) fn mutate(rng: &mut Pcg64Mcg, value: &mut Value, others: &[Value], words: &[&str]) {
    loop {
        let mut n = rng.random_range(0..count(value));
        if let Some(node) = nth(value, &mut n) {
            change(rng, node, others, words);
        }
        if one_in(rng, 2) {
            return;
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0_usize,
    }
}

fn nth<'v>(value: &'v mut Value, n: &mut usize) -> Option<&'v mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, n)),
        Value::Object(map) => map.values_mut().find_map(|item| nth(item, n)),
        _ => None,
    }
}

fn change(rng: &mut Pcg64Mcg, node: &mut Value, others: &[Value], words: &[&str]) {
    match (rng.random_range(0..9_u32), &mut *node) {
        (0, _) => *node = leaf(rng, words),
        (1, _) => {
            let mut other = pick(rng, others).clone();
            let mut n = rng.random_range(0..count(&other));
            if let Some(part) = nth(&mut other, &mut n) {
                *node = part.take();
            }
        }
        (2, _) => {
            let depth = if one_in(rng, 8) { 100 } else { rng.random_range(1..36_u32) };
            let mut inner = node.take();
            for _ in 0..depth {
                inner = match one_in(rng, 2) {
                    true => Value::Array(vec![inner]),
                    false => Value::Object(Map::from_iter([(word(rng, words), inner)])),
                };
            }
            *node = inner;
        }
        (3 | 4, Value::Object(map)) => drop(map.insert(word(rng, words), leaf(rng, words))),
        (5, Value::Object(map)) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            if !keys.is_empty()
                && let Some(value) = map.remove(pick(rng, &keys))
                && one_in(rng, 2)
            {
                map.insert(word(rng, words), value);
            }
        }
        (3 | 4, Value::Array(items)) => {
            let item = items.first().cloned().unwrap_or_else(|| leaf(rng, words));
            let times = if one_in(rng, 30) { 1100 } else { rng.random_range(1..60_usize) };
            items.extend(std::iter::repeat_n(item, times));
        }
        (5, Value::Array(items)) => drop(items.pop()),
        (3..7, Value::String(text)) => {
            let others = [word(rng, words).into_bytes()];
            let changed = mutated(rng, text.as_bytes(), &others, words);
            *text = String::from_utf8_lossy(&changed).into_owned();
        }
        (7, Value::String(text)) => {
            let length = if one_in(rng, 10) { 70_000 } else { rng.random_range(1..3000_usize) };
            *text = text.repeat(length / text.len().max(1));
        }
        // JSON inside a text.
        (8, _) => *node = Value::String(node.to_string()),
        _ => *node = leaf(rng, words),
    }
}

fn word(rng: &mut Pcg64Mcg, words: &[&str]) -> String {
    if words.is_empty() || one_in(rng, 4) { *pick(rng, nasty::TEXTS) } else { *pick(rng, words) }.to_owned()
}

fn leaf(rng: &mut Pcg64Mcg, words: &[&str]) -> Value {
    match rng.random_range(0..6_u32) {
        0 => Value::Null,
        1 => Value::Bool(one_in(rng, 2)),
        // Those that JSON does not know, or Rust does not hold, stay texts.
        2 => serde_json::from_str(pick::<&str>(rng, nasty::NUMBERS)).unwrap_or(Value::Null),
        3 => Value::from(*pick(rng, nasty::TIMES)),
        4 => Value::from(*pick(rng, nasty::NUMBERS)),
        _ => Value::from(word(rng, words)),
    }
}
