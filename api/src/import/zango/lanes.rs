//! The three streams of events that an import merges, each with its own position.

use std::collections::HashMap;

use logbook_engine::{append::ImportPosition, db::timestamp::Timestamp, event::NewEvent};

use super::{
    ImportError, access, audit,
    names::{Names, reject},
    position::{Position, Stamps},
    row::{Reason, Row},
    source::{Read, Source, Stream},
    tables::{ACCESS, AUDIT},
};
use crate::import::rejects::Reject;

/// The column that a session's end is stamped in.
const STAMP: &str = "session_expired_at";
/// Where the stamped rows are stored: one position per block.
const STAMPS: &str = "accesslogs_appaccesslog.session_expired_at";

/// What a row became.
pub type Step = Result<Box<NewEvent>, Box<Reject>>;

enum Lane {
    Attempts(ById),
    Ends { stream: Stream, stamps: Stamps },
    Entries(ById),
}

/// Rows that are read once, as they come in.
struct ById {
    stream: Stream,
    /// Where the last import stopped.
    before: Position,
    position: Position,
}

/// The lanes, and the next step of each.
pub struct Lanes<'a> {
    names: &'a Names,
    source_name: String,
    lanes: Vec<(Lane, Option<(i64, Step)>)>,
    /// Rows that were read since the last [`Lanes::take_seen`].
    seen: u64,
    pub total: u64,
}

impl<'a> Lanes<'a> {
    /// `stored` has the positions of earlier imports, by table.
    pub fn open(
        source: &Source,
        source_name: &str,
        names: &'a Names,
        stored: &HashMap<String, String>,
    ) -> Result<Self, ImportError> {
        let attempts = stored_position(stored, ACCESS.name)?;
        let entries = stored_position(stored, AUDIT.name)?;
        let by_id = |stream, before: Position| ById { stream, position: before.clone(), before };
        let lanes = vec![
            Lane::Attempts(by_id(source.read(&ACCESS, attempts.start())?, attempts)),
            Lane::Ends { stream: source.read_where_set(&ACCESS, STAMP)?, stamps: stored_stamps(stored)? },
            Lane::Entries(by_id(source.read_with_uuids(&AUDIT, entries.start())?, entries)),
        ];
        let total = lanes.iter().map(|lane| lane.stream().total).sum();
        let lanes = lanes.into_iter().map(|lane| (lane, None)).collect();
        Ok(Self { names, source_name: source_name.to_owned(), lanes, seen: 0, total })
    }

    /// The earliest next step of all lanes. Each lane is in order of id, which is nearly the order of time, so the result is
    /// nearly in order of time. A row that cannot be read has no time and comes first.
    pub fn next(&mut self) -> Result<Option<Step>, ImportError> {
        for (lane, head) in &mut self.lanes {
            if head.is_none() {
                *head = lane.next(self.names, &mut self.seen)?;
            }
        }
        let time =
            |step: &Step| step.as_ref().map_or(Timestamp(i64::MIN), |event| event.occurred_at.timestamp());
        let earliest = self
            .lanes
            .iter_mut()
            .filter(|(_, head)| head.is_some())
            .min_by_key(|(_, head)| head.as_ref().map(|(_, step)| time(step)));
        let Some((lane, head)) = earliest else { return Ok(None) };
        let Some((id, step)) = head.take() else { return Ok(None) };
        lane.pass(id);
        Ok(Some(step))
    }

    pub fn take_seen(&mut self) -> u64 {
        std::mem::take(&mut self.seen)
    }

    /// The positions after the last returned step, of the tables whose position changed.
    pub fn positions(&mut self) -> Result<Vec<ImportPosition>, ImportError> {
        let mut positions = Vec::new();
        let mut add = |table: String, position: String| {
            positions.push(ImportPosition {
                source: self.source_name.clone(),
                source_table: table,
                position,
            });
        };
        for (lane, _) in &mut self.lanes {
            match lane {
                Lane::Attempts(ById { stream, position, .. })
                | Lane::Entries(ById { stream, position, .. }) => {
                    add(stream.table.to_owned(), position.to_string());
                }
                Lane::Ends { stamps, .. } => {
                    let unwritable = |error: std::io::Error| ImportError::Position {
                        table: STAMPS.into(),
                        position: error.to_string(),
                    };
                    for (block, text) in stamps.take_changed().map_err(unwritable)? {
                        add(format!("{STAMPS}/{block}"), text);
                    }
                }
            }
        }
        Ok(positions)
    }
}

impl Lane {
    fn stream(&self) -> &Stream {
        match self {
            Self::Attempts(ById { stream, .. })
            | Self::Ends { stream, .. }
            | Self::Entries(ById { stream, .. }) => stream,
        }
    }

    /// The next row that has not been processed, as a step, with its id (0 if it cannot be read).
    fn next(&mut self, names: &Names, seen: &mut u64) -> Result<Option<(i64, Step)>, ImportError> {
        loop {
            let read = match self {
                Self::Attempts(ById { stream, .. })
                | Self::Ends { stream, .. }
                | Self::Entries(ById { stream, .. }) => stream.next(),
            };
            let Some(read) = read else { return Ok(None) };
            *seen += 1;
            let (row, fault) = match read? {
                Read::Row(row) => (row, None),
                // The lane of attempts reports broken lines of the access table.
                Read::Bad { .. } if matches!(self, Self::Ends { .. }) => continue,
                Read::Bad { row, reason } => (row, Some(reason)),
            };
            if self.passed(row.id) {
                continue;
            }
            let mapped = fault.map_or_else(|| self.map(&row, names), Err);
            let step = match mapped {
                Ok(Some(event)) => Ok(Box::new(event)),
                Ok(None) => continue,
                Err(reason) => Err(Box::new(reject(self.stream().table, &row, reason))),
            };
            return Ok(Some((row.id, step)));
        }
    }

    fn map(&self, row: &Row, names: &Names) -> Result<Option<NewEvent>, Reason> {
        match self {
            Self::Attempts(_) => access::attempt(row, names).map(Some),
            Self::Ends { .. } => access::session_end(row, names),
            Self::Entries(_) => audit::entry(row, names).map(Some),
        }
    }

    /// Whether an earlier import processed the row. A second row with the same id in this import is an error, to be reported.
    fn passed(&self, id: i64) -> bool {
        match self {
            _ if id == 0 => false,
            Self::Attempts(ById { before, .. }) | Self::Entries(ById { before, .. }) => before.has(id),
            Self::Ends { stamps, .. } => stamps.has(id),
        }
    }

    fn pass(&mut self, id: i64) {
        match self {
            _ if id == 0 => {}
            Self::Attempts(ById { position, .. }) | Self::Entries(ById { position, .. }) => position.take(id),
            Self::Ends { stamps, .. } => stamps.take(id),
        }
    }
}

fn stored_position(stored: &HashMap<String, String>, table: &str) -> Result<Position, ImportError> {
    let Some(text) = stored.get(table) else { return Ok(Position::default()) };
    text.parse().map_err(|_| ImportError::Position { table: table.into(), position: text.clone() })
}

fn stored_stamps(stored: &HashMap<String, String>) -> Result<Stamps, ImportError> {
    let mut stamps = Stamps::default();
    for (table, text) in stored {
        let Some(block) = table.strip_prefix(STAMPS).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let unreadable =
            || ImportError::Position { table: table.clone(), position: text.chars().take(60).collect() };
        let block = block.parse().map_err(|_| unreadable())?;
        stamps.load(block, text).ok_or_else(unreadable)?;
    }
    Ok(stamps)
}
