//! `logbook migrate`.

use logbook::config::DataConfig;
use logbook_engine::db::{Db, migrations, partitions};

use super::Failure;

pub fn run(data: &DataConfig) -> Result<(), Failure> {
    let db = Db::open(&data.database_url, 1)?;
    let applied = migrations::run(&mut *db.conn()?)?;
    // Who may migrate may make tables; the server's own user perhaps may not.
    partitions::create_upcoming(&mut *db.conn()?)?;
    match applied.as_slice() {
        [] => println!("Nothing to do."),
        names => println!("Applied: {}", names.join(", ")),
    }
    Ok(())
}
