//! Ends work whose answer nobody waits for any more: the client has gone, or the request took too long.
//!
//! Queries run on threads of their own, which a request cannot stop. A loop that reads many rows asks [`check`].

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Error, Result};

thread_local! {
    /// Set when nobody waits for the work of this thread.
    static GIVEN_UP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Who waits for an answer. Dropped, it gives it up.
#[derive(Default)]
pub(super) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Runs `work` on this thread so that it ends early when this is dropped.
    pub(super) fn work<T, W: FnOnce() -> T>(&self, work: W) -> impl FnOnce() -> T + use<T, W> {
        let given_up = self.0.clone();
        move || {
            let before = GIVEN_UP.replace(Some(given_up));
            let done = work();
            GIVEN_UP.replace(before);
            done
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// # Errors
/// [`Error::Unavailable`] when nobody waits for the answer.
pub fn check() -> Result<()> {
    let given_up =
        GIVEN_UP.with_borrow(|flag| flag.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed)));
    if given_up { Err(Error::Unavailable("nobody waits for the answer".into())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_when_nobody_waits_for_it() {
        let waiting = Waiting::default();
        waiting.work(|| assert!(check().is_ok()))();
        let work = waiting.work(|| check().is_err());
        drop(waiting);
        assert!(work());
        assert!(check().is_ok(), "the thread's next work has another request");
    }
}
