//! `logbook workspace`.

use clap::Subcommand;
use logbook::{
    accounts::workspaces::{self, NewWorkspace},
    audit::{Destination, Record, changes::change_and_record, events},
    config::DataConfig,
};

use super::{Failure, open};

#[derive(Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// Create a workspace
    Create {
        /// Its name in every URL: lower-case letters, digits and hyphens
        slug: String,
        /// Its display name. Default: the slug
        #[arg(long)]
        name: Option<String>,
        /// Its IANA time zone
        #[arg(long, default_value = "UTC")]
        timezone: String,
        /// Its date format: dd/mm/yyyy, mm/dd/yyyy, yyyy-mm-dd or "dd mmm yyyy"
        #[arg(long, default_value = "dd/mm/yyyy")]
        date_format: String,
    },
    /// List the workspaces
    List,
}

pub(crate) fn run(data: &DataConfig, command: WorkspaceCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        WorkspaceCommand::Create { slug, name, timezone, date_format } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let new = NewWorkspace { slug, name, timezone, date_format };
            let workspace = change_and_record(&mut *db.conn()?, data.audit, |conn| {
                let workspace = workspaces::create(conn, &new)?;
                let changes = events::settings_of(None, &workspace);
                let event =
                    events::by_command("workspace_created", events::of_workspace(&workspace), changes);
                let destinations = [Destination::Workspace(workspace.id), Destination::Platform];
                let record = |destination| Record::new(destination, event.clone());
                Ok((workspace, destinations.map(record).into()))
            })?;
            println!("Created the workspace {}.", workspace.slug);
        }
        WorkspaceCommand::List => {
            for workspace in workspaces::list(&mut *db.conn()?)? {
                println!("{}\t{}\t{}", workspace.slug, workspace.name, workspace.timezone);
            }
        }
    }
    Ok(())
}
