//! How many answers that take long may run at once, and that they end when the server stops.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::rt::signal::unix::{SignalKind, signal};
use futures_util::future::select_all;
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

/// A bounded number of places, some of them for each workspace.
pub struct Places {
    what: &'static str,
    of_workspace: usize,
    all: usize,
    taken: Arc<Mutex<HashMap<i32, usize>>>,
}

/// A place that is taken until this is dropped.
pub struct Place {
    workspace_id: i32,
    taken: Arc<Mutex<HashMap<i32, usize>>>,
}

impl Places {
    fn new(what: &'static str, (of_workspace, all): (usize, usize)) -> Self {
        Self { what, of_workspace, all, taken: Arc::default() }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// `busy`
    pub fn take(&self, workspace_id: i32) -> Result<Place> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_workspace = taken.get(&workspace_id).copied().unwrap_or_default();
        let what = self.what;
        let detail = if of_workspace >= self.of_workspace {
            format!("the workspace has {of_workspace} {what} already; end one of them first")
        } else if all >= self.all {
            format!("the server has {all} {what} already; try again")
        } else {
            taken.insert(workspace_id, of_workspace + 1);
            return Ok(Place { workspace_id, taken: self.taken.clone() });
        };
        Err(Problem { retry_after_seconds: Some(RETRY_AFTER), ..Problem::new(Code::Busy, detail) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.workspace_id) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.workspace_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_has_its_places_and_leaves_the_others() {
        let places = Places::new("tails", (2, 3));
        let mut first: Vec<_> = (0..2).map(|_| places.take(1).expect("a place")).collect();
        let refused = places.take(1).err().expect("no more");
        assert_eq!((refused.code, refused.retry_after_seconds), (Code::Busy, Some(RETRY_AFTER)));
        let _other = places.take(2).expect("a place");
        assert!(places.take(3).is_err());
        first.pop();
        let again = places.take(3).expect("a place");
        drop((first, again));
        assert_eq!(places.taken.lock().expect("a lock").len(), 1);
    }
}
