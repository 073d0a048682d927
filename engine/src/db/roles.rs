//! The roles of PostgreSQL connections: the second wall between workspaces. docs/POSTGRES.md explains them.
//!
//! The server logs in as the owner of the tables, and row-level security is forced on owners too: without a role it
//! sees no tenant's rows. It reads as `logbook_reader`, which may only read, and only one workspace. It appends events
//! and maintains derived data as `logbook_appender`, which sees all workspaces (COPY refuses row-level security, and
//! background jobs look for workspaces that have work) and may change no event.
//!
//! SQLite has no roles: there, these functions only manage transactions.

use diesel::{
    Connection as _, PgConnection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    result::Error,
};

use super::{Conn, dialect::planning};

type Transactions = <Conn as diesel::Connection>::TransactionManager;

/// The appender's role, with the planner's own choice: what reads many rows of one range takes less of PostgreSQL's time with it.
/// `scope` is `LOCAL`, until the transaction ends, or `SESSION`.
fn as_appender_for(scope: &str) -> String {
    format!(
        "SET {scope} ROLE logbook_appender; SET {scope} plan_cache_mode = auto; SET {scope} enable_seqscan = on; \
         SET {scope} enable_bitmapscan = on"
    )
}

/// Runs `work` in a transaction that reads one workspace, in one snapshot: it does not see what others commit
/// meanwhile.
///
/// # Errors
/// The database's, or whatever `work` returns. On PostgreSQL it fails within another transaction, which may already
/// have its snapshot.
pub fn as_reader<T, E: From<Error>>(
    conn: &mut Conn,
    workspace_id: i32,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    begin_as_reader(conn, workspace_id)?;
    let done = work(conn);
    end(conn, done)
}

/// Begins the transaction of [`as_reader`]. On PostgreSQL that is one message, so that the role costs no additional
/// round trip.
pub(super) fn begin_as_reader(conn: &mut Conn, workspace_id: i32) -> QueryResult<()> {
    match conn {
        Conn::Pg(pg) => begin(
            pg,
            &format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE logbook_reader;
                 SET LOCAL logbook.workspace = {workspace_id}"
            ),
        ),
        // SQLite's transactions are snapshots anyway.
        Conn::Sqlite(_) => Transactions::begin_transaction(conn),
    }
}

/// Runs `work` in a transaction of the appender. Within another transaction, the role stays until that one ends.
///
/// # Errors
/// The database's, or whatever `work` returns.
pub fn as_appender<T, E: From<Error>>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    if let Conn::Pg(pg) = conn
        && is_outside(pg)?
    {
        begin(pg, &format!("BEGIN; {}", as_appender_for("LOCAL")))?;
        let done = work(conn);
        return end(conn, done);
    }
    conn.transaction(|conn| {
        if let Conn::Pg(pg) = conn {
            pg.batch_execute(&as_appender_for("LOCAL"))?;
        }
        work(conn)
    })
}

/// Gives up the appender's role within a transaction, before it ends. On Citus, a transaction that several nodes have part in ends in
/// two steps there, and the second one is refused to another role than the first: the rows would stay locked until a
/// superuser's process finds them, a minute later.
///
/// # Errors
/// The database's.
pub fn leave(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Pg(pg) => pg.batch_execute("SET LOCAL ROLE NONE"),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Runs `work`, which may have several transactions or none, as the appender: background jobs, and what reads all
/// workspaces. It cannot create partitions, which only the owner may.
///
/// # Errors
/// The database's, or whatever `work` returns.
pub fn as_appender_throughout<T, E: From<Error>>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    let Conn::Pg(pg) = conn else { return work(conn) };
    pg.batch_execute(&as_appender_for("SESSION"))?;
    // When `work` panics, the pool discards the connection: see `Manager::has_broken`.
    let done = work(conn);
    let reset = conn.batch_execute(&format!("RESET ROLE; {}", planning()));
    let done = done?;
    reset?;
    Ok(done)
}

/// Checks that this connection can switch to its roles, and that these can read. A database that was restored from a
/// dump has the roles of its cluster, which may differ.
///
/// # Errors
/// [`Error::Setup`] with instructions for the operator; the database's.
pub fn check(conn: &mut Conn) -> super::Result<()> {
    let Conn::Pg(pg) = conn else { return Ok(()) };
    let checked = pg.transaction(|pg| {
        pg.batch_execute(
            "SET LOCAL ROLE logbook_reader; SELECT FROM events LIMIT 0;
             SET LOCAL ROLE logbook_appender; SELECT FROM events LIMIT 0",
        )
    });
    checked.map_err(|error| match super::Error::from(error) {
        super::Error::Query(error) => super::Error::Setup(format!(
            "the roles of the database are not as docs/POSTGRES.md wants them: {error}"
        )),
        error => error,
    })
}

fn is_outside(pg: &mut PgConnection) -> QueryResult<bool> {
    Ok(AnsiTransactionManager::transaction_manager_status_mut(pg).transaction_depth()?.is_none())
}

fn begin(pg: &mut PgConnection, statements: &str) -> QueryResult<()> {
    AnsiTransactionManager::begin_transaction_sql(pg, statements).inspect_err(|error| {
        // A statement after BEGIN may be refused: then diesel knows of no transaction, but PostgreSQL has one.
        if !matches!(error, Error::AlreadyInTransaction) {
            let _ = pg.batch_execute("ROLLBACK");
        }
    })
}

/// Ends a transaction as diesel does. After a panic in `work` it is not called, and the pool discards the connection.
pub(super) fn end<T, E: From<Error>>(conn: &mut Conn, done: Result<T, E>) -> Result<T, E> {
    match done {
        Ok(value) => {
            Transactions::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => match Transactions::rollback_transaction(conn) {
            Ok(()) | Err(Error::BrokenTransactionManager) => Err(error),
            Err(rollback) => Err(rollback.into()),
        },
    }
}
