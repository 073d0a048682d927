//! The thread of one job: finds the workspaces that have work and gives each a turn.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use diesel::prelude::*;

use super::{Budget, Job, NO_WORKSPACE, Progress, WorkerId, backoff::Backoff, has_ended, lease};
use crate::{
    db::{Db, roles, schema::workspaces},
    error::Result,
};

/// The pause after finding work has failed.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Worker<J> {
    job: J,
    db: Db,
    id: Arc<WorkerId>,
    backoff: Backoff,
    failures: Arc<AtomicU64>,
    ended: mpsc::Receiver<()>,
}

impl<J: Job> Worker<J> {
    pub(super) fn new(
        job: J,
        db: Db,
        id: Arc<WorkerId>,
        failures: Arc<AtomicU64>,
        ended: mpsc::Receiver<()>,
    ) -> Self {
        Self { job, db, id, backoff: Backoff::default(), failures, ended }
    }

    /// Works until the server drops its [`super::Jobs`].
    pub(super) fn run(mut self) {
        let mut pause = Duration::ZERO;
        while let Err(mpsc::RecvTimeoutError::Timeout) = self.ended.recv_timeout(pause) {
            // The thread must survive every error: without it the job would stop, and nothing would report it.
            pause = match caught(|| self.round()) {
                Ok(Progress::More) => Duration::ZERO,
                Ok(Progress::Done) => J::INTERVAL,
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(
                        job = J::NAME,
                        error,
                        "the job could not find out what is due; trying again"
                    );
                    RETRY
                }
            };
        }
    }

    /// Gives each workspace with work a turn.
    fn round(&mut self) -> Result<Progress> {
        let mut conn = self.db.conn()?;
        let due = self.job.due(&mut conn)?;
        // The thread has one connection at a time.
        drop(conn);
        let mut progress = Progress::Done;
        for workspace_id in due {
            if has_ended(&self.ended) {
                break;
            }
            if self.turn(workspace_id)? == Progress::More {
                progress = Progress::More;
            }
        }
        Ok(progress)
    }

    /// Gives a workspace its turn, if this process holds the lease. An error of the job is logged and not returned, so
    /// the next workspace gets its turn.
    ///
    /// # Errors
    /// When there is no database connection.
    fn turn(&mut self, workspace_id: i32) -> Result<Progress> {
        if self.backoff.is_waiting(workspace_id) {
            return Ok(Progress::Done);
        }
        let mut conn = self.db.conn()?;
        let Self { job, id, ended, .. } = self;
        // The connection moves into the closure, so that a panic drops it there: the pool then discards it, since it
        // may be left with a role or in a transaction.
        let done = caught(move || {
            let is_ours = roles::as_appender_throughout(&mut conn, |conn| {
                lease::hold(conn, workspace_id, J::NAME, id.name())
            })?;
            if is_ours { job.run(&mut conn, workspace_id, &Budget::new(ended)) } else { Ok(Progress::Done) }
        });
        match done {
            Ok(progress) => {
                self.backoff.forget(workspace_id);
                Ok(progress)
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                let wait = self.backoff.extend(workspace_id);
                let workspace = self.name_of(workspace_id);
                tracing::error!(job = J::NAME, workspace, error, "the job failed; trying again in {wait:?}");
                Ok(Progress::Done)
            }
        }
    }

    /// The workspace's slug for a log line, or its id when the slug cannot be read.
    fn name_of(&self, workspace_id: i32) -> String {
        if workspace_id == NO_WORKSPACE {
            return "none".into();
        }
        let slug = workspaces::table.find(workspace_id).select(workspaces::slug);
        let slug = self.db.conn().and_then(|mut conn| Ok(slug.first::<String>(&mut *conn)?));
        slug.unwrap_or_else(|_| workspace_id.to_string())
    }
}

/// Runs `work` and returns its error as text. A panic is an error too.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T, String> {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("it panicked".into()),
    }
}
