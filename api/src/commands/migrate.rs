//! `logbook migrate`.

use logbook::config::DataConfig;
use logbook_engine::db::{Db, migrations, partitions};

use super::Failure;

pub fn run(data: &DataConfig) -> Result<(), Failure> {
    let db = Db::open(&data.database_url, 1)?;
    let applied = migrations::run(&mut *db.conn()?)?;
    // The user who migrates can create tables; the server's own user possibly cannot.
    partitions::create_upcoming(&mut *db.conn()?)?;
    match applied.as_slice() {
        [] => println!("There are no pending migrations."),
        names => println!("Applied: {}", names.join(", ")),
    }
    Ok(())
}
