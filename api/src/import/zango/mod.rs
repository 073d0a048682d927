//! `logbook import zango`: the log tables of a Zango app as events of the three logs.
//!
//! ```text
//! accesslogs_appaccesslog  ──> attempts ─────────┐
//!                          ──> session ends ─────┼─ in order of time ─> batches ─> append
//!                          ──> roles, if late ───┤                       events and positions, one transaction
//! auditlogs_logentry       ──> entries ──────────┘
//! ```
//!
//! Zango 1.0 writes no logout and no expiry: it stamps the end of a session on the row of the login, at any time later.
//! So the access table has a lane for new rows, and one for each column that is filled in later.

mod access;
mod audit;
mod labels;
mod names;
mod tables;
mod workspace;

use std::path::Path;

use clap::Args;
use logbook_engine::{db::Db, event::NewEvent};

use self::{
    names::Names,
    tables::{ACCESS, AUDIT, object_of_entry},
};
use super::{
    ImportArgs, ImportError, Stop, Summary,
    content_types::{self, CONTENT_TYPES},
    follow,
    rejects::{Reject, Rejects},
    row::Row,
    run,
    source::Source,
    system::{Lane, System, When},
};
use crate::accounts::workspaces::NewWorkspace;

/// Import the log tables of a Zango app; a second run adds only new rows
#[derive(Args, Clone, Debug)]
pub struct ZangoImport {
    /// The tenant's schema
    #[arg(long)]
    pub schema: String,
    #[command(flatten)]
    pub import: ImportArgs,
}

/// Imports the new rows of the source. `progress` draws a bar on stderr if that is a terminal.
///
/// # Errors
/// When the source cannot be read or the events cannot be stored. Batches stored until then stay, with their
/// positions: another run continues from there.
pub fn run(db: &Db, data_dir: &Path, args: &ZangoImport, progress: bool) -> Result<Summary, ImportError> {
    let source = open(&args.import.from, &args.schema)?;
    run::once(db, data_dir, &args.import, &source, Zango::new(&args.schema), progress)
}

/// As [`run`], then again and again until it is told to stop.
///
/// # Errors
/// As [`run`], until the first pass begins. Later ones are said, and it tries again; except those that no time mends.
pub fn follow(db: &Db, data_dir: &Path, args: &ZangoImport, stop: &Stop) -> Result<Summary, ImportError> {
    let source = open(&args.import.from, &args.schema)?;
    follow::follow(db, data_dir, &args.import, &source, Zango::new(&args.schema), stop)
}

/// Maps all rows of a source and stores nothing: each event, or why its row cannot become one, goes to `take`.
///
/// # Errors
/// When the source cannot be read, or the rejects cannot be written.
pub fn map(
    from: &str,
    schema: &str,
    rejects: &Path,
    take: impl FnMut(Result<NewEvent, Reject>),
) -> Result<(), ImportError> {
    run::map(&open(from, schema)?, Zango::new(schema), rejects, take)
}

fn open(from: &str, schema: &str) -> Result<Source, ImportError> {
    let source = Source::open(from, schema)?;
    if source.is_folder() || source.is_postgres() {
        return Ok(source);
    }
    Err(ImportError::Source {
        location: source.to_string(),
        reason: "Zango's database is PostgreSQL, or a folder of CSV files".into(),
    })
}

struct Zango {
    schema: String,
    names: Names,
}

impl Zango {
    fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned(), names: Names::default() }
    }
}

impl System for Zango {
    const EVENTS_SOURCE: &'static str = "zango import";

    fn positions(&self, _source: &Source) -> String {
        format!("zango:{}", self.schema)
    }

    fn check(&self, source: &Source) -> Result<(), ImportError> {
        [&CONTENT_TYPES, &ACCESS, &AUDIT].into_iter().try_for_each(|table| source.require(table))
    }

    fn workspace(&self, source: &Source, slug: &str) -> Result<NewWorkspace, ImportError> {
        workspace::of_tenant(source, &self.schema, slug)
    }

    fn lanes(&self, _source: &Source) -> Result<Vec<Lane<Self>>, ImportError> {
        let attempt = |zango: &Self, row: &Row| access::attempt(row, &zango.names).map(Some);
        let end = |zango: &Self, row: &Row| access::session_end(row, &zango.names);
        let role = |zango: &Self, row: &Row| access::role_selected(row, &zango.names);
        let entry = |zango: &Self, row: &Row| audit::entry(row, &zango.names).map(Some);

        let mut attempts =
            Lane::new(ACCESS.clone(), When::There, attempt).with_unsettled(access::waits_for_role);
        let ends = Lane::new(ACCESS.clone(), When::Filled(access::ENDED_AT), end);
        let roles = Lane::new(ACCESS.clone(), When::Filled(access::ROLE), role).after(&mut attempts);
        let entries = Lane::new(AUDIT.clone(), When::There, entry).with_lookups(vec![object_of_entry()]);
        Ok(vec![attempts, ends, roles, entries])
    }

    fn learn(&mut self, source: &Source, rejects: &mut Rejects) -> Result<(), ImportError> {
        self.names.load(source, rejects)
    }

    fn look_up(&mut self, source: &Source, row: &Row) -> Result<(), ImportError> {
        self.names.look_up(source, row)
    }

    fn may_have_secret_id(&self, row: &Row) -> bool {
        content_types::of(row, &self.names.content_types).map_or(true, audit::has_secret_id)
    }
}

#[cfg(test)]
mod tests;
