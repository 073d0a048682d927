//! Records what a command did, in the logs of the workspaces concerned.

use logbook::{
    audit::{self, Record},
    config::DataConfig,
    http::error::Problem,
};
use logbook_engine::db::{self, Db, migrations};

/// Records the events of a command. The work is already done: if they cannot be stored, the command says so and goes on.
pub fn record(data: &DataConfig, db: &Db, records: Vec<Record>) {
    if data.audit {
        let stored =
            db.conn().map_err(Problem::from).and_then(|mut conn| audit::store_now(&mut conn, records));
        warn(stored);
    }
}

/// Like [`record`], for a command that also works without a database: neither creates one nor migrates it.
pub fn record_if_possible(data: &DataConfig, records: Vec<Record>) {
    if data.audit {
        match open_existing(data) {
            Ok(db) => record(data, &db, records),
            Err(error) => warn(Err(error)),
        }
    }
}

fn open_existing(data: &DataConfig) -> db::Result<Db> {
    if !Db::exists(&data.database_url)? {
        return Err(db::Error::Unavailable("it does not exist yet".into()));
    }
    let db = Db::open(&data.database_url, 1)?;
    if migrations::pending(&mut *db.conn()?)? {
        return Err(db::Error::Unavailable("it has pending migrations".into()));
    }
    Ok(db)
}

fn warn<E: std::fmt::Display>(stored: Result<(), E>) {
    if let Err(error) = stored {
        eprintln!("The event was not recorded: {error}");
    }
}
