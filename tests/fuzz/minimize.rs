//! Makes a failing input smaller, as long as it fails.

use crate::{driver::attempt, targets::Target};

/// Attempts, at most.
const ATTEMPTS: usize = 5000;

/// Leaves out parts, first large ones and then single bytes, as long as the input still fails.
pub(crate) fn minimized(target: &mut dyn Target, mut input: Vec<u8>) -> Vec<u8> {
    let mut attempts = 0;
    let mut size = input.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < input.len() && attempts < ATTEMPTS {
            let until = (from + size).min(input.len());
            let smaller = [&input[..from], &input[until..]].concat();
            attempts += 1;
            if attempt(target, &smaller).is_err() {
                input = smaller;
            } else {
                from = until;
            }
        }
        size /= 2;
    }
    input
}
