//! `logbook import`.

use clap::Subcommand;
use logbook::{
    config::DataConfig,
    import::zango::{self, ZangoImport},
};

use super::{Failure, open};

#[derive(Subcommand)]
pub enum ImportCommand {
    Zango(ZangoImport),
}

pub fn run(data: &DataConfig, command: ImportCommand) -> Result<(), Failure> {
    let ImportCommand::Zango(args) = command;
    let summary = zango::run(&open(data)?, &data.data_dir, &args, true)?;
    println!("{summary}");
    Ok(())
}
