//! The commands, one file each, and what they share.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod demo;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod repair;
pub(crate) mod serve;
pub(crate) mod sources;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod workspace;

use clap::Args;
use indicatif::ProgressBar;
use logbook::{
    accounts::workspaces::{self, Workspace},
    config::DataConfig,
    http::error::Problem,
    import::ImportError,
    server::StartError,
};
use logbook_engine::db::{Db, migrations};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Engine(#[from] logbook_engine::Error),
    #[error(transparent)]
    Database(#[from] logbook_engine::db::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("{0}")]
    Message(String),
    /// What was asked for is not there on this database.
    #[error("{0}")]
    Usage(String),
    /// A comparison found differences.
    #[error("{0}")]
    Differed(String),
}

/// Opens the database for a single command and applies pending migrations.
pub(crate) fn open(data: &DataConfig) -> Result<Db, Failure> {
    let db = Db::open(&data.database_url, 2)?;
    migrations::run(&mut *db.conn()?)?;
    Ok(db)
}

/// Returns the id of the workspace with this slug.
pub(crate) fn find_workspace(db: &Db, slug: &str) -> Result<i32, Failure> {
    let workspace = workspaces::find(&mut *db.conn()?, slug)?;
    let unknown = || Failure::Message(format!("there is no workspace {slug}; see: logbook workspace list"));
    Ok(workspace.ok_or_else(unknown)?.id)
}

/// Runs work that reports how many parts of how many are done; shows a bar if stderr is a terminal.
pub(crate) fn progress<T>(work: impl FnOnce(&mut (dyn FnMut(u64, u64) + Send)) -> T) -> T {
    let bar = ProgressBar::new(0);
    let done = work(&mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    done
}

/// The workspaces that a command works on.
#[derive(Args)]
pub(crate) struct WorkspaceSelection {
    /// Only this workspace. Default: all
    #[arg(long)]
    workspace: Option<String>,
}

impl WorkspaceSelection {
    pub(crate) fn find(&self, db: &Db) -> Result<Vec<Workspace>, Failure> {
        let mut all = workspaces::list(&mut *db.conn()?)?;
        if let Some(slug) = &self.workspace {
            let id = find_workspace(db, slug)?;
            all.retain(|workspace| workspace.id == id);
        }
        Ok(all)
    }
}
