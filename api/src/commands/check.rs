//! `logbook check`: compares derived data with the events, and changes nothing.

use clap::Args;
use logbook::config::DataConfig;
use logbook_engine::{
    counts::check::{self, Checked},
    db::roles,
    index,
};

use super::{Failure, WorkspaceSelection, open, progress};

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
        let (id, slug) = (workspace.id, workspace.slug);
        let counts = progress(|progress| {
            roles::as_appender_throughout(conn, |conn| check::check(conn, id, false, progress))
        });
        match counts? {
            Checked::Unbuilt => println!("{slug}: the counts are still being built; they were not compared."),
            Checked::Compared(found) => {
                found.iter().for_each(|difference| println!("{slug}: counts: {difference}."));
                if found.is_empty() {
                    println!("{slug}: the counts match the events.");
                }
                differences += found.len();
            }
        }
        let index = progress(|progress| {
            roles::as_appender_throughout(conn, |conn| index::check::check(conn, id, progress))
        });
        let found = index?;
        found
            .iter()
            .for_each(|seqs| println!("{slug}: index: seq {} to {} differ.", seqs.start(), seqs.end()));
        if found.is_empty() {
            println!("{slug}: the index matches the events.");
        }
        differences += found.len();
    }
    if differences > 0 {
        return Err(Failure::Differed(format!(
            "{differences} parts differ; to rebuild them, run: logbook repair"
        )));
    }
    Ok(())
}
