//! What an import did, for the person who ran it.

use std::{fmt, path::PathBuf};

use logbook_engine::event::{Log, NewEvent};

use crate::import::rejects::Reject;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    pub workspace: String,
    /// The workspace was created by this import.
    pub created: bool,
    pub access: u64,
    /// How many of the access events are ends of sessions.
    pub session_ends: u64,
    pub application: u64,
    pub framework: u64,
    pub rejected: u64,
    /// The first of the rejected rows.
    pub first_rejects: Vec<Reject>,
    /// Where all of them are; None when there are none.
    pub rejects_file: Option<PathBuf>,
}

impl Summary {
    pub fn events(&self) -> u64 {
        self.access + self.application + self.framework
    }

    pub(super) fn count(&mut self, event: &NewEvent) {
        match event.common.log {
            Log::Access => self.access += 1,
            Log::Application => self.application += 1,
            Log::Framework => self.framework += 1,
            // Only Logbook itself writes it.
            Log::Activity => {}
        }
        if event.common.action == "session_expired" {
            self.session_ends += 1;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workspace,
            created,
            access,
            session_ends,
            application,
            framework,
            rejected,
            first_rejects,
            rejects_file,
        } = self;
        let new = if *created { " (new)" } else { "" };
        write!(
            f,
            "{} new events in workspace {workspace}{new}: {access} access ({session_ends} of them ends of sessions), \
             {application} application, {framework} framework",
            self.events()
        )?;
        if *rejected == 0 {
            return Ok(());
        }
        let file = rejects_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        write!(f, "\n{rejected} rows rejected, see {file}")?;
        for Reject { table, id, record, reason, row: _ } in first_rejects {
            write!(f, "\n  {table} id {}", id.as_deref().unwrap_or("?"))?;
            if let Some(record) = record {
                write!(f, " (record {record})")?;
            }
            write!(f, ": {reason}")?;
        }
        let more = rejected - first_rejects.len() as u64;
        if more > 0 { write!(f, "\n  and {more} more") } else { Ok(()) }
    }
}
