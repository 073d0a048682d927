//! What `logbook check` and `logbook repair` compare with the events. A difference is evidence: either what is derived from the
//! events was damaged, or events were altered or removed, and what is derived still tells how they were.

use logbook::audit::{
    Destination, Record,
    events::{self, note},
};
use logbook_engine::{
    counts::check::{self, Checked},
    db::{Conn, roles},
    event::{Outcome, Target},
    index, query,
};
use serde_json::Value;

use super::{Failure, progress};

/// Lines of each kind that an event has.
const MOST_LINES: usize = 20;

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Counts,
    Index,
    All,
}

/// What differs in a workspace, a line each.
#[derive(Default)]
pub(crate) struct Differences {
    pub(crate) events: Vec<String>,
    pub(crate) counts: Vec<String>,
    pub(crate) index: Vec<String>,
    /// The counts were not compared.
    pub(crate) unbuilt: bool,
}

impl Differences {
    pub(crate) fn find(conn: &mut Conn, workspace_id: i32, part: Part) -> Result<Self, Failure> {
        let mut found = Self::default();
        let missing = roles::as_appender_throughout(conn, |conn| query::missing(conn, workspace_id))?;
        let stretch = |seqs: std::ops::RangeInclusive<i64>| {
            format!("events: seq {} to {}: missing, or there twice", seqs.start(), seqs.end())
        };
        found.events = missing.into_iter().map(stretch).collect();
        if part != Part::Index {
            let counts = progress(|progress| {
                roles::as_appender_throughout(conn, |conn| check::check(conn, workspace_id, false, progress))
            });
            match counts? {
                Checked::Unbuilt => found.unbuilt = true,
                Checked::Compared(differences) => {
                    found.counts = differences.iter().map(|found| format!("counts: {found}")).collect();
                }
            }
        }
        if part != Part::Counts {
            let index = progress(|progress| {
                roles::as_appender_throughout(conn, |conn| index::check::check(conn, workspace_id, progress))
            });
            let line = |seqs: std::ops::RangeInclusive<i64>| {
                format!("index: seq {} to {} differ", seqs.start(), seqs.end())
            };
            found.index = index?.into_iter().map(line).collect();
        }
        Ok(found)
    }

    pub(crate) fn count(&self) -> usize {
        self.events.len() + self.counts.len() + self.index.len()
    }

    pub(crate) fn print(&self, slug: &str) {
        for line in self.events.iter().chain(&self.counts).chain(&self.index) {
            println!("{slug}: {line}.");
        }
    }

    /// An event of the workspace's activity log with what differs.
    pub(crate) fn record(&self, workspace_id: i32, action: &'static str, outcome: Outcome) -> Record {
        let mut event = events::by_command(action, Target::default(), Vec::new());
        event.common.outcome = outcome;
        note(&mut event, "differences", self.count() as u64);
        for (name, lines) in [("events", &self.events), ("counts", &self.counts), ("index", &self.index)] {
            if !lines.is_empty() {
                let lines: Vec<Value> =
                    lines.iter().take(MOST_LINES).map(|line| line.as_str().into()).collect();
                note(&mut event, name, lines);
            }
        }
        Record::new(Destination::Workspace(workspace_id), event)
    }
}
