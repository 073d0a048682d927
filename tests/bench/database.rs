//! Direct access to the databases, without the server: for the usual way, for sizes and for bulk loading.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _,
};
use logbook_tests::postgres::find_binaries;

use crate::server::WORKSPACE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    /// On a cluster that is there already: `LOGBOOK_TEST_CITUS_URL`.
    Citus,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Citus => "citus",
        }
    }
}

/// The location of a server's database.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// Path of the file.
    Sqlite(PathBuf),
    /// URL with the database's name.
    Postgres(String),
    /// The same, of the coordinator.
    Citus(String),
}

impl Database {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
            Self::Citus(_) => Kind::Citus,
        }
    }

    /// In the form of `LOGBOOK_DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) | Self::Citus(url) => url.clone(),
        }
    }

    pub(crate) fn connect(&self) -> Direct {
        match self {
            Self::Sqlite(path) => Direct::Sqlite(open_sqlite(path)),
            Self::Postgres(url) | Self::Citus(url) => {
                let mut conn = PgConnection::establish(url).expect("PostgreSQL answers");
                conn.batch_execute("SET TIME ZONE 'UTC'").expect("a setting");
                Direct::Postgres(Box::new(conn))
            }
        }
    }
}

/// With the server's settings, except that a reader needs no busy timeout here.
pub(crate) fn open_sqlite(path: &Path) -> rusqlite::Connection {
    let conn = rusqlite::Connection::open(path).expect("the file opens");
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8000;
         PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;",
    )
    .expect("settings");
    conn
}

/// How often a limit is set that is refused.
const ATTEMPTS: usize = 100;

/// Zero is no limit. That of the statement before holds for this one too, and may be a millisecond.
fn limit_statements(conn: &mut PgConnection, limit: Duration) {
    let setting = format!("SET statement_timeout = {}", limit.as_millis());
    assert!((0..ATTEMPTS).any(|_| conn.batch_execute(&setting).is_ok()), "{setting}");
}

/// A direct connection.
pub(crate) enum Direct {
    Sqlite(rusqlite::Connection),
    Postgres(Box<PgConnection>),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

impl Direct {
    /// Runs statements one after the other and reads all their rows. None when they take longer than the limit.
    pub(crate) fn timed(&mut self, statements: &[String], limit: Duration) -> Option<Duration> {
        let mut took = Duration::ZERO;
        for statement in statements {
            let left = limit.checked_sub(took).filter(|left| left.as_millis() > 0)?;
            took += match self {
                Self::Sqlite(conn) => read_all(conn, statement, left)?,
                Self::Postgres(conn) => {
                    limit_statements(conn, left);
                    let start = Instant::now();
                    match conn.batch_execute(statement) {
                        Ok(()) => start.elapsed(),
                        Err(error) if error.to_string().contains("statement timeout") => return None,
                        Err(error) => panic!("{error}: {statement}"),
                    }
                }
            };
        }
        Some(took)
    }

    /// Runs statements that return no rows.
    pub(crate) fn execute(&mut self, statements: &str) {
        match self {
            Self::Sqlite(conn) => conn.execute_batch(statements).expect("the statements run"),
            Self::Postgres(conn) => {
                limit_statements(conn, Duration::ZERO);
                conn.batch_execute(statements).expect("the statements run");
            }
        }
    }

    /// The column `n` of a statement's only row.
    pub(crate) fn number(&mut self, statement: &str) -> i64 {
        match self {
            Self::Sqlite(conn) => conn
                .query_row(statement, [], |row| row.get("n"))
                .unwrap_or_else(|e| panic!("{e}: {statement}")),
            Self::Postgres(conn) => {
                limit_statements(conn, Duration::ZERO);
                let row = diesel::sql_query(statement).get_result::<Number>(&mut **conn);
                row.unwrap_or_else(|e| panic!("{e}: {statement}")).n
            }
        }
    }

    /// The rows `(name, n)` of a statement.
    pub(crate) fn named(&mut self, statement: &str) -> Vec<(String, i64)> {
        match self {
            Self::Sqlite(conn) => {
                let mut statement = conn.prepare(statement).expect("a statement");
                let rows =
                    statement.query_map([], |row| Ok((row.get("name")?, row.get("n")?))).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Self::Postgres(conn) => {
                let rows = diesel::sql_query(statement).load::<Named>(&mut **conn).expect("rows");
                rows.into_iter().map(|Named { name, n }| (name, n)).collect()
            }
        }
    }

    /// The id of the workspace that is measured.
    pub(crate) fn workspace_id(&mut self) -> i64 {
        self.number(&format!("SELECT CAST(id AS BIGINT) AS n FROM workspaces WHERE slug = '{WORKSPACE}'"))
    }

    pub(crate) fn version(&mut self) -> String {
        match self {
            Self::Sqlite(_) => format!("SQLite {}", rusqlite::version()),
            Self::Postgres(_) => {
                let number = self.number("SELECT current_setting('server_version_num')::bigint AS n");
                format!("PostgreSQL {}.{}", number / 10_000, number % 10_000)
            }
        }
    }
}

/// Reads every row and column. None when it takes longer than the limit.
fn read_all(conn: &rusqlite::Connection, statement: &str, limit: Duration) -> Option<Duration> {
    let start = Instant::now();
    conn.progress_handler(10_000, Some(move || start.elapsed() > limit)).expect("a handler");
    let read = || -> rusqlite::Result<()> {
        let mut statement = conn.prepare(statement)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                std::hint::black_box(row.get_ref(column)?);
            }
        }
        Ok(())
    };
    let read = read();
    let took = start.elapsed();
    conn.progress_handler(0, None::<fn() -> bool>).expect("no handler");
    match read {
        Ok(()) => Some(took),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => None,
        Err(error) => panic!("{error}: {statement}"),
    }
}

/// One of PostgreSQL's own programs.
pub(crate) fn program(name: &str) -> Command {
    Command::new(find_binaries().join(name))
}
