//! `logbook demo`.

use logbook::{
    config::DataConfig,
    demo::{self, Filled},
};
use logbook_engine::db::Db;

use super::{Failure, open};

pub fn run(data: &DataConfig) -> Result<(), Failure> {
    fill(&open(data)?, data)
}

/// Fills the demo workspaces, unless they are already filled.
pub fn fill(db: &Db, data: &DataConfig) -> Result<(), Failure> {
    let Filled { peerapp, clinic } = demo::fill(db, &data.data_dir, true)?;
    if peerapp + clinic > 0 {
        println!("Filled the demo: {peerapp} events in peerapp, {clinic} in clinic.");
    }
    Ok(())
}
