//! Whether time grows with the length of an input, or faster. A clock alone says little on a busy machine, so each of the
//! slowest inputs is repeated until it is long, and compared with itself four times as long.

use std::time::{Duration, Instant};

use crate::{driver::attempt, targets::Target};

const HALF: usize = 16 * 1024;
/// What is linear takes four times as long, what is quadratic sixteen times.
const MOST: f64 = 10.0;
/// Something else may have had the processor; what is quadratic fails each time.
const TRIES: usize = 5;

/// What takes longer than its length allows.
pub(crate) fn check(target: &mut dyn Target, slowest: &[(Duration, Vec<u8>)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (_, input) in slowest {
        let Some(half) = target.grown(input, HALF) else { continue };
        let Some(whole) = target.grown(input, 4 * HALF) else { continue };
        let mut factor = f64::MAX;
        for _ in 0..TRIES {
            // Below a millisecond the clock says little.
            let before = seconds(target, &half).max(0.001);
            factor = factor.min(seconds(target, &whole) / before);
        }
        if factor > MOST {
            let shown: String = input.escape_ascii().take(500).map(char::from).collect();
            wrong.push(format!(
                "SLOW {}: {factor:.0} times as long for four times the length: {shown}",
                target.name()
            ));
        }
    }
    wrong
}

fn seconds(target: &mut dyn Target, input: &[u8]) -> f64 {
    let start = Instant::now();
    drop(attempt(target, input));
    start.elapsed().as_secs_f64()
}
