//! `logbook repair`: rebuilds what is derived from the events. Where it differs from them it is evidence, and is only replaced
//! when somebody says so; the activity log tells both.

use clap::{Args, Subcommand};
use logbook::config::DataConfig;
use logbook_engine::{
    counts::check::{self, Checked},
    db::{Conn, roles},
    event::Outcome,
    index::build,
};

use super::{
    Failure, WorkspaceSelection,
    audit::record,
    compare::{Differences, Part},
    open, progress,
};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RepairArgs {
    #[command(subcommand)]
    part: Option<RepairPart>,
    #[command(flatten)]
    what: RepairWhat,
}

#[derive(Args)]
pub(crate) struct RepairWhat {
    #[command(flatten)]
    workspaces: WorkspaceSelection,
    /// Also replace what differs from the events. It may be all that tells how events were before somebody altered or
    /// removed them: keep a copy of the database first
    #[arg(long)]
    discard_evidence: bool,
}

#[derive(Subcommand)]
enum RepairPart {
    /// Rebuild the whole search index; until it is complete, searches are slower but correct
    Index(RepairWhat),
    /// Compare the kept counts with the events and rebuild what differs
    Counts(RepairWhat),
}

pub(crate) fn run(data: &DataConfig, args: &RepairArgs) -> Result<(), Failure> {
    let db = open(data)?;
    let (what, part) = match &args.part {
        Some(RepairPart::Index(what)) => (what, Part::Index),
        Some(RepairPart::Counts(what)) => (what, Part::Counts),
        None => (&args.what, Part::All),
    };
    let mut refused = Vec::new();
    for workspace in what.workspaces.find(&db)? {
        let (id, slug) = (workspace.id, workspace.slug.as_str());
        let conn = &mut *db.conn()?;
        let found = Differences::find(conn, id, part)?;
        found.print(slug);
        if found.count() > 0 && !what.discard_evidence {
            record(data, &db, vec![found.record(id, "repair_refused", Outcome::Denied)]);
            refused.push(workspace.slug);
            continue;
        }
        if found.count() > 0 {
            // Before the evidence is gone.
            record(data, &db, vec![found.record(id, "repaired", Outcome::Success)]);
        }
        if part != Part::Index {
            repair_counts(conn, id, slug)?;
        }
        match part {
            Part::Index => rebuild_index(conn, id, slug)?,
            Part::All if found.index.is_empty() => println!("{slug}: the index matches the events."),
            Part::All => rebuild_index(conn, id, slug)?,
            Part::Counts => {}
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::Differed(format!(
        "{}: nothing was rebuilt, since what differs may be evidence that events were altered or removed. Keep a copy of the \
         database; then --discard-evidence rebuilds",
        refused.join(", ")
    )))
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
