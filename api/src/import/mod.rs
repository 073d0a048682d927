//! Imports the history of other systems, and keeps up with it.
//!
//! ```text
//! source ─> lanes ─> the system's mapping ─> run ─> engine's append
//!   PostgreSQL         zango/  django/         events and positions, one transaction
//!   SQLite, CSV
//! ```
//!
//! | part | what it does |
//! |---|---|
//! | [`source`] | the rows of another system's tables, as texts; never writes |
//! | [`row`] | a row, with parsers for the types of columns |
//! | [`progress`], `ids`, `growth` | which rows have been processed, and why none is left out or read twice |
//! | [`system`] | what an importer says of its system: tables, lanes, mapping |
//! | [`lanes`] | merges the streams of rows in order of time |
//! | [`run`] | one pass: reads, batches, stores |
//! | [`follow`] | passes for ever: pace, errors, signals |
//! | [`rejects`], [`summary`] | rows that cannot become events; what was done |
//! | [`register`], [`content_types`] | what rows refer to by id |
//! | [`log_entry`], [`changes`] | the format of django-auditlog, which Zango has too |
//! | [`zango`], [`django`] | the systems |
//!
//! No row is dropped silently: a row that cannot become an event goes to the rejects file, with the reason.

mod changes;
mod content_types;
pub mod django;
mod follow;
mod growth;
mod ids;
mod lanes;
mod log_entry;
mod progress;
mod register;
pub mod rejects;
mod row;
mod run;
mod source;
mod stop;
mod summary;
mod system;
pub mod zango;

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use logbook_engine::db;

pub use stop::Stop;
pub use summary::Summary;

use crate::http::error::Problem;

/// What every import is told.
#[derive(Args, Clone, Debug)]
pub struct ImportArgs {
    /// Source of the tables: postgres://user:password@host/database, a SQLite file, or a folder with one CSV file per table
    // As an environment variable, because other users of the machine can read the arguments, and the URL may have a password.
    #[arg(long, env = "LOGBOOK_IMPORT_FROM", hide_env_values = true)]
    pub from: String,
    /// Slug of the workspace; it is created if it does not exist
    #[arg(long)]
    pub workspace: String,
    /// File for rows that cannot be imported [default: <data dir>/rejects-<workspace>-<time>.jsonl]
    #[arg(long)]
    pub rejects: Option<PathBuf>,
    /// Keep up with a database until this program is told to end
    #[arg(long)]
    pub follow: bool,
    /// With --follow: seconds between two looks at the source
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: u64,
}

impl ImportArgs {
    /// One import, without options.
    pub fn new(from: impl Into<String>, workspace: impl Into<String>) -> Self {
        Self { from: from.into(), workspace: workspace.into(), rejects: None, follow: false, every: 5 }
    }
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
    #[error("a folder does not grow; --follow needs a database: {location}")]
    Follow { location: String },
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
