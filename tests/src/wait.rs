//! Waiting for what another thread or process is about to do.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a story waits for something that has to happen. On a slow machine everything takes longer, so this only ends
/// what would never end.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// Asks again and again until the condition holds.
///
/// # Panics
/// When it does not hold within [`PATIENCE`].
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(2);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: this never came true");
        thread::sleep(pause);
        // Asking often would slow down what it waits for.
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Sets a flag when it is dropped, also by a panic: threads that run until the flag is set would otherwise run for ever.
pub struct SetOnDrop<'a>(pub &'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
