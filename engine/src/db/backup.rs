//! A copy of a SQLite database, made while others read and write it.
//!
//! `VACUUM INTO` copies one snapshot: it takes no lock that a writer needs, and the copy has no free pages. SQLite's online
//! backup would start again with each commit of another process.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{BigInt, Text},
};

use super::{Conn, Db, Error, Kind, Result};
use crate::private_files;

/// How often the progress is told.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

const POSTGRES: &str = "\
Logbook does not copy a PostgreSQL database; PostgreSQL's own programs do, also while Logbook runs:
  pg_dump --format=custom --file=FILE DATABASE   one database; as a superuser, or as a user with BYPASSRLS and pg_read_all_data
  pg_basebackup --pgdata=FOLDER                  the whole cluster, the basis of point-in-time recovery
docs/POSTGRES.md says how to restore them.";

/// Which programs copy this database, where [`write`] does not.
pub fn other_programs(db: &Db) -> Option<&'static str> {
    (db.kind == Kind::Postgres).then_some(POSTGRES)
}

/// Copies the database to a new file that only its owner can read. `progress` gets the bytes that are written and about how
/// many there will be.
///
/// # Errors
/// [`Error::Setup`] when the file exists or cannot be written, and on PostgreSQL; the database's. No file is left behind.
pub fn write(conn: &mut Conn, file: &Path, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<()> {
    let Conn::Sqlite(_) = conn else {
        return Err(Error::Setup("only a SQLite database can be copied to a file".into()));
    };
    if file.symlink_metadata().is_ok() {
        return Err(Error::Setup(format!("{} exists; it was not changed", file.display())));
    }
    // Until it is whole it has another name, so that nobody takes a part for the backup.
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = write_partial(conn, &partial, progress).and_then(|()| {
        // Unlike renaming, this fails when somebody else has made the file meanwhile.
        fs::hard_link(&partial, file).map_err(|error| not_written(file, &error))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::File::open(folder.unwrap_or(Path::new(".")));
        folder.and_then(|folder| folder.sync_all()).map_err(|error| not_written(file, &error))
    });
    let _ = fs::remove_file(&partial);
    written
}

fn write_partial(conn: &mut Conn, partial: &Path, progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<()> {
    let name = partial.to_str().ok_or_else(|| Error::Setup("the file's name is not UTF-8".into()))?;
    let _ = fs::remove_file(partial);
    // SQLite fills an empty file, and would make one that others can read.
    let created = private_files::options().write(true).create_new(true).open(partial);
    let created = created.map_err(|error| not_written(partial, &error))?;
    let query = "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS bytes";
    let Bytes { bytes: all } = sql_query(query).get_result(conn)?;
    let all = u64::try_from(all).unwrap_or_default();
    let progress = Mutex::new(progress);
    thread::scope(|scope| {
        let (ended, copied) = mpsc::channel::<()>();
        let progress = &progress;
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = copied.recv_timeout(INTERVAL) {
                let written = fs::metadata(partial).map_or(0, |metadata| metadata.len());
                if let Ok(mut progress) = progress.lock() {
                    progress(written.min(all), all);
                }
            }
        });
        let copied = sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(conn);
        drop(ended);
        copied
    })?;
    // SQLite leaves it to the operating system when the copy is on disk.
    created.sync_all().map_err(|error| not_written(partial, &error))
}

fn not_written(file: &Path, error: &std::io::Error) -> Error {
    Error::Setup(format!("cannot write {}: {error}", file.display()))
}
