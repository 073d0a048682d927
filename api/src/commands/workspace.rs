//! `logbook workspace`.

use clap::Subcommand;
use logbook::{
    accounts::workspaces::{self, NewWorkspace},
    audit::{Destination, events},
    config::DataConfig,
};

use super::{Failure, audit::record, open};

#[derive(Subcommand)]
pub enum WorkspaceCommand {
    /// Make a workspace
    Create {
        /// Names it in every address: lower-case letters, digits and hyphens
        slug: String,
        /// Default: the slug
        #[arg(long)]
        name: Option<String>,
        /// IANA time zone
        #[arg(long, default_value = "UTC")]
        timezone: String,
        /// dd/mm/yyyy, mm/dd/yyyy, yyyy-mm-dd or "dd mmm yyyy"
        #[arg(long, default_value = "dd/mm/yyyy")]
        date_format: String,
    },
    /// List the workspaces
    List,
}

pub fn run(data: &DataConfig, command: WorkspaceCommand) -> Result<(), Failure> {
    let db = open(data)?;
    match command {
        WorkspaceCommand::Create { slug, name, timezone, date_format } => {
            let name = name.unwrap_or_else(|| slug.clone());
            let new = NewWorkspace { slug, name, timezone, date_format };
            let workspace = workspaces::create(&mut *db.conn()?, &new)?;
            let (target, changes) = (events::of_workspace(&workspace), events::settings_of(None, &workspace));
            let created = events::by_command("workspace_created", target, changes);
            let places = [Destination::Workspace(workspace.id), Destination::Platform];
            record(data, &db, places.map(|place| (place, created.clone())).into());
            println!("Made the workspace {}.", workspace.slug);
        }
        WorkspaceCommand::List => {
            for workspace in workspaces::list(&mut *db.conn()?)? {
                println!("{}\t{}\t{}", workspace.slug, workspace.name, workspace.timezone);
            }
        }
    }
    Ok(())
}
