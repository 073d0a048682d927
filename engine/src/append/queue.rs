//! The queue in front of [`append`](super::append): bounded, one thread per shard of workspaces, group commit.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{
    append::{AppendRequest, Appended, DedupeWindow, Shard, store_group},
    db::{self, Db, partitions::Partitions, timestamp::Timestamp},
    error::{Error, Result},
};

/// Most events in one transaction; the rest waits for the next.
const GROUP_EVENTS: usize = 10_000;
/// Most KiB of bodies in one transaction.
const GROUP_KIB: usize = 16 * 1024;
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

/// A request's share of the queue's memory, from the first byte of its body until its events are stored.
pub struct MemoryPermit {
    kib: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    most: usize,
}

impl MemoryPermit {
    /// Grows to what a body of this many bytes needs.
    ///
    /// # Errors
    /// [`Error::QueueFull`]; the permit keeps what it has.
    pub fn grow_to(&mut self, bytes: usize) -> Result<()> {
        // A request that is alone always fits, however small the queue is configured.
        let needed = (bytes / 1024 + 1).min(self.most).saturating_sub(self.kib());
        if needed == 0 {
            return Ok(());
        }
        let more = self.kib.clone().try_acquire_many_owned(needed as u32).map_err(|_| queue_full())?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }

    fn kib(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

fn queue_full() -> Error {
    Error::QueueFull
}

struct Job {
    request: AppendRequest,
    answer: oneshot::Sender<Result<Appended>>,
    room: (OwnedSemaphorePermit, MemoryPermit),
}

/// Stores events for all concurrent requests. Cheap to clone.
#[derive(Clone)]
pub struct Appender {
    shards: Arc<[mpsc::UnboundedSender<Job>]>,
    events: Arc<Semaphore>,
    kib: Arc<Semaphore>,
    /// Limits how many bodies are parsed at the same time: more would only compete for the processors.
    parsing: Arc<Semaphore>,
    config: AppenderConfig,
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
        let _waiting = self.waiting.try_acquire_many(kib).map_err(|_| queue_full())?;
        let turn = tokio::time::timeout(PATIENCE, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| queue_full())?.map_err(|_| Error::Stopping)?;
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
        let shards = (0..db.concurrent_writers())
            .map(|shard| {
                let (sender, receiver) = mpsc::unbounded_channel();
                let db = db.clone();
                // Named for whoever looks at the processor time of the server's threads.
                std::thread::Builder::new()
                    .name(format!("append-{shard}"))
                    .spawn(move || run_shard(&db, receiver, config.windows))
                    .expect("a thread starts");
                sender
            })
            .collect();
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            shards,
            events: Arc::new(Semaphore::new(config.queue_events)),
            kib: Arc::new(Semaphore::new(config.queue_kib)),
            parsing: Arc::new(Semaphore::new(processors)),
            config,
            creating: Arc::new(Creating {
                db: db.clone(),
                partitions: Mutex::default(),
                turns: Semaphore::new(1),
                waiting: Semaphore::new(config.queue_kib / CREATING_PART + 1),
                most_kib: config.queue_kib / CREATING_PART + 1,
            }),
        }
    }

    /// A permit for a request, which grows as the body arrives.
    pub fn reserve(&self) -> MemoryPermit {
        MemoryPermit { kib: self.kib.clone(), held: None, most: self.config.queue_kib }
    }

    /// Runs `work` (decompressing and parsing a body) off the async threads, when it is its turn.
    ///
    /// # Errors
    /// Whatever `work` returns; [`Error::Stopping`].
    pub async fn parse<T, E>(
        &self,
        mut room: MemoryPermit,
        work: impl FnOnce(&mut MemoryPermit) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, MemoryPermit), E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let turn = self.parsing.clone().acquire_owned().await.map_err(|_| Error::Stopping)?;
        let parsed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&mut room).map(|parsed| (parsed, room))
        });
        parsed.await.map_err(|_| Error::Stopping)?
    }

    /// Queues the request and waits for its commit.
    ///
    /// # Errors
    /// [`Error::QueueFull`] at once; [`Error::Unconfirmed`] when the commit takes too long; [`Error::Stopping`]; whatever
    /// [`store_group`] returns for the request.
    pub async fn append(&self, request: AppendRequest, room: MemoryPermit) -> Result<Appended> {
        let times = request.events.iter().map(|event| event.row.occurred_at).collect();
        self.creating.make(times, room.kib()).await?;
        let events = request.events.len().min(self.config.queue_events) as u32;
        let events = self.events.clone().try_acquire_many_owned(events).map_err(|_| queue_full())?;
        let (answer, answered) = oneshot::channel();
        let shard = request.workspace_id.unsigned_abs() as usize % self.shards.len();
        self.shards[shard]
            .send(Job { request, answer, room: (events, room) })
            .map_err(|_| Error::Stopping)?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(answer) => answer.map_err(|_| Error::Stopping)?,
            Err(_) => Err(Error::Unconfirmed),
        }
    }

    /// The number of events that are waiting, for `/metrics`.
    pub fn waiting(&self) -> usize {
        self.config.queue_events.saturating_sub(self.events.available_permits())
    }
}

fn run_shard(db: &Db, mut jobs: mpsc::UnboundedReceiver<Job>, windows: DedupeWindow) {
    let mut shard = Shard::default();
    while let Some(first) = jobs.blocking_recv() {
        let (mut events, mut kib) = (first.request.events.len(), first.room.1.kib());
        let mut group = vec![first];
        while events < GROUP_EVENTS
            && kib < GROUP_KIB
            && let Ok(job) = jobs.try_recv()
        {
            events += job.request.events.len();
            kib += job.room.1.kib();
            group.push(job);
        }
        // The group's memory is released before its answers are sent, so that a client that was answered finds room.
        let (requests, waiting): (Vec<_>, Vec<_>) =
            group.into_iter().map(|Job { request, answer, room }| (request, (answer, room))).unzip();
        let count = requests.len();
        // A panic must not end the shard's thread: its workspaces could no longer store anything.
        let stored = AssertUnwindSafe(|| store_or_split(db, &mut shard, requests, windows));
        let answers = std::panic::catch_unwind(stored)
            .unwrap_or_else(|_| (0..count).map(|_| Err(Error::Panicked)).collect());
        for ((sender, room), answer) in waiting.into_iter().zip(answers) {
            drop(room);
            // Nobody waits when the client has disconnected; the events are stored nevertheless.
            let _ = sender.send(answer);
        }
    }
}

/// Stores the group. When a statement is refused, stores each request alone, so that one bad request fails no other.
fn store_or_split(
    db: &Db,
    shard: &mut Shard,
    mut requests: Vec<AppendRequest>,
    windows: DedupeWindow,
) -> Vec<Result<Appended>> {
    let mut attempt = |requests: &mut [AppendRequest]| {
        let stored = db
            .conn()
            .map_err(Error::from)
            .and_then(|mut conn| store_group(&mut conn, shard, requests, windows));
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
