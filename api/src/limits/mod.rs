//! Limits: how many requests a caller may send per minute, how often somebody may guess a password, and how many answers
//! that take long may run at once.
//!
//! The counts are kept in memory: each server counts for itself, and a restart resets them.

pub mod passwords;
pub mod requests;
pub mod streams;
pub mod unverified;

use std::time::Duration;

use crate::http::error::{Code, Problem};

/// 429, with the time to wait in whole seconds. `of` says what there was too much of.
fn too_many(of: &str, wait: Duration) -> Problem {
    let seconds = whole_seconds(wait).max(1);
    let detail = format!("too many {of}; try again in {seconds} s");
    Problem { retry_after_seconds: Some(seconds), ..Problem::new(Code::RateLimited, detail) }
}

fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}
