//! SQLite databases for the stories: files in the folder of a server under test.

use std::{fs, path::Path, sync::LazyLock};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use logbook_engine::db::{Conn, migrations};

/// The URL of a database that is not there yet.
pub fn new_database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("logbook.db").display())
}

/// A database as a server leaves it that has just started on an empty one. It is a copy of one that was made once for all
/// stories.
pub fn migrated_database(folder: &Path) -> String {
    static TEMPLATE: LazyLock<Vec<u8>> = LazyLock::new(make_template);
    // Written and not copied, so that the file has the permissions of a new one.
    fs::write(folder.join("logbook.db"), &*TEMPLATE).expect("the file is written");
    new_database(folder)
}

/// The contents of the file.
fn make_template() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("logbook.db");
    let mut conn =
        Conn::Sqlite(SqliteConnection::establish(path.to_str().expect("a path")).expect("a connection"));
    conn.batch_execute("PRAGMA journal_mode = WAL").expect("the mode that servers use");
    migrations::run(&mut conn).expect("migrations");
    // The last connection that closes writes the write-ahead log back into the file and removes it.
    drop(conn);
    assert!(!path.with_file_name("logbook.db-wal").exists(), "all is in the file");
    fs::read(path).expect("the file")
}
