//! `logbook import zango`: the log tables of a Zango app as events of the three logs.
//!
//! ```text
//! accesslogs_appaccesslog  ──> attempts ─────┐
//!                          ──> session ends ─┼─ in order of time ─> batches ─> append
//! auditlogs_logentry       ──> entries ──────┘                       events and positions, one transaction
//! ```
//!
//! Zango 1.0 writes no logout and no expiry: it stamps the end of a session on the row of the login, at any time later.
//! So the access table is read twice, once for new rows and once for new stamps.
//!
//! No row is dropped silently: a row that cannot become an event goes to the rejects file, with the reason.

mod access;
mod audit;
mod changes;
mod folder;
mod labels;
mod lanes;
mod names;
mod position;
mod row;
mod run;
mod source;
mod summary;
mod tables;
mod workspace;

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;

pub use run::{map, run};
pub use summary::Summary;

use logbook_engine::db;

use crate::http::error::Problem;

/// Import the log tables of a Zango app; a second run adds only new rows
#[derive(Args, Clone, Debug)]
pub struct ZangoImport {
    /// Source of the tables: postgres://user:password@host/database, or a folder with one CSV file per table
    // As an environment variable, because other users of the machine can read the arguments, and the URL may have a password.
    #[arg(long, env = "LOGBOOK_IMPORT_FROM", hide_env_values = true)]
    pub from: String,
    /// The tenant's schema
    #[arg(long)]
    pub schema: String,
    /// Slug of the workspace; it is created if it does not exist
    #[arg(long)]
    pub workspace: String,
    /// File for rows that cannot be imported [default: <data dir>/rejects-<workspace>-<time>.jsonl]
    #[arg(long)]
    pub rejects: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The source, or a part of it, cannot be read.
    #[error("cannot import from {location}: {reason}")]
    Source { location: String, reason: String },
    #[error("cannot write the rejects to {location}: {reason}")]
    Rejects { location: String, reason: String },
    #[error("another import into {workspace} is running; what this one stored so far is kept")]
    Concurrent { workspace: String },
    #[error("the stored position of {table} cannot be read: {position}")]
    Position { table: String, position: String },
    #[error(transparent)]
    Store(#[from] Problem),
}

impl ImportError {
    fn rejects(path: &Path, error: &io::Error) -> Self {
        Self::Rejects { location: path.display().to_string(), reason: error.to_string() }
    }
}

impl From<logbook_engine::Error> for ImportError {
    fn from(error: logbook_engine::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<db::Error> for ImportError {
    fn from(error: db::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

#[cfg(test)]
mod tests;
