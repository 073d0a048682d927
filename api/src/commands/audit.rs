//! What a command did, in the logs of the workspaces that it concerns.

use logbook::{
    audit::{self, Record},
    config::DataConfig,
    http::error::Problem,
};
use logbook_engine::db::{self, Db, migrations};

/// Logs what was done. It is done already: where it cannot be logged, the command says so and goes on.
pub fn record(data: &DataConfig, db: &Db, records: Vec<Record>) {
    if data.audit {
        let stored =
            db.conn().map_err(Problem::from).and_then(|mut conn| audit::store_now(&mut conn, records));
        warn(stored);
    }
}

/// As [`record`], for a command that works without a database too: neither makes one nor changes its tables.
pub fn record_if_possible(data: &DataConfig, records: Vec<Record>) {
    if data.audit {
        match open_as_it_is(data) {
            Ok(db) => record(data, &db, records),
            Err(error) => warn(Err(error)),
        }
    }
}

fn open_as_it_is(data: &DataConfig) -> db::Result<Db> {
    if !Db::exists(&data.database_url)? {
        return Err(db::Error::Unavailable("there is none yet".into()));
    }
    let db = Db::open(&data.database_url, 1)?;
    if migrations::pending(&mut *db.conn()?)? {
        return Err(db::Error::Unavailable("it lacks migrations".into()));
    }
    Ok(db)
}

fn warn<E: std::fmt::Display>(stored: Result<(), E>) {
    if let Err(error) = stored {
        eprintln!("This is not in the log: {error}");
    }
}
