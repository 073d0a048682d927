//! The queue in front of [`append`](super::append): bounded, shared fairly, one thread per shard of workspaces, group commit.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot};

pub use super::memory::MemoryPermit;
use super::{
    lines::{Lines, Size},
    memory::Memory,
    shares::{Share, Shares},
};
use crate::{
    append::{AppendRequest, Appended, DedupeWindow, Shard, dedupe::Heads, store_group},
    db::{self, Db, checkpoints::Checkpoints, partitions::Partitions, timestamp::Timestamp},
    error::{Error, Result},
    priority::give_way,
};

/// The largest request, in events: every workspace's share of the queue has room for one.
const LARGEST_REQUEST: usize = 10_000;
/// How long a request waits for its commit. One that takes longer means that the database does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The part of the queue's memory that requests may hold while they wait for their partitions.
const CREATING_PART: usize = 4;

/// The limits of the queue, and how long keys are remembered.
#[derive(Clone, Copy, Debug)]
pub struct AppenderConfig {
    pub windows: DedupeWindow,
    /// Most events that may wait, over all shards.
    pub queue_events: usize,
    /// Most bytes of request bodies that may wait, in KiB.
    pub queue_kib: usize,
}

impl Default for AppenderConfig {
    fn default() -> Self {
        Self { windows: DedupeWindow::default(), queue_events: 100_000, queue_kib: 64 * 1024 }
    }
}

type Work = Box<dyn FnOnce() + Send>;

struct Job {
    request: AppendRequest,
    answer: oneshot::Sender<Result<Appended>>,
    room: (Share<i32>, MemoryPermit),
}

/// What waits for a thread, which ends when this is dropped and nothing waits.
struct Waiting<T>(Arc<Lines<T>>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Send + 'static> Waiting<T> {
    /// Starts a thread, which has a name for whoever looks at the processor time of the server's threads.
    fn start_thread(&self, name: &str, run: impl FnOnce(&Lines<T>) + Send + 'static) {
        let waiting = self.0.clone();
        let thread = std::thread::Builder::new().name(name.into());
        thread.spawn(move || run(&waiting)).expect("a thread starts");
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Stores events for all concurrent requests. Cheap to clone.
#[derive(Clone)]
pub struct Appender {
    shards: Arc<[Waiting<Job>]>,
    events: Arc<Shares<i32>>,
    memory: Memory,
    /// Bodies that wait to be parsed. Parsing more of them at once than there are processors would only make them compete.
    parsing: Arc<Waiting<Work>>,
    creating: Arc<Creating>,
}

/// Creates the partitions that requests need, for one after the other. A shard would keep all its workspaces waiting.
struct Creating {
    db: Db,
    partitions: Mutex<Partitions>,
    turns: Semaphore,
    /// KiB of requests that wait, at most `most_kib`.
    waiting: Semaphore,
    most_kib: usize,
}

impl Creating {
    async fn make(self: &Arc<Self>, times: Vec<Timestamp>, kib: usize) -> Result<()> {
        let known = || self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.db.has_partitions() || known().has(times.iter().copied()) {
            return Ok(());
        }
        let kib = kib.clamp(1, self.most_kib) as u32;
        let _waiting = self.waiting.try_acquire_many(kib).map_err(|_| Error::QueueFull)?;
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Error::QueueFull)?.map_err(|_| Error::Stopping)?;
        if known().has(times.iter().copied()) {
            return Ok(());
        }
        let creating = self.clone();
        let made = tokio::task::spawn_blocking(move || {
            let mut made = Partitions::default();
            made.make(&mut *creating.db.conn()?, times)?;
            creating.partitions.lock().unwrap_or_else(PoisonError::into_inner).add(made);
            Ok(())
        });
        made.await.map_err(|_| Error::Stopping)?
    }
}

impl Appender {
    /// Starts one thread per shard. The threads end when the last clone is dropped and the queue is empty.
    ///
    /// # Panics
    /// When the system has no threads left.
    pub fn start(db: &Db, config: AppenderConfig) -> Self {
        let checkpoints = Checkpoints::start(db);
        let heads = Heads::default();
        let shards = (0..db.concurrent_writers())
            .map(|shard| {
                let (db, checkpoints, heads) = (db.clone(), checkpoints.clone(), heads.clone());
                let run = move |waiting: &Lines<Job>| {
                    let shard = Shard::sharing(heads.clone());
                    run_shard(&db, shard, waiting, config.windows, &checkpoints);
                };
                let waiting = Waiting::default();
                waiting.start_thread(&format!("append-{shard}"), run);
                waiting
            })
            .collect();
        let parsing = Waiting::default();
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        for parser in 0..processors {
            parsing.start_thread(&format!("parse-{parser}"), run_parser);
        }
        Self {
            shards,
            events: Shares::new(config.queue_events, (config.queue_events / 2).max(LARGEST_REQUEST)),
            memory: Memory::new(config.queue_kib),
            parsing: Arc::new(parsing),
            creating: Arc::new(Creating {
                db: db.clone(),
                partitions: Mutex::default(),
                turns: Semaphore::new(1),
                waiting: Semaphore::new(config.queue_kib / CREATING_PART + 1),
                most_kib: config.queue_kib / CREATING_PART + 1,
            }),
        }
    }

    /// A permit for a request to a workspace, which grows as the body arrives.
    pub fn reserve(&self, workspace_id: i32, sender: &str) -> MemoryPermit {
        self.memory.begin(workspace_id, sender)
    }

    /// Runs `work` (decompressing and parsing a body) off the async threads, when it is its turn.
    ///
    /// # Errors
    /// Whatever `work` returns; [`Error::Panicked`].
    pub async fn parse<T, E>(
        &self,
        mut room: MemoryPermit,
        work: impl FnOnce(&mut MemoryPermit) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, MemoryPermit), E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let (workspace_id, size) = (room.workspace_id(), Size { events: 1, kib: room.kib() });
        let work = move || {
            // Nobody waits for it when the client has disconnected.
            if !answer.is_closed() {
                let _ = answer.send(work(&mut room).map(|parsed| (parsed, room)));
            }
        };
        self.parsing.0.push(workspace_id, size, Box::new(work));
        answered.await.map_err(|_| Error::Panicked)?
    }

    /// Queues the request and waits for its commit.
    ///
    /// # Errors
    /// [`Error::QueueFull`] at once; [`Error::Unconfirmed`] when the commit takes too long; [`Error::Stopping`]; whatever
    /// [`store_group`] returns for the request.
    pub async fn append(&self, request: AppendRequest, room: MemoryPermit) -> Result<Appended> {
        let times = request.events.iter().map(|event| event.row.occurred_at).collect();
        self.creating.make(times, room.kib()).await?;
        let workspace_id = request.workspace_id;
        let mut events = self.events.begin(workspace_id);
        // A request that is alone always fits, however small the queue is configured.
        if !events.grow(request.events.len().min(self.events.most_of_one())) {
            return Err(Error::QueueFull);
        }
        let (answer, answered) = oneshot::channel();
        let shard = workspace_id.unsigned_abs() as usize % self.shards.len();
        let size = Size { events: request.events.len(), kib: room.kib() };
        self.shards[shard].0.push(workspace_id, size, Job { request, answer, room: (events, room) });
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.map_err(|_| Error::Stopping)?,
            Err(_) => Err(Error::Unconfirmed),
        }
    }

    /// The number of events that are waiting, for `/metrics`.
    pub fn waiting(&self) -> usize {
        self.events.held()
    }
}

/// Parses large bodies. Whoever sends them waits for longer anyway, so small requests have the processor first.
fn run_parser(waiting: &Lines<Work>) {
    give_way();
    while let Some(work) = waiting.next_one() {
        // Its request is answered with an error; the thread must go on.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(work));
    }
}

fn run_shard(
    db: &Db,
    mut shard: Shard,
    waiting: &Lines<Job>,
    windows: DedupeWindow,
    checkpoints: &Checkpoints,
) {
    while let Some(group) = waiting.next_group() {
        // The group's memory is released before its answers are sent, so that a client that was answered finds room.
        let (requests, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|Job { request, answer, room }| (request, (answer, room))).unzip();
        let count = requests.len();
        // A panic must not end the shard's thread: its workspaces could no longer store anything.
        let stored = AssertUnwindSafe(|| store_or_split(db, &mut shard, requests, windows, checkpoints));
        let answers = std::panic::catch_unwind(stored).unwrap_or_else(|_| {
            shard.forget();
            (0..count).map(|_| Err(Error::Panicked)).collect()
        });
        for ((sender, room), answer) in waiting.into_iter().zip(answers) {
            drop(room);
            // Nobody waits when the client has disconnected; the events are stored nevertheless.
            let _ = sender.send(answer);
        }
        checkpoints.committed();
    }
}

/// Stores the group. When a statement is refused, stores each request alone, so that one bad request fails no other.
fn store_or_split(
    db: &Db,
    shard: &mut Shard,
    mut requests: Vec<AppendRequest>,
    windows: DedupeWindow,
    checkpoints: &Checkpoints,
) -> Vec<Result<Appended>> {
    let mut attempt = |requests: &mut [AppendRequest]| {
        let stored = db.conn().map_err(Error::from).and_then(|mut conn| {
            checkpoints.prepare(&mut conn)?;
            store_group(&mut conn, shard, requests, windows)
        });
        if stored.is_err() {
            shard.forget();
        }
        stored
    };
    let count = requests.len();
    match attempt(&mut requests) {
        Ok(answers) => answers,
        Err(Error::Database(db::Error::Query(error))) if count > 1 => {
            tracing::warn!(%error, count, "a group was refused; storing its requests one by one");
            requests
                .chunks_mut(1)
                .map(|request| attempt(request)?.pop().unwrap_or_else(|| Err(Error::UnknownWorkspace)))
                .collect()
        }
        Err(error) => {
            let error = Arc::new(error);
            (0..count).map(|_| Err(Error::NotStored(error.clone()))).collect()
        }
    }
}
