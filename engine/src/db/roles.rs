//! Who a connection is while it works: the second wall between workspaces, on PostgreSQL. docs/POSTGRES.md tells of it.
//!
//! The server signs in as the owner of the tables, and row-level security is forced upon owners too: as itself it sees no
//! tenant's rows at all. It reads as `logbook_reader`, who may only read, and only one workspace. It appends, and keeps what
//! is made of events, as `logbook_appender`, who sees all workspaces (COPY refuses row-level security, and background jobs
//! look for those that have work) and may change no event.
//!
//! SQLite has no roles: there, all of this is the transactions alone.

use diesel::{
    Connection as _, PgConnection, QueryResult,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    result::Error,
};

use super::Conn;

type Transactions = <Conn as diesel::Connection>::TransactionManager;

const AS_APPENDER: &str = "SET LOCAL ROLE logbook_appender";

/// Runs `work` in a transaction that reads one workspace and sees one moment of the database, whatever others commit
/// meanwhile.
///
/// # Errors
/// The database's, or whatever `work` returns. Within a transaction on PostgreSQL: it has had its moment.
pub fn as_reader<T, E: From<Error>>(
    conn: &mut Conn,
    workspace_id: i32,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    begin_as_reader(conn, workspace_id)?;
    let done = work(conn);
    end(conn, done)
}

/// Begins the transaction of [`as_reader`]. On PostgreSQL that is one message: the wall costs no request a way to the
/// database of its own.
pub(super) fn begin_as_reader(conn: &mut Conn, workspace_id: i32) -> QueryResult<()> {
    match conn {
        Conn::Pg(pg) => begin(
            pg,
            &format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL ROLE logbook_reader;
                 SET LOCAL logbook.workspace = {workspace_id}"
            ),
        ),
        // SQLite's transactions see one moment anyway.
        Conn::Sqlite(_) => Transactions::begin_transaction(conn),
    }
}

/// Runs `work` in a transaction that appends. Within another one the role stays until that one ends.
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
        begin(pg, &format!("BEGIN; {AS_APPENDER}"))?;
        let done = work(conn);
        return end(conn, done);
    }
    conn.transaction(|conn| {
        if let Conn::Pg(pg) = conn {
            pg.batch_execute(AS_APPENDER)?;
        }
        work(conn)
    })
}

/// Runs `work` of several transactions, or of none, as the appender: what looks through all workspaces, and what is kept
/// behind the appender. It makes no partitions: those are the owner's.
///
/// # Errors
/// The database's, or whatever `work` returns.
pub fn as_appender_throughout<T, E: From<Error>>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    let Conn::Pg(pg) = conn else { return work(conn) };
    pg.batch_execute("SET ROLE logbook_appender")?;
    // Where `work` panics, nobody gets this connection again: see `Manager::has_broken`.
    let done = work(conn);
    let reset = conn.batch_execute("RESET ROLE");
    let done = done?;
    reset?;
    Ok(done)
}

/// Lets the owner see one workspace until the transaction ends: a new one's first rows are the owner's to write.
///
/// # Errors
/// The database's.
pub fn enter(conn: &mut Conn, workspace_id: i32) -> QueryResult<()> {
    match conn {
        Conn::Pg(pg) => pg.batch_execute(&format!("SET LOCAL logbook.workspace = {workspace_id}")),
        Conn::Sqlite(_) => Ok(()),
    }
}

/// Whether this connection can become who it has to be, and they can read: a database that was restored from a dump has the
/// roles of its cluster, and those may be others.
///
/// # Errors
/// In words for whoever set the database up; the database's.
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
        // What comes after BEGIN may be refused: diesel knows of no transaction then, PostgreSQL does.
        if !matches!(error, Error::AlreadyInTransaction) {
            let _ = pg.batch_execute("ROLLBACK");
        }
    })
}

/// As diesel ends a transaction. One that nobody ended, because `work` panicked, makes a pool give the connection up.
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
