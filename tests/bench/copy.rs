//! The usual bulk load of the same rows into the same table with the same indexes, with which loading through HTTP is
//! compared. COPY on PostgreSQL; on SQLite one prepared INSERT for each row, all in one transaction.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use rusqlite::types::Value;

use crate::database::{Database, Direct, Kind, open_sqlite, program};

/// Rows that are read ahead between two rounds of inserting.
const AHEAD: usize = 20_000;

/// Returns rows per second. `folder` has space for another copy of the rows.
pub(crate) fn run(database: &Database, folder: &Path, progress: &ProgressBar) -> f64 {
    match database {
        Database::Sqlite(path) => sqlite(path, folder, progress),
        Database::Postgres(url) | Database::Citus(url) => postgres(url, database, folder, progress),
    }
}

/// The statements that create `events` and its indexes, without what does not belong to a bulk load.
const SQLITE_SCHEMA: &str = "SELECT sql AS name, 0 AS n FROM sqlite_master WHERE tbl_name = 'events' AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC";

fn sqlite(path: &Path, folder: &Path, progress: &ProgressBar) -> f64 {
    let copy = folder.join("copy.db");
    remove(&copy);
    let schema = Direct::Sqlite(open_sqlite(path)).named(SQLITE_SCHEMA);
    let from = open_sqlite(path);
    let to = open_sqlite(&copy);
    for (statement, _) in schema {
        to.execute_batch(&statement).expect("the schema is made");
    }
    let mut read = from.prepare("SELECT * FROM events ORDER BY workspace_id, seq").expect("a statement");
    let columns = read.column_count();
    let names = read.column_names().join(", ");
    let marks = vec!["?"; columns].join(", ");
    let mut rows = read.query([]).expect("rows");
    let (mut count, mut took) = (0, Duration::ZERO);
    {
        let mut insert =
            to.prepare(&format!("INSERT INTO events ({names}) VALUES ({marks})")).expect("a statement");
        to.execute_batch("BEGIN").expect("a transaction");
        let mut ahead: Vec<Vec<Value>> = Vec::with_capacity(AHEAD);
        loop {
            ahead.clear();
            while ahead.len() < AHEAD
                && let Some(row) = rows.next().expect("a row")
            {
                ahead.push((0..columns).map(|n| row.get(n).expect("a value")).collect());
            }
            if ahead.is_empty() {
                break;
            }
            let start = Instant::now();
            for row in &ahead {
                insert.execute(rusqlite::params_from_iter(row)).expect("a row is inserted");
            }
            took += start.elapsed();
            count += ahead.len();
            progress.inc(ahead.len() as u64);
        }
    }
    let start = Instant::now();
    to.execute_batch("COMMIT").expect("a commit");
    took += start.elapsed();
    drop(to);
    remove(&copy);
    count as f64 / took.as_secs_f64()
}

fn remove(path: &Path) {
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", path.display()));
    }
}

fn postgres(url: &str, database: &Database, folder: &Path, progress: &ProgressBar) -> f64 {
    let mut direct = database.connect();
    let rows = direct.number("SELECT count(*) AS n FROM events");
    let file = folder.join("events.copy");
    let text = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', "''"));
    psql(
        url,
        &format!(
            "\\copy (SELECT * FROM events ORDER BY workspace_id, seq) TO {} (FORMAT binary)",
            text(&file)
        ),
    );
    make_copy_table(&mut direct);
    if database.kind() == Kind::Citus {
        direct.execute("SELECT create_distributed_table('bench_copy.events', 'workspace_id')");
    }
    direct.execute("CHECKPOINT");
    let start = Instant::now();
    psql(url, &format!("\\copy bench_copy.events FROM {} (FORMAT binary)", text(&file)));
    let took = start.elapsed();
    progress.inc(rows as u64);
    direct.execute("DROP SCHEMA bench_copy CASCADE");
    fs::remove_file(&file).expect("the file is removed");
    rows as f64 / took.as_secs_f64()
}

/// Creates a copy of the table, with its partitions where it has any.
fn make_copy_table(direct: &mut Direct) {
    direct.execute("DROP SCHEMA IF EXISTS bench_copy CASCADE");
    direct.execute("CREATE SCHEMA bench_copy");
    let key = direct.named(
        "SELECT pg_get_partkeydef(oid) AS name, 0::bigint AS n FROM pg_class
         WHERE oid = 'events'::regclass AND relkind = 'p'",
    );
    let by = key.first().map(|(key, _)| format!("PARTITION BY {key}")).unwrap_or_default();
    direct.execute(&format!("CREATE TABLE bench_copy.events (LIKE events INCLUDING ALL) {by}"));
    let partitions = direct.named(
        "SELECT quote_ident(relname) || ' PARTITION OF bench_copy.events ' || pg_get_expr(relpartbound, oid) AS name,
                0::bigint AS n
         FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = 'events'::regclass",
    );
    for (partition, _) in partitions {
        direct.execute(&format!("CREATE TABLE bench_copy.{partition}"));
    }
}

pub(crate) fn psql(url: &str, statement: &str) {
    let mut psql: Command = program("psql");
    let done =
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url]).status();
    assert!(done.expect("psql runs").success(), "{statement}");
}

#[cfg(test)]
mod tests {
    use logbook_tests::postgres::{as_superuser, new_database};

    use super::*;
    use crate::storage::bytes_per_event;

    #[test]
    fn partitions_are_copied_with_their_table_and_told_under_its_name() {
        let database = Database::Postgres(as_superuser(&new_database()));
        let mut direct = database.connect();
        direct.execute(
            "CREATE TABLE events (workspace_id INTEGER, seq BIGINT, at TIMESTAMPTZ, PRIMARY KEY (workspace_id, seq, at))
             PARTITION BY RANGE (at);
             CREATE TABLE events_2026_01 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
             CREATE TABLE events_default PARTITION OF events DEFAULT;
             INSERT INTO events SELECT 1, n, '2026-01-20'::timestamptz + n * interval '1 hour' FROM generate_series(1, 500) n",
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(run(&database, folder.path(), &ProgressBar::hidden()) > 0.0);
        make_copy_table(&mut direct);
        let partitions =
            "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'bench_copy.events'::regclass";
        assert_eq!(direct.number(partitions), 2);
        direct.execute("DROP SCHEMA bench_copy CASCADE");
        let bytes = bytes_per_event(&mut direct, Kind::Postgres, 500);
        assert_eq!(bytes.keys().collect::<Vec<_>>(), ["events", "events_pkey", "total"]);
    }
}
