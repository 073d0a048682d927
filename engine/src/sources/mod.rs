//! Sources: what is known of who sends.
//!
//! The appender's transaction writes it, so that it is exact: what was stored is counted, what could not be read is in
//! quarantine, and a missing count is a gap, or none of it happened.
//!
//! | module | what it does |
//! |---|---|
//! | [`health`] | when a source last sent, how much, how late |
//! | [`sequences`] | which of a producer's counts have not come |
//! | [`quarantine`] | what could not be read, byte for byte |

pub mod health;
pub mod quarantine;
pub mod sequences;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    db::{Conn, rows::EventRow, timestamp::Timestamp},
    error::{Error, Result},
};
use health::Arrived;
use quarantine::NewRejected;

/// The source of Logbook's own events.
pub const OWN_SOURCE: &str = "logbook";

/// What a request of a registered source says beside its events.
#[derive(Clone, Debug, Default)]
pub struct FromSource {
    pub name: String,
    /// Bytes of the body, decompressed.
    pub bytes: u64,
    /// How long its dedupe keys are kept, in seconds; None is for ever.
    pub replay_seconds: Option<i64>,
    /// The bytes of each event of the request, in their order, at a door. There, an event that is refused goes into
    /// quarantine. Empty at the typed endpoints, where it fails the request.
    pub records: Vec<Record>,
    /// Elements that could not be read.
    pub rejected: Vec<NewRejected>,
    /// Elements that are no events, as the mapping says.
    pub skipped: u64,
    /// Rejected records that this request replays: they leave the quarantine. The ids are of this source.
    pub replayed: Vec<i64>,
    /// Most bytes that a workspace may have in quarantine.
    pub quarantine_bytes: u64,
}

/// The bytes of one element, as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub bytes: bytes::Bytes,
    /// What else of the request belongs to it, as JSON. The elements of a request share it.
    pub context: Option<Arc<str>>,
}

/// What one transaction learns of the sources of a workspace.
#[derive(Default)]
pub(crate) struct Learned<'a>(BTreeMap<&'a str, Of<'a>>);

/// What it learns of one of them.
#[derive(Default)]
struct Of<'a> {
    arrived: Arrived,
    counts: Vec<(&'a str, i64)>,
    rejected: Vec<NewRejected>,
    replayed: Vec<i64>,
    quarantine_bytes: u64,
}

impl<'a> Learned<'a> {
    /// Adds a request: its events in their order, and whether each is a duplicate.
    pub(crate) fn add(
        &mut self,
        source: &'a FromSource,
        rejected: Vec<NewRejected>,
        events: impl Iterator<Item = (&'a EventRow, bool)>,
        now: Timestamp,
    ) {
        let of = self.0.entry(&source.name).or_default();
        of.arrived.bytes += source.bytes as i64;
        of.arrived.skipped += source.skipped as i64;
        of.arrived.rejected += rejected.len() as i64;
        of.rejected.extend(rejected);
        of.replayed.extend(&source.replayed);
        of.quarantine_bytes = source.quarantine_bytes;
        for (row, is_duplicate) in events {
            if is_duplicate {
                of.arrived.duplicates += 1;
            } else {
                of.arrived.add(row, now);
            }
            if let Some(sequence) = row.sequence {
                of.counts.push((row.epoch.as_deref().unwrap_or_default(), sequence));
            }
        }
    }

    /// Writes it, in the transaction that stores the events.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn write(self, conn: &mut Conn, workspace_id: i32, now: Timestamp) -> Result<()> {
        for (source, of) in self.0 {
            let Of { arrived, counts, rejected, replayed, quarantine_bytes: _ } = of;
            let removed = quarantine::remove(conn, workspace_id, source, &replayed)?;
            let first_id = health::write(conn, workspace_id, source, &arrived, &rejected, removed, now)?;
            quarantine::insert(conn, workspace_id, source, first_id, rejected, now)?;
            sequences::write(conn, workspace_id, source, &counts, now)?;
        }
        Ok(())
    }
}

/// Whether a request's rejected records, and those that the appender refused, fit into the quarantine of its workspace, and what it
/// replays is still there.
///
/// # Errors
/// [`Error::QuarantineFull`], [`Error::AlreadyReplayed`]; the database's.
pub(crate) fn check<'a>(
    conn: &mut Conn,
    workspace_id: i32,
    source: &'a FromSource,
    refused: impl Iterator<Item = &'a NewRejected>,
) -> Result<Result<()>> {
    if !source.replayed.is_empty()
        && quarantine::count(conn, workspace_id, &source.name, &source.replayed)? != source.replayed.len()
    {
        return Ok(Err(Error::AlreadyReplayed));
    }
    let more: i64 = source.rejected.iter().chain(refused).map(NewRejected::size).sum();
    if more == 0 {
        return Ok(Ok(()));
    }
    let held = health::rejected_bytes(conn, workspace_id)?;
    let fits = held.saturating_add(more) as u64 <= source.quarantine_bytes;
    Ok(if fits { Ok(()) } else { Err(Error::QuarantineFull) })
}
