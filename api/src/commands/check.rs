//! `logbook check`: compares what is derived from the events with the events. It reports differences, records them in the
//! activity log, and changes nothing else: a difference may be all that is left of an event that somebody altered.

use clap::Args;
use logbook::config::DataConfig;
use logbook_engine::event::Outcome;

use super::{
    Failure, WorkspaceSelection,
    audit::record,
    compare::{Differences, Part},
    open,
};

#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    workspaces: WorkspaceSelection,
}

pub(crate) fn run(data: &DataConfig, CheckArgs { workspaces }: &CheckArgs) -> Result<(), Failure> {
    let db = open(data)?;
    let workspaces = workspaces.find(&db)?;
    let conn = &mut *db.conn()?;
    let mut differences = 0;
    for workspace in workspaces {
        let slug = workspace.slug;
        let found = Differences::find(conn, workspace.id, Part::All)?;
        found.print(&slug);
        if found.unbuilt {
            println!("{slug}: the counts are still being built; they were not compared.");
        } else if found.counts.is_empty() {
            println!("{slug}: the counts match the events.");
        }
        if found.index.is_empty() {
            println!("{slug}: the index matches the events.");
        }
        if found.count() > 0 {
            record(data, &db, vec![found.record(workspace.id, "check_failed", Outcome::Failure)]);
        }
        differences += found.count();
    }
    if differences > 0 {
        return Err(Failure::Differed(format!(
            "{differences} parts differ. Either what is derived from the events was damaged, or events were altered or removed: \
             keep a copy of the database as it is, and compare it with a backup"
        )));
    }
    Ok(())
}
