//! The migrations of both databases, embedded in the binary.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, Error, Result};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Any number will do, as long as every Logbook uses the same: two servers that start together must not both migrate.
const MIGRATION_LOCK: i64 = 0x6c6f_6762_6f6f_6b00;

fn setup(error: impl std::fmt::Display) -> Error {
    Error::Setup(format!("migration failed: {error}"))
}

/// Applies what is pending and returns the names of what it applied.
pub fn run(conn: &mut Conn) -> Result<Vec<String>> {
    let names = |versions: Vec<_>| versions.iter().map(ToString::to_string).collect();
    match conn {
        Conn::Pg(conn) => {
            use diesel::{RunQueryDsl as _, sql_query, sql_types::BigInt};
            sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(MIGRATION_LOCK).execute(conn)?;
            let done = conn.run_pending_migrations(POSTGRES).map(names).map_err(setup);
            sql_query("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(MIGRATION_LOCK).execute(conn)?;
            done
        }
        Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(names).map_err(setup),
    }
}

/// Takes every migration back. For tests and for a new start: it drops all data.
pub fn revert_all(conn: &mut Conn) -> Result<()> {
    match conn {
        Conn::Pg(conn) => conn.revert_all_migrations(POSTGRES).map(drop).map_err(setup),
        Conn::Sqlite(conn) => conn.revert_all_migrations(SQLITE).map(drop).map_err(setup),
    }
}

/// True when the database lacks a migration that this binary has.
pub fn pending(conn: &mut Conn) -> Result<bool> {
    match conn {
        Conn::Pg(conn) => conn.has_pending_migration(POSTGRES).map_err(setup),
        Conn::Sqlite(conn) => conn.has_pending_migration(SQLITE).map_err(setup),
    }
}
