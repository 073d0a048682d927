//! The work behind the appender: what is made of the events and need not be made before an answer.
//!
//! One thread a process; of several processes on one database, the one that holds a workspace's lease does the workspace's work.
//! The lease only saves double work: whatever is written here is right also when two do it.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use diesel::prelude::*;

use crate::{
    counts::compact,
    db::{
        Conn, Db, partitions, roles,
        schema::{index_states, job_leases, workspace_sequences, workspaces},
        timestamp,
    },
    error::Result,
    index::{
        build::{self, Advanced, IngestRate},
        segment::FORMAT,
    },
};

/// Between two looks at what there is to do.
const PAUSE: Duration = Duration::from_millis(250);
/// A few new events are indexed when no more have come for so long.
const QUIET: Duration = Duration::from_secs(1);
/// Events a second from which on it is a burst: a large segment is full within seconds.
const BURST: f64 = 10_000.0;
/// How long a lease lasts that is not renewed.
const LEASE_SECONDS: i64 = 10;
/// Between two looks at whether partitions are made ahead.
const DAY: Duration = Duration::from_secs(86_400);
/// Steps for one workspace before the next one's turn.
const TURN: usize = 64;
/// How long work waits that failed once; each time more it waits twice as long …
const PATIENCE: Duration = Duration::from_secs(1);
/// … up to this.
const MOST_PATIENCE: Duration = Duration::from_secs(300);
/// The file of the data folder with the name that leases are held by.
const HOLDER_FILE: &str = "upkeep-holder";

/// The thread, as the server holds it: it ends when the last clone is dropped.
#[derive(Clone)]
pub struct Jobs {
    _running: Arc<mpsc::Sender<()>>,
    failed: Arc<AtomicU64>,
}

impl Jobs {
    /// Starts the thread. The data folder keeps the name that it holds leases by. The database has one connection or more.
    pub fn start(db: Db, data_dir: &Path) -> Self {
        let (running, ended) = mpsc::channel();
        let failures = Failures::default();
        let failed = failures.total.clone();
        let mut keeper =
            Keeper { db, holder: Holder::open(data_dir), seen: HashMap::new(), failures, made_ahead: None };
        thread::spawn(move || {
            while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(PAUSE) {
                let ends = || matches!(ended.try_recv(), Err(mpsc::TryRecvError::Disconnected));
                // Without this thread nothing would be indexed any more, and nobody would be told.
                if let Err(error) = caught(|| keeper.round(&ends)) {
                    keeper.failures.total.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(error, "upkeep failed; trying again");
                    thread::sleep(PAUSE * 4);
                }
            }
        });
        Self { _running: Arc::new(running), failed }
    }

    /// How often something failed since the start.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// What went wrong in a piece of work, in words; a panic too.
fn caught(work: impl FnOnce() -> Result<()>) -> Result<(), String> {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("it panicked".into()),
    }
}

/// What is done for a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Work {
    Counts,
    Index,
}

/// Work that failed is left alone for a while: it is the others' turn, and each time is told.
#[derive(Default)]
struct Failures {
    /// How often it failed, one time after the other, and when it is tried again.
    waiting: HashMap<(i32, Work), (u32, Instant)>,
    total: Arc<AtomicU64>,
}

impl Failures {
    /// Does the work, unless it failed not long ago.
    ///
    /// # Errors
    /// What went wrong, in words, and how long it waits now.
    fn attempt(
        &mut self,
        of: (i32, Work),
        run: impl FnOnce() -> Result<()>,
    ) -> Result<(), (String, Duration)> {
        if self.waiting.get(&of).is_some_and(|(_, again)| Instant::now() < *again) {
            return Ok(());
        }
        let Err(error) = caught(run) else {
            self.waiting.remove(&of);
            return Ok(());
        };
        self.total.fetch_add(1, Ordering::Relaxed);
        let (times, again) = self.waiting.entry(of).or_insert((0, Instant::now()));
        let wait = (PATIENCE * 2u32.pow(*times)).min(MOST_PATIENCE);
        (*times, *again) = ((*times + 1).min(16), Instant::now() + wait);
        Err((error, wait))
    }
}

/// What the thread remembers of a workspace between two rounds.
struct Seen {
    last_seq: i64,
    /// Since when that is the last one.
    since: Instant,
    looked_at: Instant,
}

impl Seen {
    fn new(last_seq: i64) -> Self {
        let now = Instant::now();
        Self { last_seq, since: now, looked_at: now }
    }

    /// How quickly events came since it was looked at before.
    fn look(&mut self, last_seq: i64) -> IngestRate {
        let before = std::mem::replace(self, Self { looked_at: Instant::now(), ..*self });
        if last_seq == before.last_seq {
            return if self.since.elapsed() >= QUIET { IngestRate::Quiet } else { IngestRate::Steady };
        }
        (self.last_seq, self.since) = (last_seq, self.looked_at);
        let per_second = (last_seq - before.last_seq) as f64 / before.looked_at.elapsed().as_secs_f64();
        if per_second >= BURST { IngestRate::Burst } else { IngestRate::Steady }
    }
}

/// The name that a process holds leases by.
///
/// The data folder keeps it, so that a process that was killed and started again need not wait for its own lease to run
/// out. Of several processes with one data folder only one has its name: it holds the lock of the file, which the system
/// takes back from a process that ends, however it ends. The others have names of their own.
struct Holder {
    name: String,
    _lock: Option<File>,
}

impl Holder {
    fn open(data_dir: &Path) -> Self {
        Self::of_folder(data_dir).unwrap_or_else(|error| {
            tracing::debug!(%error, "the data folder gives no name to hold leases by");
            Self { name: uuid::Uuid::new_v4().to_string(), _lock: None }
        })
    }

    /// # Errors
    /// The file's; `WouldBlock` when another process has the name.
    fn of_folder(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(HOLDER_FILE);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock()?;
        let mut name = String::new();
        // Whatever is there that is no name is written over: a process may have been killed before it had written it.
        let known = file.read_to_string(&mut name).is_ok() && uuid::Uuid::try_parse(&name).is_ok();
        if !known {
            name = uuid::Uuid::new_v4().to_string();
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(name.as_bytes())?;
        }
        Ok(Self { name, _lock: Some(file) })
    }
}

struct Keeper {
    db: Db,
    holder: Holder,
    seen: HashMap<i32, Seen>,
    failures: Failures,
    /// When partitions were made ahead.
    made_ahead: Option<Instant>,
}

impl Keeper {
    /// Does what there is to do, until `ends` says so.
    fn round(&mut self, ends: &impl Fn() -> bool) -> Result<()> {
        if self.made_ahead.is_none_or(|made| made.elapsed() >= DAY) {
            self.made_ahead = Some(Instant::now());
            // The appender makes those that it needs, so the rest of the round need not wait for it.
            if let Err(error) = partitions::create_upcoming(&mut *self.db.conn()?) {
                tracing::warn!(%error, "the partitions of the next months could not be made");
            }
        }
        let due = roles::as_appender_throughout(&mut *self.db.conn()?, |conn| {
            compact::due(conn, timestamp::Timestamp::now())
        })?;
        for workspace_id in due {
            self.work(workspace_id, Work::Counts, |conn| {
                let mut turns = 0..TURN;
                while turns.next().is_some() && !ends() && compact::compact(conn, workspace_id)? {}
                Ok(())
            })?;
        }
        let behind = roles::as_appender_throughout(&mut *self.db.conn()?, behind)?;
        for (workspace_id, last_seq) in behind {
            let pace = self.seen.entry(workspace_id).or_insert_with(|| Seen::new(last_seq)).look(last_seq);
            self.work(workspace_id, Work::Index, |conn| {
                for _ in 0..TURN {
                    if ends() || build::advance(conn, workspace_id, pace)? != Advanced::Segment {
                        break;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Does a workspace's work if this process has its lease. What goes wrong in it is told and no error: the next
    /// workspace gets its turn.
    ///
    /// # Errors
    /// When there is no connection, for any workspace.
    fn work(
        &mut self,
        workspace_id: i32,
        work: Work,
        run: impl FnOnce(&mut Conn) -> Result<()>,
    ) -> Result<()> {
        // One for each piece of work: the one before may have left it in the middle of a transaction.
        let mut conn = self.db.conn()?;
        let holder = &self.holder.name;
        let done = self.failures.attempt((workspace_id, work), move || {
            roles::as_appender_throughout(&mut conn, |conn| {
                if lease(conn, workspace_id, holder)? { run(conn) } else { Ok(()) }
            })
        });
        if let Err((error, wait)) = done {
            let slug = workspaces::table.find(workspace_id).select(workspaces::slug);
            let slug = self.db.conn().and_then(|mut conn| Ok(slug.first::<String>(&mut *conn)?));
            let workspace = slug.unwrap_or_else(|_| workspace_id.to_string());
            tracing::error!(workspace, ?work, error, "upkeep of a workspace failed; tried again in {wait:?}");
        }
        Ok(())
    }
}

/// Workspaces with events that are not indexed, or not in this format, and their last seq.
fn behind(conn: &mut Conn) -> Result<Vec<(i32, i64)>> {
    let indexed = index_states::indexed_seq.nullable();
    Ok(workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .filter(workspace_sequences::last_seq.gt(0))
        .filter(
            indexed
                .is_null()
                .or(indexed.lt(workspace_sequences::last_seq.nullable()))
                .or(index_states::format.nullable().ne(FORMAT)),
        )
        .select((workspace_sequences::workspace_id, workspace_sequences::last_seq))
        .load(conn)?)
}

/// Events of all workspaces that are not indexed yet.
///
/// # Errors
/// The database's.
pub fn index_lag(conn: &mut Conn) -> Result<i64> {
    let lags = workspace_sequences::table
        .left_join(index_states::table.on(index_states::workspace_id.eq(workspace_sequences::workspace_id)))
        .select((workspace_sequences::last_seq, (index_states::indexed_seq, index_states::format).nullable()))
        .load::<(i64, Option<(i64, i32)>)>(conn)?;
    let lag = |(last, indexed): (i64, Option<(i64, i32)>)| match indexed {
        Some((indexed, FORMAT)) => last - indexed,
        _ => last,
    };
    Ok(lags.into_iter().map(lag).sum())
}

/// Takes or renews the lease of a workspace. False when another process has it.
fn lease(conn: &mut Conn, workspace_id: i32, name: &str) -> Result<bool> {
    let now = timestamp::Timestamp::now();
    let until = now.plus_seconds(LEASE_SECONDS);
    let found = job_leases::table
        .find(workspace_id)
        .select((job_leases::holder, job_leases::held_until))
        .first::<(String, timestamp::Timestamp)>(conn)
        .optional()?;
    match found {
        // Renewed in its second half only: this is asked several times a second.
        Some((holder, held)) if holder == name && held > now.plus_seconds(LEASE_SECONDS / 2) => Ok(true),
        Some((holder, held)) if holder != name && held > now => Ok(false),
        Some((holder, held)) => {
            let taken = diesel::update(job_leases::table.find(workspace_id))
                .filter(job_leases::holder.eq(holder))
                .filter(job_leases::held_until.eq(held))
                .set((job_leases::holder.eq(name), job_leases::held_until.eq(until)))
                .execute(conn)?;
            Ok(taken == 1)
        }
        None => {
            let taken = diesel::insert_into(job_leases::table)
                .values((
                    job_leases::workspace_id.eq(workspace_id),
                    job_leases::holder.eq(name),
                    job_leases::held_until.eq(until),
                ))
                .execute(conn);
            match taken {
                Err(diesel::result::Error::DatabaseError(
                    diesel::result::DatabaseErrorKind::UniqueViolation,
                    _,
                )) => Ok(false),
                taken => Ok(taken? == 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_since_the_last_look() {
        let seconds_ago = |seconds| Instant::now() - Duration::from_secs(seconds);
        let seen = || Seen { last_seq: 1000, since: seconds_ago(3), looked_at: seconds_ago(2) };
        assert_eq!(seen().look(1001), IngestRate::Steady);
        assert_eq!(seen().look(1000 + 15_000), IngestRate::Steady);
        assert_eq!(seen().look(1000 + 25_000), IngestRate::Burst);
        assert_eq!(seen().look(1000), IngestRate::Quiet);
        let mut seen = seen();
        seen.look(1001);
        assert_eq!(seen.look(1001), IngestRate::Steady, "not for long");
        assert_eq!((seen.last_seq, Seen::new(7).look(7)), (1001, IngestRate::Steady));
    }

    #[test]
    fn what_fails_waits_longer_each_time_and_keeps_nobody_else() {
        let mut failures = Failures::default();
        let (failing, other) = ((1, Work::Counts), (1, Work::Index));
        let fails = || Err(crate::Error::Damaged("damaged"));
        let mut waits = Vec::new();
        for _ in 0..12 {
            let (error, wait) = failures.attempt(failing, fails).expect_err("it fails");
            assert_eq!(error, "damaged");
            waits.push(wait.as_secs());
            assert_eq!(failures.attempt(failing, || panic!("it waits")), Ok(()));
            failures.attempt(other, || Ok(())).expect("it is done");
            // Its time has come.
            failures.waiting.entry(failing).and_modify(|(_, again)| *again = Instant::now());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        let panicked = failures.attempt(other, || panic!("as if something were broken"));
        assert_eq!(panicked, Err(("it panicked".into(), PATIENCE)));
        assert_eq!(failures.total.load(Ordering::Relaxed), 13);
        assert_eq!(failures.attempt(failing, || Ok(())), Ok(()));
        assert_eq!(failures.attempt(failing, fails), Err(("damaged".into(), PATIENCE)), "all is forgotten");
    }
}
