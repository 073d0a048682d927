//! What an import did, for the person who ran it.

use std::{fmt, path::PathBuf};

use logbook_engine::event::{Log, NewEvent};

use super::rejects::Reject;

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

    /// Adds what a later pass did.
    pub(super) fn add(&mut self, later: Self) {
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
        } = later;
        self.access += access;
        self.session_ends += session_ends;
        self.application += application;
        self.framework += framework;
        self.rejected += rejected;
        self.created |= created;
        if !workspace.is_empty() {
            (self.workspace, self.first_rejects, self.rejects_file) =
                (workspace, first_rejects, rejects_file);
        }
    }

    /// The pass in one line.
    pub(super) fn line(&self) -> String {
        let mut line = format!("{}{}", counted(self.events(), "new event"), self.by_log());
        if self.rejected > 0 {
            line += &format!("; {} rejected, see {}", counted(self.rejected, "row"), self.file());
        }
        line
    }

    /// `: 3 access (1 of them ends of sessions), 9 application`, or nothing.
    fn by_log(&self) -> String {
        let ends = match self.session_ends {
            0 => String::new(),
            ends => format!(" ({ends} of them ends of sessions)"),
        };
        let logs = [
            (self.access, format!("access{ends}")),
            (self.application, "application".into()),
            (self.framework, "framework".into()),
        ];
        let logs =
            logs.into_iter().filter(|(count, _)| *count > 0).map(|(count, log)| format!("{count} {log}"));
        let logs: Vec<String> = logs.collect();
        if logs.is_empty() { String::new() } else { format!(": {}", logs.join(", ")) }
    }

    fn file(&self) -> String {
        self.rejects_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    }
}

fn counted(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = if self.created { " (new)" } else { "" };
        let events = counted(self.events(), "new event");
        write!(f, "{events} in workspace {}{new}{}", self.workspace, self.by_log())?;
        if self.rejected == 0 {
            return Ok(());
        }
        write!(f, "\n{} rejected, see {}", counted(self.rejected, "row"), self.file())?;
        for Reject { table, id, record, reason, row: _ } in &self.first_rejects {
            write!(f, "\n  {table} id {}", id.as_deref().unwrap_or("?"))?;
            if let Some(record) = record {
                write!(f, " (record {record})")?;
            }
            write!(f, ": {reason}")?;
        }
        let more = self.rejected.saturating_sub(self.first_rejects.len() as u64);
        if more > 0 { write!(f, "\n  and {more} more") } else { Ok(()) }
    }
}
