//! The thread of one job: looks for work, and does it workspace by workspace.

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

/// The pause after a look for work has failed.
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
            // The thread must survive everything: without it the job would stop, and nobody would be told.
            pause = match caught(|| self.round()) {
                Ok(Progress::More) => Duration::ZERO,
                Ok(Progress::Done) => J::INTERVAL,
                Err(error) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    tracing::warn!(job = J::NAME, error, "the job could not look for work; trying again");
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

    /// A workspace's turn, if this process has the lease. An error of the job is logged and is no error here: the next
    /// workspace gets its turn.
    ///
    /// # Errors
    /// When there is no connection, for any workspace.
    fn turn(&mut self, workspace_id: i32) -> Result<Progress> {
        if self.backoff.is_waiting(workspace_id) {
            return Ok(Progress::Done);
        }
        let mut conn = self.db.conn()?;
        let Self { job, id, ended, .. } = self;
        // The connection is moved in: the pool takes back none from a panic, which may have left a role or a transaction.
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

    /// A workspace as a log line names it.
    fn name_of(&self, workspace_id: i32) -> String {
        if workspace_id == NO_WORKSPACE {
            return "none".into();
        }
        let slug = workspaces::table.find(workspace_id).select(workspaces::slug);
        let slug = self.db.conn().and_then(|mut conn| Ok(slug.first::<String>(&mut *conn)?));
        slug.unwrap_or_else(|_| workspace_id.to_string())
    }
}

/// Runs `work` and returns its error in words. A panic is an error too.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T, String> {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("it panicked".into()),
    }
}
