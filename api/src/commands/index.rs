//! `logbook index`.

use logbook::config::DataConfig;
use logbook_engine::{db::roles, index::build};

use super::SomeWorkspaces;
use crate::{Failure, open};

use clap::Subcommand;

#[derive(Subcommand)]
pub enum IndexCommand {
    /// Remove the index and make it again from the events; lists and searches stay right meanwhile, but slow
    Rebuild(SomeWorkspaces),
    /// Make each segment again and compare; ends with 1 when one differs
    Check(SomeWorkspaces),
}

pub fn run(data: &DataConfig, command: IndexCommand) -> Result<(), Failure> {
    let db = open(data)?;
    let (IndexCommand::Rebuild(workspaces) | IndexCommand::Check(workspaces)) = &command;
    let workspaces = workspaces.find(&db)?;
    let conn = &mut *db.conn()?;
    let mut damaged = 0;
    for workspace in workspaces {
        let bar = indicatif::ProgressBar::new(0);
        let progress = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        match command {
            IndexCommand::Rebuild(_) => {
                roles::as_appender_throughout(conn, |conn| build::rebuild(conn, workspace.id, progress))?;
                println!("{}: the index is made.", workspace.slug);
            }
            IndexCommand::Check(_) => {
                let found =
                    roles::as_appender_throughout(conn, |conn| build::check(conn, workspace.id, progress))?;
                damaged += found.len();
                for seqs in &found {
                    println!("{}: seq {} to {} differs.", workspace.slug, seqs.start(), seqs.end());
                }
                if found.is_empty() {
                    println!("{}: the index is right.", workspace.slug);
                }
            }
        }
        bar.finish_and_clear();
    }
    if damaged > 0 {
        return Err(Failure::Said(format!("{damaged} parts differ; make them again: logbook index rebuild")));
    }
    Ok(())
}
