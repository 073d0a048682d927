//! The queue of those who read logs, in front of the connections: nobody's reads delay another workspace's for long.
//!
//! Whoever waits here has neither a connection nor a thread. Workspaces take turns: of one with sixty requests waiting and
//! another with a single one, each has the next place in turn. No workspace has more than half of the places and no scans
//! have more than half of them, so a page without a search finds one even while others search. Within a workspace the
//! caller with the fewest running reads is next.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Error, Result};

/// How long a read waits for its place: longer than a scan takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most scans of one caller that run at once.
const SCANS_OF_CALLER: usize = 2;
/// Most reads of one caller that wait. A page of the web application sends about a dozen at once.
const WAITING_OF_CALLER: usize = 16;
/// Most reads of one workspace that wait.
const WAITING_OF_WORKSPACE: usize = 64;

/// Who reads the logs of which workspace.
#[derive(Clone, Debug)]
pub struct ReaderId {
    pub workspace_id: i32,
    pub caller: String,
}

/// What a read may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// A page, or a sum of kept counts.
    Quick,
    /// Many rows.
    Scan,
}

/// How many reads may run.
#[derive(Clone, Copy, Debug)]
struct Limits {
    all: usize,
    scans: usize,
    of_workspace: usize,
    scans_of_workspace: usize,
    scans_of_caller: usize,
}

impl Limits {
    fn new(places: usize) -> Self {
        let half = |n: usize| n.div_ceil(2);
        let scans = half(places);
        let scans_of_workspace = half(scans);
        Self {
            all: places,
            scans,
            of_workspace: half(places),
            scans_of_workspace,
            scans_of_caller: scans_of_workspace.min(SCANS_OF_CALLER),
        }
    }
}

/// The places of readers.
pub(super) struct ReadQueue {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Running,
    workspaces: HashMap<i32, Line>,
    /// Workspaces with waiting reads; the first is next.
    turns: VecDeque<i32>,
    callers: HashMap<Arc<str>, Caller>,
    last_number: u64,
}

#[derive(Clone, Copy, Default)]
struct Running {
    all: usize,
    scans: usize,
}

impl Running {
    fn begin(&mut self, cost: Cost) {
        self.all += 1;
        self.scans += usize::from(cost == Cost::Scan);
    }

    fn end(&mut self, cost: Cost) {
        self.all -= 1;
        self.scans -= usize::from(cost == Cost::Scan);
    }
}

#[derive(Default)]
struct Line {
    running: Running,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    caller: Arc<str>,
    cost: Cost,
    admitted: oneshot::Sender<()>,
}

#[derive(Default)]
struct Caller {
    running: Running,
    waiting: usize,
}

/// Waits for a place, then holds it. Dropping it gives either up.
pub(super) struct ReadPlace {
    queue: Arc<ReadQueue>,
    number: u64,
    workspace_id: i32,
    caller: Arc<str>,
    cost: Cost,
}

impl ReadQueue {
    pub(super) fn new(places: usize) -> Self {
        Self { limits: Limits::new(places), state: Mutex::default() }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// [`Error::TooManyAtOnce`] at once, when too many reads of the caller wait already; [`Error::Busy`] when too many of
    /// the workspace do, or when it takes too long.
    pub(super) async fn enter(self: &Arc<Self>, reader: ReaderId, cost: Cost) -> Result<ReadPlace> {
        let (place, admitted) = self.join(reader, cost)?;
        match tokio::time::timeout(PATIENCE, admitted).await {
            Ok(Ok(())) => Ok(place),
            _ => Err(Error::Busy),
        }
    }

    fn join(self: &Arc<Self>, reader: ReaderId, cost: Cost) -> Result<(ReadPlace, oneshot::Receiver<()>)> {
        let ReaderId { workspace_id, caller } = reader;
        let caller: Arc<str> = caller.into();
        let (sender, admitted) = oneshot::channel();
        let mut state = self.lock();
        state.last_number += 1;
        let number = state.last_number;
        let line = state.workspaces.entry(workspace_id).or_default();
        line.waiting.push_back(Waiting { number, caller: caller.clone(), cost, admitted: sender });
        let (first, too_many) = (line.waiting.len() == 1, line.waiting.len() > WAITING_OF_WORKSPACE);
        if first {
            state.turns.push_back(workspace_id);
        }
        let of_caller = state.callers.entry(caller.clone()).or_default();
        of_caller.waiting += 1;
        let too_many_of_caller = of_caller.waiting > WAITING_OF_CALLER;
        state.admit(self.limits);
        let waits = state.is_waiting(workspace_id, number);
        drop(state);
        // From here on dropping it leaves the queue.
        let place = ReadPlace { queue: self.clone(), number, workspace_id, caller, cost };
        match (waits && too_many_of_caller, waits && too_many) {
            (true, _) => Err(Error::TooManyAtOnce),
            (_, true) => Err(Error::Busy),
            _ => Ok((place, admitted)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReadPlace {
    fn drop(&mut self) {
        self.queue.lock().leave(self);
        self.queue.lock().admit(self.queue.limits);
    }
}

impl State {
    /// Gives away the free places.
    fn admit(&mut self, limits: Limits) {
        // Workspaces in a row that cannot begin a read now.
        let mut passed_over = 0;
        while passed_over < self.turns.len() && self.running.all < limits.all {
            let Some(workspace_id) = self.turns.pop_front() else { return };
            let Some(line) = self.workspaces.get_mut(&workspace_id) else { continue };
            let next = next_of(line, self.running, &self.callers, limits);
            if let Some(waiting) = next.and_then(|n| line.waiting.remove(n)) {
                let Waiting { caller, cost, admitted, number: _ } = waiting;
                line.running.begin(cost);
                self.running.begin(cost);
                if let Some(caller) = self.callers.get_mut(&caller) {
                    caller.waiting -= 1;
                    caller.running.begin(cost);
                }
                // Whoever has gone away gives the place back when its `ReadPlace` is dropped.
                let _ = admitted.send(());
                passed_over = 0;
            } else {
                passed_over += 1;
            }
            if !line.waiting.is_empty() {
                self.turns.push_back(workspace_id);
            }
        }
    }

    fn is_waiting(&self, workspace_id: i32, number: u64) -> bool {
        let line = self.workspaces.get(&workspace_id);
        line.is_some_and(|line| line.waiting.iter().any(|waiting| waiting.number == number))
    }

    fn leave(&mut self, place: &ReadPlace) {
        let ReadPlace { queue: _, number, workspace_id, caller, cost } = place;
        let Some(line) = self.workspaces.get_mut(workspace_id) else { return };
        let Some(of_caller) = self.callers.get_mut(caller) else { return };
        if let Some(n) = line.waiting.iter().position(|waiting| waiting.number == *number) {
            line.waiting.remove(n);
            of_caller.waiting -= 1;
            if line.waiting.is_empty() {
                self.turns.retain(|waiting| waiting != workspace_id);
            }
        } else {
            line.running.end(*cost);
            self.running.end(*cost);
            of_caller.running.end(*cost);
        }
        if line.running.all == 0 && line.waiting.is_empty() {
            self.workspaces.remove(workspace_id);
        }
        if of_caller.running.all == 0 && of_caller.waiting == 0 {
            self.callers.remove(caller);
        }
    }
}

/// The waiting read that may begin: of the caller with the fewest running ones, the oldest.
fn next_of(
    line: &Line,
    running: Running,
    callers: &HashMap<Arc<str>, Caller>,
    limits: Limits,
) -> Option<usize> {
    if line.running.all >= limits.of_workspace {
        return None;
    }
    let running_of =
        |caller: &Arc<str>| callers.get(caller).map_or_else(Running::default, |caller| caller.running);
    let may_begin = |waiting: &Waiting| {
        waiting.cost == Cost::Quick
            || (running.scans < limits.scans
                && line.running.scans < limits.scans_of_workspace
                && running_of(&waiting.caller).scans < limits.scans_of_caller)
    };
    let waiting = line.waiting.iter().enumerate().filter(|(_, waiting)| may_begin(waiting));
    waiting.min_by_key(|(_, waiting)| running_of(&waiting.caller).all).map(|(n, _)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Asked {
        _place: ReadPlace,
        admitted: oneshot::Receiver<()>,
    }

    impl Asked {
        fn is_in(&mut self) -> bool {
            self.admitted.try_recv().is_ok()
        }
    }

    fn ask(queue: &Arc<ReadQueue>, workspace_id: i32, caller: &str, cost: Cost) -> Result<Asked> {
        let reader = ReaderId { workspace_id, caller: caller.into() };
        queue.join(reader, cost).map(|(place, admitted)| Asked { _place: place, admitted })
    }

    fn scans(queue: &Arc<ReadQueue>, workspace_id: i32, caller: &str, count: usize) -> Vec<Asked> {
        (0..count).filter_map(|_| ask(queue, workspace_id, caller, Cost::Scan).ok()).collect()
    }

    #[test]
    fn one_caller_takes_neither_all_places_nor_all_that_wait() {
        let queue = Arc::new(ReadQueue::new(5));
        let mut many = scans(&queue, 1, "viewer", 64);
        assert_eq!(many.len(), SCANS_OF_CALLER + WAITING_OF_CALLER);
        assert_eq!(many.iter_mut().filter_map(|asked| asked.is_in().then_some(())).count(), 2);
        assert!(matches!(ask(&queue, 1, "viewer", Cost::Scan), Err(Error::TooManyAtOnce)));
        // Its own page has a place, another caller's scan is the next, and other workspaces notice nothing.
        assert!(ask(&queue, 1, "viewer", Cost::Quick).expect("a place").is_in());
        let mut another = ask(&queue, 1, "auditor", Cost::Scan).expect("it waits");
        assert!(!another.is_in());
        assert!(ask(&queue, 2, "viewer of another", Cost::Scan).expect("a place").is_in());
        many.remove(0);
        assert!(another.is_in());
    }

    #[test]
    fn workspaces_take_turns() {
        let queue = Arc::new(ReadQueue::new(1));
        let mut running = ask(&queue, 1, "a", Cost::Scan).expect("a place");
        assert!(running.is_in());
        let mut many: VecDeque<_> = scans(&queue, 1, "a", 10).into();
        let mut one = ask(&queue, 2, "b", Cost::Scan).expect("it waits");
        drop(running);
        assert!(many[0].is_in() && !one.is_in());
        many.pop_front();
        assert!(one.is_in(), "it waited for one turn, not for ten");
        drop(one);
        assert!(many[0].is_in());
    }

    #[test]
    fn who_goes_away_leaves_nothing_behind() {
        let queue = Arc::new(ReadQueue::new(2));
        let many: Vec<_> =
            (0..100).flat_map(|caller| scans(&queue, 1, &format!("caller {caller}"), 3)).collect();
        assert_eq!(many.len(), WAITING_OF_WORKSPACE + 1);
        assert!(matches!(ask(&queue, 1, "one more", Cost::Scan), Err(Error::Busy)));
        // Those in front are admitted while they go, and give their places back.
        drop(many);
        let state = queue.lock();
        assert!(state.workspaces.is_empty() && state.callers.is_empty() && state.turns.is_empty());
        assert_eq!((state.running.all, state.running.scans), (0, 0));
    }

    #[test]
    fn a_page_has_a_place_beside_scans_of_all_others() {
        let queue = Arc::new(ReadQueue::new(5));
        let of_workspace = |workspace| scans(&queue, workspace, &format!("caller {workspace}"), 4);
        let many: Vec<_> = (1..20).flat_map(of_workspace).collect();
        assert_eq!(queue.lock().running.scans, 3);
        assert!(ask(&queue, 20, "b", Cost::Quick).expect("a place").is_in());
        drop(many);
    }
}
