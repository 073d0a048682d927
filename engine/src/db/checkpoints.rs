//! Copying SQLite's write-ahead log into its file, on a thread of its own.
//!
//! By itself SQLite does this in the commit that makes the log longer than a thousand pages: under load every third commit
//! of a thousand events took 30 ms longer for it, and everybody who waited for that commit too.

use std::{
    sync::mpsc::{self, RecvTimeoutError, SyncSender},
    thread,
    time::Duration,
};

use diesel::connection::SimpleConnection as _;

use super::{Conn, Db, Kind, Result};
use crate::priority::give_way;

/// From this many pages on a commit copies what the thread has left: only then can the log begin anew.
const PAGES: u32 = 16_000;
/// While nothing is committed, what readers kept from being copied is tried again this often.
const INTERVAL: Duration = Duration::from_secs(10);

/// The thread; it ends when this is dropped.
#[derive(Clone)]
pub struct Checkpoints(Option<SyncSender<()>>);

impl Checkpoints {
    /// Starts the thread, on SQLite.
    ///
    /// # Panics
    /// When the system has no threads left.
    pub fn start(db: &Db) -> Self {
        if db.kind == Kind::Postgres {
            return Self(None);
        }
        let (committed, commits) = mpsc::sync_channel(1);
        let db = db.clone();
        let run = move || {
            give_way();
            while let Ok(()) | Err(RecvTimeoutError::Timeout) = commits.recv_timeout(INTERVAL) {
                if let Err(error) = checkpoint(&db) {
                    tracing::debug!(%error, "the write-ahead log was not copied; a commit will");
                }
            }
        };
        thread::Builder::new().name("checkpoint".into()).spawn(run).expect("a thread starts");
        Self(Some(committed))
    }

    /// Leaves the copying to the thread, for the transactions of this connection.
    ///
    /// # Errors
    /// The database's.
    pub fn prepare(&self, conn: &mut Conn) -> Result<()> {
        match conn {
            Conn::Pg(_) => Ok(()),
            Conn::Sqlite(conn) => Ok(conn.batch_execute(&format!("PRAGMA wal_autocheckpoint = {PAGES}"))?),
        }
    }

    /// Something was committed.
    pub fn committed(&self) {
        if let Some(committed) = &self.0 {
            // When the thread is told already, it is enough.
            let _ = committed.try_send(());
        }
    }
}

fn checkpoint(db: &Db) -> Result<()> {
    // Waits for nobody: neither readers nor writers notice it.
    Ok(db.conn()?.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?)
}
