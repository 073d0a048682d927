//! Background jobs: work behind the appender that no request waits for.
//!
//! | job | what it does |
//! |---|---|
//! | [`compact_counts`] | adds the deltas of the counts to their rollups |
//! | [`build_index`] | builds segments of the signature index |
//! | [`create_partitions`] | creates the partitions of the coming months, on PostgreSQL |
//! | [`watch_sources`] | reports sources that are silent, skewed, incomplete or rejected |
//!
//! Every job has its own thread and connection, so a slow one delays no other. Of several processes on one database,
//! the one that holds the lease of a workspace and job does the work. A lease only prevents double work: whatever a job
//! writes is correct even when two processes write it.

mod backoff;
mod build_index;
mod compact_counts;
mod create_partitions;
mod lease;
#[cfg(test)]
mod tests;
mod watch_sources;
mod worker;
mod worker_id;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    db::{self, Conn, Db},
    error::Result,
    priority::give_way,
};
use build_index::BuildIndex;
pub use build_index::index_lag;
use compact_counts::CompactCounts;
use create_partitions::CreatePartitions;
use watch_sources::WatchSources;
use worker::Worker;
use worker_id::WorkerId;

/// The workspace id of work that belongs to no workspace. Real ids begin at 1.
pub const NO_WORKSPACE: i32 = 0;

/// How long a job works for one workspace before the next one's turn. A lease has at least [`lease::RENEWED_WITHIN`]
/// seconds left when a turn begins, so it rarely runs out before the turn ends.
const TURN: Duration = Duration::from_secs(2);

/// A kind of background work, with its own thread.
///
/// Its connection is logged in as the server's user. On PostgreSQL a job takes the role that it needs
/// ([`crate::db::roles`]).
pub trait Job: Send + 'static {
    /// The name in logs, in the label of the metric, and in the key of the job's leases.
    const NAME: &'static str;
    /// The pause between two calls of [`Job::due`].
    const INTERVAL: Duration = Duration::from_millis(250);

    /// The workspaces that have work, or [`NO_WORKSPACE`].
    ///
    /// # Errors
    /// The database's.
    fn due(&mut self, conn: &mut Conn) -> Result<Vec<i32>>;

    /// Works for one workspace, in small transactions, until nothing is left or the budget is spent.
    ///
    /// # Errors
    /// Any. It is logged and counted, and this workspace waits before it is tried again.
    fn run(&mut self, conn: &mut Conn, workspace_id: i32, budget: &Budget<'_>) -> Result<Progress>;
}

/// What is left of the work for a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing for now.
    Done,
    /// More: the next turn follows without a pause.
    More,
}

/// How long a turn lasts. A job checks it after each step.
pub struct Budget<'a> {
    until: Instant,
    ended: &'a mpsc::Receiver<()>,
}

impl Budget<'_> {
    fn new(ended: &mpsc::Receiver<()>) -> Budget<'_> {
        Budget { until: Instant::now() + TURN, ended }
    }

    /// Whether the turn is over, or the server is stopping.
    pub fn is_spent(&self) -> bool {
        Instant::now() >= self.until || has_ended(self.ended)
    }
}

fn has_ended(ended: &mpsc::Receiver<()>) -> bool {
    matches!(ended.try_recv(), Err(mpsc::TryRecvError::Disconnected))
}

/// The running jobs. They stop when the last clone is dropped.
#[derive(Clone)]
pub struct Jobs(Arc<[Running]>);

struct Running {
    name: &'static str,
    failures: Arc<AtomicU64>,
    /// The thread ends when this is dropped.
    _alive: mpsc::Sender<()>,
}

impl Jobs {
    /// Starts every job. The data folder stores the id under which this process holds leases.
    ///
    /// # Errors
    /// [`db::Error::Setup`] when the URL names no database.
    pub fn start(database_url: &str, data_dir: &Path) -> db::Result<Self> {
        let all: [fn(&Db, &Arc<WorkerId>) -> Running; 4] = [
            |db, id| spawn(CompactCounts, db, id),
            |db, id| spawn(BuildIndex::default(), db, id),
            |db, id| spawn(CreatePartitions, db, id),
            |db, id| spawn(WatchSources, db, id),
        ];
        // A thread uses one connection at a time.
        let db = Db::open_lazily(database_url, all.len() as u32)?;
        let id = Arc::new(WorkerId::open(data_dir));
        Ok(Self(all.map(|start| start(&db, &id)).into()))
    }

    /// How often each job has failed since it was started, by name.
    pub fn failures(&self) -> Vec<(&'static str, u64)> {
        self.0.iter().map(|job| (job.name, job.failures.load(Ordering::Relaxed))).collect()
    }
}

/// Starts a job on its own thread, which has the job's name.
fn spawn<J: Job>(job: J, db: &Db, id: &Arc<WorkerId>) -> Running {
    let (alive, ended) = mpsc::channel();
    let failures = Arc::new(AtomicU64::new(0));
    let may_give_way = db.concurrent_writers() > 1;
    let worker = Worker::new(job, db.clone(), id.clone(), failures.clone(), ended);
    thread::Builder::new()
        .name(J::NAME.into())
        .spawn(move || {
            // Where there is one writer, everybody waits for the transactions of a job: they must not take longer.
            if may_give_way {
                give_way();
            }
            worker.run();
        })
        .expect("a thread starts");
    Running { name: J::NAME, failures, _alive: alive }
}
