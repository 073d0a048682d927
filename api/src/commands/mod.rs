//! The commands with parts of their own.

pub mod audit;
pub mod counts;
pub mod index;
pub mod keys;
pub mod token;
pub mod user;

use clap::Args;
use logbook::accounts::workspaces::{self, Workspace};
use logbook_engine::db::Db;

use crate::{Failure, find_workspace};

/// Which workspaces a command looks after.
#[derive(Args)]
pub struct SomeWorkspaces {
    /// Only this workspace. Default: all
    #[arg(long)]
    workspace: Option<String>,
}

impl SomeWorkspaces {
    pub fn find(&self, db: &Db) -> Result<Vec<Workspace>, Failure> {
        let mut all = workspaces::list(&mut *db.conn()?)?;
        if let Some(slug) = &self.workspace {
            let id = find_workspace(db, slug)?;
            all.retain(|workspace| workspace.id == id);
        }
        Ok(all)
    }
}
