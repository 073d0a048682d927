//! Everything that differs between the two databases.

use std::time::{Duration, Instant};

use diesel::{
    ExecuteCopyFromDsl as _, QueryResult, QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    result::{DatabaseErrorKind, Error},
    sql_query,
    sql_types::{Array, BigInt, Bool, Text},
    sqlite::Sqlite,
};

use super::{
    Backend, Conn,
    rows::{CountKeyRow, DedupePartRow, EventRow, PieceRow},
    schema::{count_keys, dedupe_parts, events, index_pieces},
};

/// The settings of a PostgreSQL connection. With the one of Citus, the workers get the role and the workspace of a
/// transaction; elsewhere it means nothing.
pub const POSTGRES_SETTINGS: &str = "SET TIME ZONE 'UTC'; SET client_encoding = 'UTF8'; SET lock_timeout = '10s'; \
                                     SET statement_timeout = '60s'; SET citus.propagate_set_commands = 'local'";

/// Settings of a new connection.
pub fn prepare_connection(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // FULL, since an acknowledged event must survive a power cut; group commit pays for it.
        // The busy timeout comes first: it covers the switch to WAL when two processes start together.
        // With recursive triggers REPLACE fires those of DELETE, which guard the events.
        Conn::Sqlite(conn) => conn.batch_execute(
            "PRAGMA busy_timeout = 5000;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA recursive_triggers = ON;
             PRAGMA cache_size = -8000;
             PRAGMA mmap_size = 0;
             PRAGMA temp_store = MEMORY;
             PRAGMA journal_size_limit = 67108864;",
        ),
        Conn::Pg(conn) => {
            conn.batch_execute(&format!("{POSTGRES_SETTINGS}; {ENGLISH_MESSAGES}; {}", planning()))
        }
    }
}

/// Sets PostgreSQL's messages to English, since [`is_unavailable`] recognizes some errors by their text. Only a
/// superuser, or a user who was granted the right, may do so. For others it is a setting of the role: see
/// [`check_messages`].
const ENGLISH_MESSAGES: &str = "SELECT CASE WHEN has_parameter_privilege('lc_messages', 'SET') \
                                THEN set_config('lc_messages', 'C', false) END";

/// Settings of PostgreSQL's planner for those who read, whose statements all have an index to go by. The appender has its
/// own: [`super::roles`].
///
/// - A prepared statement is planned once. PostgreSQL would plan some again each time that they are executed, since it does not
///   know that a plan for any time reads no more partitions than one for this time: up to 4 ms of a page. Citus needs the values
///   to find the shard.
/// - Partitions are read in the order of an index. PostgreSQL expects one event of each record in a partition, and that sorting
///   them costs nothing: of a record with thousands, each page would read all.
pub(super) fn planning() -> String {
    format!(
        "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false), \
         set_config('plan_cache_mode', CASE WHEN {IS_CITUS} THEN 'auto' ELSE 'force_generic_plan' END, false)"
    )
}

/// In SQL: whether the database is distributed.
pub(super) const IS_CITUS: &str = "EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";

#[derive(QueryableByName)]
struct Messages {
    #[diesel(sql_type = Text)]
    setting: String,
    #[diesel(sql_type = Text)]
    role: String,
}

/// Checks that PostgreSQL's messages are in English.
///
/// # Errors
/// [`super::Error::Setup`] with instructions for the operator; the database's.
pub fn check_messages(conn: &mut Conn) -> super::Result<()> {
    let Conn::Pg(pg) = conn else { return Ok(()) };
    let query = "SELECT current_setting('lc_messages') AS setting, quote_ident(current_user) AS role";
    let Messages { setting, role } = sql_query(query).get_result(pg)?;
    if setting == "C" {
        return Ok(());
    }
    // Other settings may be English too, and a server without translations always is, so an actual error decides.
    let Err(error) = pg.batch_execute("SELECT 1 / 0") else { return Ok(()) };
    match super::Error::from(error) {
        super::Error::Query(error) if error.to_string() != "division by zero" => {
            Err(super::Error::Setup(format!(
                "PostgreSQL's messages are in another language (\"{error}\", lc_messages is {setting}), and Logbook has to \
                 recognise some of them. A superuser has to run this: ALTER ROLE {role} SET lc_messages = 'C';"
            )))
        }
        super::Error::Query(_) => Ok(()),
        error => Err(error),
    }
}

/// How long a transaction waits for SQLite's write lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Runs what only reads, and releases PostgreSQL's locks of it at once instead of at the end of the transaction.
///
/// # Errors
/// Those of `read`.
pub fn and_let_go(conn: &mut Conn, read: impl FnOnce(&mut Conn) -> QueryResult<()>) -> QueryResult<()> {
    if matches!(conn, Conn::Sqlite(_)) {
        return read(conn);
    }
    let mut done = Ok(());
    let ended = diesel::Connection::transaction::<(), Error, _>(conn, |conn| {
        done = read(conn);
        // To its savepoint.
        Err(Error::RollbackTransaction)
    });
    match ended {
        Err(Error::RollbackTransaction) | Ok(()) => done,
        Err(error) => Err(error),
    }
}

/// Takes SQLite's lock for writing, at the beginning of a transaction; nothing on PostgreSQL, whose locks have queues.
///
/// SQLite's has none. Who waits asks again, before long only every 100 ms, and hardly ever finds it free while another process
/// commits one transaction after the other: tried beside one such process, one in nine had waited 5 s in vain. Asking every
/// few milliseconds, nobody waited for longer than about a second.
///
/// # Errors
/// The database's; "database is locked" when others had it all the time.
pub fn lock_for_writing(conn: &mut Conn) -> QueryResult<()> {
    let Conn::Sqlite(conn) = conn else { return Ok(()) };
    let deadline = Instant::now() + LOCK_PATIENCE;
    // SQLite itself asks after 1, 2 and 5 ms, and gives up.
    conn.batch_execute("PRAGMA busy_timeout = 8")?;
    let locked = loop {
        // It changes nothing, but needs the lock.
        match conn.batch_execute("DELETE FROM job_leases WHERE 0") {
            Err(Error::DatabaseError(_, info))
                if info.message().contains("is locked") && Instant::now() < deadline => {}
            done => break done,
        }
    };
    conn.batch_execute("PRAGMA busy_timeout = 5000")?;
    locked
}

/// Adds timeouts to PostgreSQL's URL where it has none: by default libpq waits forever.
pub fn with_timeouts(url: &str) -> String {
    let defaults = [
        ("connect_timeout", "3"),
        ("keepalives_idle", "10"),
        ("keepalives_interval", "5"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "15000"),
        ("application_name", "logbook"),
    ];
    let mut url = url.to_owned();
    for (name, value) in defaults {
        if !url.contains(&format!("{name}=")) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&format!("{name}={value}"));
        }
    }
    url
}

/// True for errors that say nothing about the statement: connection lost, locked, disk full, shutting down.
pub fn is_unavailable(error: &Error) -> bool {
    match error {
        Error::BrokenTransactionManager | Error::AlreadyInTransaction => true,
        Error::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::SerializationFailure,
            _,
        ) => true,
        Error::DatabaseError(_, info) => {
            let text = info.message();
            // SQLite's result codes and PostgreSQL's classes 53, 55, 57 and 58 are available only as text.
            [
                "database is locked",
                "database table is locked",
                "disk is full",
                "disk I/O error",
                "unable to open database file",
                "readonly database",
                "No space left on device",
                "could not extend file",
                "could not write",
                "terminating connection",
                "the database system is",
                "server closed the connection",
                "unable to send",
                "could not send data",
                "could not receive data",
                "SSL connection has been closed",
                "connection to server",
                "no connection to the server",
                "lock timeout",
                "statement timeout",
                "too many connections",
                "remaining connection slots",
                "deadlock detected",
                "distributed deadlock",
                "read-only transaction",
            ]
            .iter()
            .any(|part| text.contains(part))
        }
        Error::RollbackErrorOnCommit { commit_error, .. } => is_unavailable(commit_error),
        _ => false,
    }
}

macro_rules! bulk_insert {
    ($(#[$meta:meta])* $name:ident, $row:ty, $table:path) => {
        $(#[$meta])*
        /// Uses COPY on PostgreSQL, and on SQLite one prepared statement per row, since preparing a longer one costs
        /// more than executing a short one again.
        pub fn $name<'a>(conn: &mut Conn, rows: impl IntoIterator<Item = &'a $row>) -> QueryResult<()> {
            let rows: Vec<&$row> = rows.into_iter().collect();
            match conn {
                Conn::Pg(_) if rows.is_empty() => {}
                Conn::Pg(conn) => {
                    diesel::copy_from($table).from_insertable(rows).execute(conn)?;
                }
                Conn::Sqlite(conn) => {
                    for row in rows {
                        diesel::insert_into($table).values(row).execute(conn)?;
                    }
                }
            }
            Ok(())
        }
    };
}

bulk_insert!(
    /// Inserts events.
    insert_events, EventRow, events::table
);
bulk_insert!(
    /// Inserts parts of runs of dedupe keys.
    insert_dedupe_parts, DedupePartRow, dedupe_parts::table
);
bulk_insert!(
    /// Inserts pieces of the index.
    insert_pieces, PieceRow, index_pieces::table
);

bulk_insert!(
    /// Inserts what is counted by itself.
    insert_count_keys, CountKeyRow, count_keys::table
);

/// A query that returns at most this many rows, with the number in its text. PostgreSQL cannot plan for a limit that is
/// a parameter, and plans the statement again each time that it is executed (1.3 ms of a page's 1.9 with 17
/// partitions).
#[derive(Debug, Clone)]
pub struct AtMost<Q> {
    query: Q,
    rows: String,
}

impl<Q> AtMost<Q> {
    pub fn new(query: Q, rows: usize) -> Self {
        Self { query, rows: format!(" LIMIT {rows}") }
    }
}

/// Identified by its text: the number is not part of the type.
impl<Q> QueryId for AtMost<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: diesel::query_builder::Query> diesel::query_builder::Query for AtMost<Q> {
    type SqlType = Q::SqlType;
}

impl<Q> diesel::RunQueryDsl<Conn> for AtMost<Q> {}

impl<Q: QueryFragment<Backend>> QueryFragment<Backend> for AtMost<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(&self.rows);
        Ok(())
    }
}

/// `column` equals one of some integers, which are one parameter, so that the statement's text is always the same.
#[derive(Debug, Clone, QueryId)]
pub struct AnyOf<C> {
    column: C,
    numbers: Vec<i64>,
    /// The values as JSON: SQLite has no arrays.
    json: String,
}

impl<C> AnyOf<C> {
    pub fn new(column: C, numbers: &[i64]) -> Self {
        let json: Vec<String> = numbers.iter().map(i64::to_string).collect();
        Self { column, numbers: numbers.to_vec(), json: format!("[{}]", json.join(",")) }
    }
}

impl<C> diesel::Expression for AnyOf<C> {
    type SqlType = Bool;
}

impl<C: diesel::expression::ValidGrouping<GB>, GB> diesel::expression::ValidGrouping<GB> for AnyOf<C> {
    type IsAggregate = C::IsAggregate;
}

impl<C, QS> diesel::SelectableExpression<QS> for AnyOf<C> where C: diesel::SelectableExpression<QS> {}
impl<C, QS> diesel::AppearsOnTable<QS> for AnyOf<C> where C: diesel::AppearsOnTable<QS> {}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for AnyOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.json)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for AnyOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        out.push_bind_param::<Array<BigInt>, _>(&self.numbers)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<C> QueryFragment<Backend> for AnyOf<C>
where
    Self: QueryFragment<Pg> + QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, pass)
    }
}

/// The number of a quarter hour since 1970. Every time zone's offset is a multiple of a quarter hour.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct QuarterHour<T>(pub T);

impl<T> diesel::Expression for QuarterHour<T> {
    type SqlType = BigInt;
}

impl<T, GB> diesel::expression::ValidGrouping<GB> for QuarterHour<T> {
    type IsAggregate = diesel::expression::is_aggregate::Never;
}

/// Grouping by the quarter hour is not grouping by a column.
impl<T, C> diesel::expression::IsContainedInGroupBy<C> for QuarterHour<T> {
    type Output = diesel::expression::is_contained_in_group_by::No;
}

impl<T, QS> diesel::SelectableExpression<QS> for QuarterHour<T> where T: diesel::SelectableExpression<QS> {}
impl<T, QS> diesel::AppearsOnTable<QS> for QuarterHour<T> where T: diesel::AppearsOnTable<QS> {}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for QuarterHour<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" / 900000000)");
        Ok(())
    }
}

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for QuarterHour<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(floor(extract(epoch FROM ");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") / 900)::bigint)");
        Ok(())
    }
}

impl<T> QueryFragment<Backend> for QuarterHour<T>
where
    Self: QueryFragment<Pg> + QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, pass)
    }
}
