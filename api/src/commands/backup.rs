//! `logbook backup`: a copy of the database, while servers use it.

use std::path::PathBuf;

use clap::Args;
use logbook::{
    audit::{Destination, Record, events},
    config::DataConfig,
};
use logbook_engine::db::{Db, backup};

use super::{Failure, audit::record_if_possible, progress};

#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The new file
    file: PathBuf,
}

pub(crate) fn run(data: &DataConfig, BackupArgs { file }: &BackupArgs) -> Result<(), Failure> {
    if !Db::exists(&data.database_url)? {
        return Err(Failure::Message("there is no database to copy".into()));
    }
    let db = Db::open_lazily(&data.database_url, 1)?;
    if let Some(instead) = backup::other_programs(&db) {
        return Err(Failure::Usage(instead.into()));
    }
    progress(|progress| backup::write(&mut *db.conn()?, file, progress))?;
    let bytes = std::fs::metadata(file)?.len();
    eprintln!("{} has the whole database, {} MB.", file.display(), bytes.div_ceil(1_000_000));
    eprintln!(
        "It does not have the keys in {}: copy second-factor.key too, or second factors have to be reset, and token-keys.json if tokens from `logbook token` are to stay valid. API keys and sessions need no file.",
        data.data_dir.display()
    );
    drop(db);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let made = events::by_command("backup_created", events::target("backup", &name, &name), Vec::new());
    record_if_possible(data, vec![Record::new(Destination::Platform, made)]);
    Ok(())
}
