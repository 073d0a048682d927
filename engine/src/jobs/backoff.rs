//! How long a workspace waits after a job failed for it, so that it neither blocks others nor fills the log.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The wait after the first failure. Each further failure doubles it …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The workspaces of one job whose last turn failed.
#[derive(Default)]
pub(super) struct Backoff {
    /// Failures in a row, and when the next try is due.
    waiting: HashMap<i32, (u32, Instant)>,
}

impl Backoff {
    pub(super) fn is_waiting(&self, workspace_id: i32) -> bool {
        self.waiting.get(&workspace_id).is_some_and(|(_, again)| Instant::now() < *again)
    }

    /// After a failure. Returns how long the workspace waits now.
    pub(super) fn extend(&mut self, workspace_id: i32) -> Duration {
        let (times, again) = self.waiting.entry(workspace_id).or_insert((0, Instant::now()));
        let wait = (FIRST_WAIT * 2u32.pow(*times)).min(LONGEST_WAIT);
        (*times, *again) = ((*times + 1).min(16), Instant::now() + wait);
        wait
    }

    /// After a success.
    pub(super) fn forget(&mut self, workspace_id: i32) {
        self.waiting.remove(&workspace_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_in_a_row_doubles_the_wait_of_that_workspace() {
        let mut backoff = Backoff::default();
        assert!(!backoff.is_waiting(1));
        let waits: Vec<u64> = (0..12).map(|_| backoff.extend(1).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert!(backoff.is_waiting(1) && !backoff.is_waiting(2));
        backoff.forget(1);
        assert!(!backoff.is_waiting(1));
        assert_eq!(backoff.extend(1), FIRST_WAIT);
    }
}
