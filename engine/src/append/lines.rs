//! Requests that wait to be stored: a line for each workspace, which take turns. Who comes after a pause is next, as in
//! fq_codel (RFC 8290): a single event waits for one transaction, not for a turn of everybody else.
//!
//! While one workspace appends alone, a transaction takes all that waits. When another one has appended a moment ago, it
//! may do so again at any time, and would wait for a transaction that has begun: so transactions are small then.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The size of a request, or of a group of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub events: usize,
    pub kib: usize,
}

impl Size {
    fn plus(self, other: Self) -> Self {
        Self { events: self.events + other.events, kib: self.kib + other.kib }
    }

    fn reaches(self, most: Self) -> bool {
        self.events >= most.events || self.kib >= most.kib
    }

    fn exceeds(self, most: Self) -> bool {
        self.events > most.events || self.kib > most.kib
    }
}

/// A transaction of a workspace that is alone ends with the request that reaches this size; the rest waits for the next.
const ALONE: Size = Size { events: 10_000, kib: 16 * 1024 };
/// A transaction beside other workspaces has at most this size, or one request.
const SHARED: Size = Size { events: 500, kib: 1024 };
/// How long a workspace counts as present after its last request.
const PRESENT: Duration = Duration::from_secs(2);

/// The lines of one shard.
pub(super) struct Lines<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    /// Of the workspaces in `fresh` and `turns`.
    lines: HashMap<i32, VecDeque<(Size, T)>>,
    /// Workspaces that had nothing waiting at their last turn; they come first.
    fresh: VecDeque<i32>,
    /// The others; the first is next. A line may be empty: its workspace is fresh again after this turn.
    turns: VecDeque<i32>,
    /// The last request of the workspace that sent the last one, and of the one before it.
    last: [Option<(i32, Instant)>; 2],
    closed: bool,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        let state = State {
            lines: HashMap::new(),
            fresh: VecDeque::new(),
            turns: VecDeque::new(),
            last: [None; 2],
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Lines<T> {
    pub(super) fn push(&self, workspace_id: i32, size: Size, request: T) {
        self.lock().push(workspace_id, size, request, Instant::now());
        self.changed.notify_one();
    }

    /// After the last request was taken, [`Lines::next_group`] returns None.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits for requests and takes those of the next transaction.
    pub(super) fn next_group(&self) -> Option<Vec<T>> {
        self.wait_for(|state| Some(state.take_group(Instant::now())).filter(|group| !group.is_empty()))
    }

    /// Waits for a request and takes the first one of the workspace whose turn it is.
    pub(super) fn next_one(&self) -> Option<T> {
        self.wait_for(|state| state.take_one().map(|(_, request)| request))
    }

    fn wait_for<R>(&self, mut take: impl FnMut(&mut State<T>) -> Option<R>) -> Option<R> {
        let mut state = self.lock();
        loop {
            let taken = take(&mut state);
            if taken.is_some() || state.closed {
                return taken;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn push(&mut self, workspace_id: i32, size: Size, request: T, now: Instant) {
        let line = self.lines.entry(workspace_id).or_insert_with(|| {
            self.fresh.push_back(workspace_id);
            VecDeque::new()
        });
        line.push_back((size, request));
        if self.last[0].is_some_and(|(last, _)| last != workspace_id) {
            self.last[1] = self.last[0];
        }
        self.last[0] = Some((workspace_id, now));
    }

    /// Whether another workspace waits, or was here a moment ago.
    fn is_shared(&self, now: Instant) -> bool {
        let is_present = |seen: &Option<(i32, Instant)>| {
            seen.is_some_and(|(_, at)| now.saturating_duration_since(at) < PRESENT)
        };
        self.lines.len() > 1 || self.last.iter().all(is_present)
    }

    fn take_group(&mut self, now: Instant) -> Vec<T> {
        let is_shared = self.is_shared(now);
        let mut group = Vec::new();
        let mut taken = Size::default();
        while let Some(next) = self.next_size() {
            if is_shared && !group.is_empty() && taken.plus(next).exceeds(SHARED) {
                break;
            }
            let Some((size, request)) = self.take_one() else { break };
            taken = taken.plus(size);
            group.push(request);
            if taken.reaches(ALONE) {
                break;
            }
        }
        group
    }

    /// The size of the next request.
    fn next_size(&mut self) -> Option<Size> {
        while self.fresh.is_empty() {
            let workspace_id = *self.turns.front()?;
            if let Some((size, _)) = self.lines.get(&workspace_id).and_then(VecDeque::front) {
                return Some(*size);
            }
            self.lines.remove(&workspace_id);
            self.turns.pop_front();
        }
        self.lines.get(self.fresh.front()?)?.front().map(|(size, _)| *size)
    }

    /// Takes one request of the workspace whose turn it is. The next turn is another one's.
    fn take_one(&mut self) -> Option<(Size, T)> {
        self.next_size()?;
        let workspace_id = self.fresh.pop_front().or_else(|| self.turns.pop_front())?;
        self.turns.push_back(workspace_id);
        self.lines.get_mut(&workspace_id)?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(requests: &[(i32, usize)], now: Instant) -> State<(i32, usize)> {
        let lines = Lines::default();
        for (workspace_id, events) in requests {
            let size = Size { events: *events, kib: 1 };
            lines.lock().push(*workspace_id, size, (*workspace_id, *events), now);
        }
        lines.state.into_inner().expect("the lines")
    }

    #[test]
    fn a_workspace_that_is_alone_has_large_transactions() {
        let now = Instant::now();
        let mut lines = lines(&[(1, 4000); 5], now);
        assert_eq!(lines.take_group(now), [(1, 4000); 3]);
        assert_eq!(lines.take_group(now), [(1, 4000); 2]);
        assert!(lines.take_group(now).is_empty() && lines.lines.is_empty() && lines.turns.is_empty());
    }

    #[test]
    fn who_comes_after_a_pause_is_next_and_no_more_often_than_others() {
        let now = Instant::now();
        let mut lines = lines(&[(1, 1000); 4], now);
        let one = |lines: &mut State<_>| {
            for _ in 0..2 {
                lines.push(2, Size { events: 500, kib: 1 }, (2, 500), now);
            }
        };
        lines.take_one();
        one(&mut lines);
        assert_eq!(lines.take_group(now), [(2, 500)]);
        assert_eq!(lines.take_group(now), [(1, 1000)]);
        assert_eq!(lines.take_group(now), [(2, 500)]);
        // It comes again before the other one had its turn.
        one(&mut lines);
        assert_eq!(lines.take_group(now), [(1, 1000)]);
        assert_eq!(lines.take_group(now), [(2, 500)]);
    }

    #[test]
    fn workspaces_take_turns_and_transactions_are_small() {
        let now = Instant::now();
        let mut lines = lines(&[(1, 1000), (1, 1000), (1, 1000), (2, 1), (2, 1), (3, 400)], now);
        assert_eq!(lines.take_group(now), [(1, 1000)]);
        // The one that was served last waits until the others were.
        assert_eq!(lines.take_group(now), [(2, 1), (3, 400)]);
        assert_eq!(lines.take_group(now), [(1, 1000)]);
        assert_eq!(lines.take_group(now), [(2, 1)]);
        assert_eq!(lines.take_group(now), [(1, 1000)]);
        assert!(lines.take_group(now).is_empty());
    }

    #[test]
    fn who_was_here_a_moment_ago_is_expected_again() {
        let now = Instant::now();
        let mut lines = lines(&[(2, 1)], now);
        assert_eq!(lines.take_group(now).len(), 1);
        let later = now + PRESENT / 2;
        for _ in 0..3 {
            lines.push(1, Size { events: 1000, kib: 1 }, (1, 1000), later);
        }
        assert_eq!(lines.take_group(later).len(), 1);
        assert_eq!(lines.take_group(now + PRESENT).len(), 2, "it has not come back");
    }

    #[test]
    fn what_waits_when_the_lines_close_is_still_taken() {
        let lines = Lines::default();
        lines.push(1, Size::default(), 1);
        lines.close();
        assert_eq!((lines.next_group(), lines.next_group()), (Some(vec![1]), None));
    }
}
