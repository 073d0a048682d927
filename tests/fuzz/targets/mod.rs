//! What is fuzzed. Each target has valid inputs to start from, and promises that it checks.

mod body;
mod cursor;
mod door;
mod filter;
mod mapping;
mod mask;
mod samples;

use rand_pcg::Pcg64Mcg;

pub(crate) const NAMES: &[&str] = &["cursor", "filter", "body", "mask", "mapping", "door"];

pub(crate) trait Target {
    fn name(&self) -> &'static str;

    /// Valid inputs, which mutations start from.
    fn seeds(&self) -> Vec<Vec<u8>>;

    /// A new input.
    fn mutate(&mut self, rng: &mut Pcg64Mcg, seeds: &[Vec<u8>]) -> Vec<u8>;

    /// Runs one input; true when it is accepted.
    ///
    /// # Panics
    /// When a promise is broken.
    fn run(&mut self, input: &[u8]) -> bool;

    /// The same kind of input, about as long as this; None where inputs have a fixed length.
    fn grown(&self, input: &[u8], length: usize) -> Option<Vec<u8>>;
}

pub(crate) fn by_name(name: &str) -> Option<Box<dyn Target>> {
    Some(match name {
        "cursor" => Box::new(cursor::Cursors),
        "filter" => Box::new(filter::Filters::new()),
        "body" => Box::new(body::Bodies::new()),
        "mask" => Box::new(mask::Masks::new()),
        "mapping" => Box::new(mapping::Mapping::new()),
        "door" => Box::new(door::Doors::new()),
        _ => return None,
    })
}

/// Splits an input at its first line break: what it is for, and the rest.
fn headed(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&[], input),
    }
}
