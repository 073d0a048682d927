//! The migrations of both databases, embedded in the binary.

use diesel::{
    QueryableByName, RunQueryDsl as _,
    connection::SimpleConnection as _,
    migration::{MigrationSource, MigrationVersion},
    sql_query,
    sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, Error, Result, citus};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// The key of PostgreSQL's advisory lock: two servers that start together must not both migrate. Any number will do, as
/// long as every Logbook uses the same one.
const MIGRATION_LOCK: i64 = 0x6c6f_6762_6f6f_6b00;

fn setup(error: impl std::fmt::Display) -> Error {
    Error::Setup(format!("migration failed: {error}"))
}

fn names(versions: Vec<MigrationVersion<'_>>) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

/// Applies the pending migrations and returns their names. On Citus it then distributes the tables that are not
/// distributed yet.
///
/// # Errors
/// [`Error::Setup`] when a migration fails, and those before it stay applied; also, before anything is changed, when
/// another version of Logbook made the database.
pub fn run(conn: &mut Conn) -> Result<Vec<String>> {
    refuse_unknown(conn)?;
    match conn {
        Conn::Pg(conn) => {
            // Migrating a large table takes time, and so does waiting for another server that migrates.
            conn.batch_execute("SET lock_timeout = 0; SET statement_timeout = 0")?;
            conn.batch_execute(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})"))?;
            let done = conn.run_pending_migrations(POSTGRES).map(names).map_err(setup);
            let done = done.and_then(|applied| citus::distribute(conn).map(|()| applied));
            conn.batch_execute(&format!("SELECT pg_advisory_unlock({MIGRATION_LOCK})"))?;
            conn.batch_execute(super::dialect::POSTGRES_SETTINGS)?;
            done
        }
        Conn::Sqlite(conn) => {
            // SQLite has no such lock. Of two processes that start together one fails, tries again, and finds the work
            // done.
            let mut tries = 0;
            loop {
                match conn.run_pending_migrations(SQLITE).map(names).map_err(setup) {
                    Err(_) if tries < 5 => {
                        tries += 1;
                        std::thread::sleep(std::time::Duration::from_millis(50 << tries));
                    }
                    done => return done,
                }
            }
        }
    }
}

/// Reverts every migration, which drops all data. For tests and for a fresh start.
///
/// # Errors
/// The database's.
pub fn revert_all(conn: &mut Conn) -> Result<()> {
    match conn {
        Conn::Pg(conn) => conn.revert_all_migrations(POSTGRES).map(drop).map_err(setup),
        Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(drop).map_err(setup),
    }
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

/// True when the database lacks a migration of this binary. Only reads: a server need not own its tables.
///
/// # Errors
/// The database's.
pub fn pending(conn: &mut Conn) -> Result<bool> {
    let (known, applied) = (known(conn)?, applied(conn)?);
    Ok(!known.iter().all(|version| applied.contains(version)))
}

/// Refuses a database with a migration that this binary does not know: its tables may be others.
fn refuse_unknown(conn: &mut Conn) -> Result<()> {
    let (known, mut applied) = (known(conn)?, applied(conn)?);
    applied.retain(|version| !known.contains(version));
    if applied.is_empty() {
        return Ok(());
    }
    Err(Error::Setup(format!(
        "this database was made by another version of Logbook (migration {}); create it anew, or use that version",
        applied.join(", ")
    )))
}

/// The versions of this binary's migrations.
fn known(conn: &Conn) -> Result<Vec<String>> {
    match conn {
        Conn::Pg(_) => versions::<diesel::pg::Pg>(&POSTGRES),
        Conn::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE),
    }
}

/// The versions of the migrations that the database has.
fn applied(conn: &mut Conn) -> Result<Vec<String>> {
    let query = sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    match query.load::<Applied>(conn).map_err(Error::from) {
        Ok(applied) => Ok(applied.into_iter().map(|applied| applied.version).collect()),
        // The table is missing, so nothing was ever applied.
        Err(Error::Query(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn versions<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Result<Vec<String>> {
    let migrations = MigrationSource::<DB>::migrations(source).map_err(setup)?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}
