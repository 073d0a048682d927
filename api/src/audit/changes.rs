//! A change of a setting and its event are one transaction: after a crash there is neither a key without its event nor an
//! event without its key. For everything that is managed here, and for commands.

use diesel::Connection as _;
use logbook_engine::{
    append::{self, AppendRequest, DedupeWindow, Shard},
    db::{Conn, Db, dialect, partitions::Partitions, roles, timestamp::Timestamp},
};

use super::{AuditLog, Record, events, place};
use crate::http::{error::Result, request_id::REQUEST_ID};

impl AuditLog {
    /// Runs `work`, which changes something and returns the events of the change, and stores both in one transaction. With
    /// the audit off, only what `work` does.
    ///
    /// # Errors
    /// Whatever `work` returns; the database's. Nothing was changed then.
    pub async fn with_change<T: Send + 'static>(
        &self,
        db: &Db,
        work: impl FnOnce(&mut Conn) -> Result<(T, Vec<Record>)> + Send + 'static,
    ) -> Result<T> {
        let is_on = self.is_on();
        // Events name the request, and the thread of the database does not know it.
        let request_id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        db.run(move |conn| REQUEST_ID.sync_scope(request_id, || change_and_record(conn, is_on, work))).await
    }
}

/// As [`AuditLog::with_change`], on a connection. For commands.
///
/// # Errors
/// As there.
pub fn change_and_record<T>(
    conn: &mut Conn,
    is_on: bool,
    work: impl FnOnce(&mut Conn) -> Result<(T, Vec<Record>)>,
) -> Result<T> {
    if is_on {
        // Its own transactions.
        Partitions::default().make(conn, [Timestamp::now()])?;
    }
    conn.transaction(|conn| {
        // First of all: on SQLite, a transaction that has read cannot begin to write while another one writes.
        dialect::lock_for_writing(conn)?;
        let (changed, records) = work(conn)?;
        if is_on {
            store(conn, records)?;
        }
        roles::leave(conn)?;
        Ok(changed)
    })
}

/// Stores events in the transaction of `conn`. It goes on as the appender, so this comes last in it.
pub(super) fn store(conn: &mut Conn, records: Vec<Record>) -> Result<()> {
    let events = place(conn, records, None)?.events;
    let request = |(workspace_id, events)| AppendRequest::new(workspace_id, &events::source(), events);
    let mut requests: Vec<_> = events.into_iter().map(request).collect();
    if requests.is_empty() {
        return Ok(());
    }
    // All at once: workspaces are locked in one order, so that nobody waits for each other.
    for stored in append::store_group(conn, &mut Shard::default(), &mut requests, DedupeWindow::default())? {
        stored?;
    }
    Ok(())
}
