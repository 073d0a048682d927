//! How many answers that take long may run at once, and that they end when the server stops.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::rt::signal::unix::{SignalKind, signal};
use futures_util::future::select_all;
use logbook_engine::db::ReaderId;
use tokio::sync::watch;

use crate::http::error::{Code, Problem, Result};

/// Exports of one workspace, and of all.
const EXPORTS: (usize, usize) = (2, 16);
/// Tails of one workspace, and of all.
const TAILS: (usize, usize) = (8, 256);
/// When a client should ask again, in seconds.
const RETRY_AFTER: u32 = 5;

/// Exports and tails.
pub struct Streams {
    pub exports: Places,
    pub tails: Places,
    stopping: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            exports: Places::new("exports", EXPORTS),
            tails: Places::new("tails", TAILS),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Streams {
    /// Turns true when the server stops.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Ends all streams, and those that begin from now on.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Ends all streams at the signals that stop the server, which waits for the requests that run.
    pub async fn stop_at_signals(&self) {
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
        if !signals.is_empty() {
            select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
            self.stop();
        }
    }
}

/// A bounded number of places, some of them for each workspace, and half of those for each caller in it.
pub struct Places {
    what: &'static str,
    of_workspace: usize,
    all: usize,
    taken: Taken,
}

/// How many places each caller has in a workspace.
type Taken = Arc<Mutex<HashMap<i32, HashMap<String, usize>>>>;

/// A place that is taken until this is dropped.
pub struct Place {
    holder: ReaderId,
    taken: Taken,
}

impl Places {
    fn new(what: &'static str, (of_workspace, all): (usize, usize)) -> Self {
        Self { what, of_workspace, all, taken: Taken::default() }
    }

    /// What takes the places.
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// How many a caller may have in a workspace.
    fn of_caller(&self) -> usize {
        (self.of_workspace / 2).max(1)
    }

    /// Takes a place.
    ///
    /// # Errors
    /// `busy`
    pub fn take(&self, holder: &ReaderId) -> Result<Place> {
        let ReaderId { workspace_id, caller } = holder;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().flat_map(HashMap::values).sum();
        let callers = taken.get(workspace_id);
        let of_workspace: usize = callers.map_or(0, |callers| callers.values().sum());
        let of_caller = callers.and_then(|callers| callers.get(caller)).copied().unwrap_or_default();
        let what = self.what;
        let detail = if of_caller >= self.of_caller() {
            format!(
                "one caller may have {of_caller} of the workspace's {what} at a time; end one of yours first"
            )
        } else if of_workspace >= self.of_workspace {
            format!("the workspace has {of_workspace} {what} already; end one of them first")
        } else if all >= self.all {
            format!("the server has {all} {what} already; try again")
        } else {
            *taken.entry(*workspace_id).or_default().entry(caller.clone()).or_default() += 1;
            return Ok(Place { holder: holder.clone(), taken: self.taken.clone() });
        };
        Err(Problem { retry_after_seconds: Some(RETRY_AFTER), ..Problem::new(Code::Busy, detail) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let ReaderId { workspace_id, caller } = &self.holder;
        let Some(callers) = taken.get_mut(workspace_id) else { return };
        match callers.get_mut(caller) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                callers.remove(caller);
            }
        }
        if callers.is_empty() {
            taken.remove(workspace_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(workspace_id: i32, caller: &str) -> ReaderId {
        ReaderId { workspace_id, caller: caller.into() }
    }

    #[test]
    fn a_workspace_has_its_places_and_leaves_the_others() {
        let places = Places::new("tails", (2, 3));
        let mut first: Vec<_> = ["a", "b"].map(|name| places.take(&caller(1, name)).expect("a place")).into();
        let refused = places.take(&caller(1, "c")).err().expect("no more");
        assert_eq!((refused.code, refused.retry_after_seconds), (Code::Busy, Some(RETRY_AFTER)));
        assert!(refused.detail.starts_with("the workspace has 2 tails"), "{}", refused.detail);
        let _other = places.take(&caller(2, "a")).expect("a place");
        let refused = places.take(&caller(3, "a")).err().expect("no more");
        assert!(refused.detail.starts_with("the server has 3 tails"), "{}", refused.detail);
        first.pop();
        let again = places.take(&caller(3, "a")).expect("a place");
        drop((first, again));
        assert_eq!(places.taken.lock().expect("a lock").len(), 1);
    }

    #[test]
    fn a_caller_has_half_of_a_workspaces_places_and_at_least_one() {
        for (of_workspace, of_caller) in [(1, 1), (2, 1), (3, 1), (8, 4)] {
            let places = Places::new("tails", (of_workspace, 100));
            let mut own: Vec<_> =
                (0..of_caller).map(|_| places.take(&caller(1, "a")).expect("a place")).collect();
            let refused = places.take(&caller(1, "a")).err().expect("no more");
            assert_eq!((refused.code, refused.retry_after_seconds), (Code::Busy, Some(RETRY_AFTER)));
            assert!(
                refused.detail.starts_with(&format!("one caller may have {of_caller} ")),
                "{}",
                refused.detail
            );
            // In another workspace they begin anew.
            let elsewhere = places.take(&caller(2, "a")).expect("a place");
            if of_workspace > of_caller {
                let _other = places.take(&caller(1, "b")).expect("a place");
            }
            own.pop();
            own.push(places.take(&caller(1, "a")).expect("a place"));
            drop((own, elsewhere));
            assert!(places.taken.lock().expect("a lock").is_empty());
        }
    }
}
