//! The runner with jobs that block, fail and panic, on SQLite.

use std::sync::atomic::AtomicBool;

use diesel::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::db::{migrations, schema::job_leases};

/// A database with its migrations, and what runs jobs on it.
struct Place {
    folder: TempDir,
    db: Db,
    id: Arc<WorkerId>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("logbook.db").display());
        let db = Db::open(&url, 4).expect("a database");
        migrations::run(&mut db.conn().expect("a connection")).expect("its tables");
        let id = Arc::new(WorkerId::open(folder.path()));
        Self { folder, db, id }
    }

    fn start<J: Job>(&self, job: J) -> Running {
        spawn(job, &self.db, &self.id)
    }

    /// Workspace and job of every lease, in order, with who holds it.
    fn leases(&self) -> Vec<(i32, String, String)> {
        let leases = job_leases::table.order((job_leases::workspace_id, job_leases::job));
        let columns = (job_leases::workspace_id, job_leases::job, job_leases::holder);
        leases.select(columns).load(&mut *self.db.conn().expect("a connection")).expect("leases")
    }
}

/// A job that calls a function for each of its workspaces, and counts the calls.
struct Fake<const NAME: char> {
    workspaces: Vec<i32>,
    calls: Arc<AtomicU64>,
    run: Box<dyn FnMut(i32) -> Result<Progress> + Send>,
}

impl<const NAME: char> Fake<NAME> {
    fn new(
        workspaces: &[i32],
        run: impl FnMut(i32) -> Result<Progress> + Send + 'static,
    ) -> (Self, Arc<AtomicU64>) {
        let calls = Arc::new(AtomicU64::new(0));
        (Self { workspaces: workspaces.to_vec(), calls: calls.clone(), run: Box::new(run) }, calls)
    }
}

macro_rules! fake_job {
    ($letter:literal, $name:literal) => {
        impl Job for Fake<$letter> {
            const NAME: &'static str = $name;
            const INTERVAL: Duration = Duration::from_millis(5);

            fn due(&mut self, _conn: &mut Conn) -> Result<Vec<i32>> {
                Ok(self.workspaces.clone())
            }

            fn run(&mut self, _conn: &mut Conn, workspace_id: i32, _: &Budget<'_>) -> Result<Progress> {
                self.calls.fetch_add(1, Ordering::Relaxed);
                (self.run)(workspace_id)
            }
        }
    };
}
fake_job!('a', "a");
fake_job!('b', "b");

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < patience, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn count(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

#[test]
fn a_job_that_blocks_stops_no_other_and_each_has_leases_of_its_own() {
    let place = Place::new();
    let (release, blocked) = mpsc::channel::<()>();
    let (slow, slow_calls) = Fake::<'a'>::new(&[1, 2], move |_| {
        let _ = blocked.recv();
        Ok(Progress::Done)
    });
    let (quick, quick_calls) = Fake::<'b'>::new(&[1, 2, NO_WORKSPACE], |_| Ok(Progress::Done));
    let _running = [place.start(slow), place.start(quick)];
    wait_until("the other job works", || count(&quick_calls) >= 30 && count(&slow_calls) == 1);
    let name = place.id.name().to_owned();
    let held = |workspace: i32, job: &str| (workspace, job.to_owned(), name.clone());
    assert_eq!(place.leases(), [held(0, "b"), held(1, "a"), held(1, "b"), held(2, "b")]);
    drop(release);
    wait_until("the blocked one goes on", || count(&slow_calls) > 1);
}

#[test]
fn a_job_that_panics_or_fails_waits_and_the_other_workspaces_do_not() {
    let place = Place::new();
    let good = Arc::new(AtomicU64::new(0));
    let (job, _) = Fake::<'a'>::new(&[1, 2, 3], {
        let good = good.clone();
        move |workspace_id| match workspace_id {
            1 => panic!("as if something were broken"),
            2 => Err(crate::Error::Damaged("damaged")),
            _ => {
                good.fetch_add(1, Ordering::Relaxed);
                Ok(Progress::Done)
            }
        }
    });
    let running = place.start(job);
    wait_until("the third workspace gets its turns", || count(&good) >= 20);
    assert_eq!(count(&running.failures), 2, "each waits for a second");
    wait_until("both are tried again", || count(&running.failures) >= 4);
    let jobs = Jobs([running].into());
    assert!(matches!(jobs.failures()[..], [("a", 4..)]));
}

#[test]
fn what_is_left_is_done_without_a_pause_and_the_thread_ends_with_the_last_clone() {
    let place = Place::new();
    let ended = Arc::new(AtomicBool::new(false));
    struct AtEnd(Arc<AtomicBool>);
    impl Drop for AtEnd {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let at_end = AtEnd(ended.clone());
    let (job, calls) = Fake::<'a'>::new(&[1], move |_| {
        let _ = &at_end;
        Ok(Progress::More)
    });
    let jobs = Jobs([place.start(job)].into());
    let clone = jobs.clone();
    drop(jobs);
    let before = count(&calls);
    wait_until("a clone keeps it running", || count(&calls) > before + 10);
    drop(clone);
    wait_until("the thread ends", || ended.load(Ordering::Relaxed));
}

#[test]
fn a_lease_is_one_processes_until_it_runs_out() {
    let place = Place::new();
    let other = WorkerId::open(place.folder.path());
    assert_ne!(place.id.name(), other.name(), "one process at a time has the folder's id");
    let conn = &mut place.db.conn().expect("a connection");
    let mut hold = |holder: &str, job: &str| lease::hold(conn, 1, job, holder).expect("an answer");
    let (ours, theirs) = (place.id.name(), other.name());
    assert!(hold(ours, "a") && hold(ours, "a"));
    assert!(!hold(theirs, "a") && hold(theirs, "b"), "of this workspace and job");
    diesel::update(job_leases::table.find((1, "a")))
        .set(job_leases::held_until.eq(db::timestamp::Timestamp::now().plus_seconds(-1)))
        .execute(&mut *place.db.conn().expect("a connection"))
        .expect("it runs out");
    assert!(hold(theirs, "a") && !hold(ours, "a"));
}

#[test]
fn a_process_that_starts_again_has_the_same_id() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let first = WorkerId::open(folder.path()).name().to_owned();
    assert_eq!(WorkerId::open(folder.path()).name(), first);
    std::fs::write(folder.path().join("worker-id"), "half an i").expect("a damaged file");
    let second = WorkerId::open(folder.path()).name().to_owned();
    assert_ne!(second, first);
    assert_eq!(WorkerId::open(folder.path()).name(), second);
}
