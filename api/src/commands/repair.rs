//! `logbook repair`: rebuilds derived data that differs from the events.

use clap::{Args, Subcommand};
use logbook::config::DataConfig;
use logbook_engine::{
    counts::check::{self, Checked},
    db::{Conn, roles},
    index::{self, build},
};

use super::{Failure, WorkspaceSelection, open, progress};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RepairArgs {
    #[command(subcommand)]
    part: Option<RepairPart>,
    #[command(flatten)]
    workspaces: WorkspaceSelection,
}

#[derive(Subcommand)]
enum RepairPart {
    /// Rebuild the whole search index; until it is complete, searches are slower but correct
    Index(WorkspaceSelection),
    /// Compare the kept counts with the events and rebuild what differs
    Counts(WorkspaceSelection),
}

pub(crate) fn run(data: &DataConfig, args: &RepairArgs) -> Result<(), Failure> {
    let db = open(data)?;
    let workspaces = match &args.part {
        Some(RepairPart::Index(workspaces) | RepairPart::Counts(workspaces)) => workspaces,
        None => &args.workspaces,
    };
    let workspaces = workspaces.find(&db)?;
    let conn = &mut *db.conn()?;
    for workspace in workspaces {
        let (id, slug) = (workspace.id, workspace.slug.as_str());
        match &args.part {
            Some(RepairPart::Index(_)) => rebuild_index(conn, id, slug)?,
            Some(RepairPart::Counts(_)) => repair_counts(conn, id, slug)?,
            None => {
                repair_counts(conn, id, slug)?;
                let damaged = progress(|progress| {
                    roles::as_appender_throughout(conn, |conn| index::check::check(conn, id, progress))
                });
                if damaged?.is_empty() {
                    println!("{slug}: the index matches the events.");
                } else {
                    rebuild_index(conn, id, slug)?;
                }
            }
        }
    }
    Ok(())
}

fn repair_counts(conn: &mut Conn, workspace_id: i32, slug: &str) -> Result<(), Failure> {
    let repaired = progress(|progress| {
        roles::as_appender_throughout(conn, |conn| check::check(conn, workspace_id, true, progress))
    });
    match repaired? {
        // A repair builds missing counts before it compares, so this does not occur.
        Checked::Unbuilt => println!("{slug}: the counts are still being built."),
        Checked::Compared(found) if found.is_empty() => println!("{slug}: the counts match the events."),
        Checked::Compared(found) => {
            found.iter().for_each(|difference| println!("{slug}: counts: {difference}."));
            println!("{slug}: {} parts of the counts differed and were rebuilt.", found.len());
        }
    }
    Ok(())
}

fn rebuild_index(conn: &mut Conn, workspace_id: i32, slug: &str) -> Result<(), Failure> {
    let rebuilt = progress(|progress| {
        roles::as_appender_throughout(conn, |conn| build::rebuild(conn, workspace_id, progress))
    });
    rebuilt?;
    println!("{slug}: the index was rebuilt.");
    Ok(())
}
