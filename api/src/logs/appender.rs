//! The queue before [`append`](super::append): bounded, one thread per shard of workspaces, group commit.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    db::{self, Db, Kind},
    error::{Code, Problem},
    logs::append::{AppendRequest, Appended, Windows, store_group},
};

/// Most events in one transaction; what is beyond waits for the next.
const GROUP_EVENTS: usize = 10_000;

#[derive(Clone, Copy, Debug)]
pub struct AppenderConfig {
    pub windows: Windows,
    /// Most events that may wait, over all shards.
    pub queue_events: usize,
    /// Most bytes of request bodies that may wait, in KiB.
    pub queue_kib: usize,
}

impl Default for AppenderConfig {
    fn default() -> Self {
        Self { windows: Windows::default(), queue_events: 100_000, queue_kib: 64 * 1024 }
    }
}

struct Job {
    request: AppendRequest,
    answer: oneshot::Sender<Result<Appended, Problem>>,
    _room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

/// The way into the log for everything that runs beside others. Cheap to clone.
#[derive(Clone)]
pub struct Appender {
    shards: Arc<[mpsc::UnboundedSender<Job>]>,
    events: Arc<Semaphore>,
    kib: Arc<Semaphore>,
    config: AppenderConfig,
}

impl Appender {
    /// Starts a thread per shard. They end when the last clone is dropped, after storing what waits.
    pub fn start(db: &Db, config: AppenderConfig) -> Self {
        // SQLite has one writer; on PostgreSQL workspaces do not wait for each other's commit.
        let shards = if db.kind == Kind::Sqlite { 1 } else { 4 };
        let shards = (0..shards)
            .map(|_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                let db = db.clone();
                std::thread::spawn(move || run_shard(&db, receiver, config.windows));
                sender
            })
            .collect();
        Self {
            shards,
            events: Arc::new(Semaphore::new(config.queue_events)),
            kib: Arc::new(Semaphore::new(config.queue_kib)),
            config,
        }
    }

    /// Queues the request and waits for its commit. `bytes` is the size of the body it came in.
    ///
    /// # Errors
    /// `queue_full` at once when there is no room; `unavailable` when the database could not store it.
    pub async fn append(&self, request: AppendRequest, bytes: usize) -> Result<Appended, Problem> {
        let full =
            |_| Problem::new(Code::QueueFull, "too many events wait to be stored; nothing of this was kept");
        // One request may always go in alone, however small the queue is set.
        let events = request.events.len().min(self.config.queue_events) as u32;
        let kib = (bytes / 1024 + 1).min(self.config.queue_kib) as u32;
        let events = self.events.clone().try_acquire_many_owned(events).map_err(full)?;
        let kib = self.kib.clone().try_acquire_many_owned(kib).map_err(full)?;
        let (answer, answered) = oneshot::channel();
        let shard = request.workspace_id.unsigned_abs() as usize % self.shards.len();
        let stopped = || Problem::new(Code::Unavailable, "the server is stopping; nothing of this was kept");
        self.shards[shard].send(Job { request, answer, _room: (events, kib) }).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }

    /// Events that wait now, for `/metrics`.
    pub fn waiting(&self) -> usize {
        self.config.queue_events.saturating_sub(self.events.available_permits())
    }
}

fn run_shard(db: &Db, mut jobs: mpsc::UnboundedReceiver<Job>, windows: Windows) {
    while let Some(first) = jobs.blocking_recv() {
        let mut size = first.request.events.len();
        let mut group = vec![first];
        while size < GROUP_EVENTS
            && let Ok(job) = jobs.try_recv()
        {
            size += job.request.events.len();
            group.push(job);
        }
        // The answers go out after the group's room is free again, so that who is answered finds room.
        let (requests, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|Job { request, answer, _room }| (request, (answer, _room))).unzip();
        let answers = store_or_split(db, requests, windows);
        for ((sender, room), answer) in waiting.into_iter().zip(answers) {
            drop(room);
            // Nobody waits when the client has gone; the events are stored all the same.
            let _ = sender.send(answer);
        }
    }
}

/// Stores the group; when a statement is refused, each request alone, so that one bad request hurts no other.
fn store_or_split(db: &Db, requests: Vec<AppendRequest>, windows: Windows) -> Vec<Result<Appended, Problem>> {
    let attempt = |requests: Vec<AppendRequest>| store_group(&mut *db.conn()?, requests, windows);
    let count = requests.len();
    let copies = (count > 1).then(|| requests.clone());
    match (attempt(requests), copies) {
        (Ok(answers), _) => answers,
        (Err(db::Error::Query(error)), Some(requests)) => {
            tracing::warn!(%error, count, "a group was refused; storing its requests one by one");
            requests
                .into_iter()
                .map(|request| attempt(vec![request])?.pop().unwrap_or_else(|| Err(Problem::not_found())))
                .collect()
        }
        (Err(error), _) => {
            let problem = Problem::from(error);
            vec![Err(problem); count]
        }
    }
}
