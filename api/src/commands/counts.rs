//! `logbook counts`.

use clap::{Args, Subcommand};
use logbook::config::DataConfig;
use logbook_engine::{
    counts::check::{self, Checked},
    db::roles,
};

use super::SomeWorkspaces;
use crate::{Failure, open};

#[derive(Subcommand)]
pub enum CountsCommand {
    /// Compare the kept counts with the events and mend what differs, also beside running servers; ends with 3 when
    /// something differed
    Check(CheckArgs),
}

#[derive(Args)]
pub struct CheckArgs {
    #[command(flatten)]
    workspaces: SomeWorkspaces,
    /// Only compare
    #[arg(long)]
    dry_run: bool,
}

pub fn run(data: &DataConfig, command: CountsCommand) -> Result<(), Failure> {
    let CountsCommand::Check(CheckArgs { workspaces, dry_run }) = command;
    let db = open(data)?;
    let workspaces = workspaces.find(&db)?;
    let conn = &mut *db.conn()?;
    let mut differences = 0;
    for workspace in workspaces {
        let bar = indicatif::ProgressBar::new(0);
        let checked = roles::as_appender_throughout(conn, |conn| {
            check::check(conn, workspace.id, !dry_run, |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            })
        });
        bar.finish_and_clear();
        let found = match checked? {
            Checked::Unbuilt => {
                println!("{}: the counts are not made yet; nothing was compared.", workspace.slug);
                continue;
            }
            Checked::Compared(found) => found,
        };
        differences += found.len();
        for difference in &found {
            println!("{}: {difference}.", workspace.slug);
        }
        if found.is_empty() {
            println!("{}: the counts are right.", workspace.slug);
        } else if !dry_run {
            println!("{}: the counts are mended.", workspace.slug);
        }
    }
    match (differences, dry_run) {
        (0, _) => Ok(()),
        (_, true) => {
            Err(Failure::Differed(format!("{differences} parts differ; mend them: logbook counts check")))
        }
        (_, false) => Err(Failure::Differed(format!("{differences} parts differed and were mended"))),
    }
}
