//! The versions of a record.

use diesel::prelude::*;

use crate::{
    db::{Conn, dialect::AtMost, rows::VersionRow, schema::events, timestamp::Timestamp, waiting},
    error::Result,
    event::{Actor, Log, Outcome, id::EventId, stored_actor},
    filter::{
        Accepted, Filter,
        rows::{LARGEST_STEP, ordered},
    },
    order::{Order, Position},
};

/// Versions that one statement reads: as many as of a list, which bounds what is in memory beyond the limit.
const STEP: usize = LARGEST_STEP;
/// Versions have numbers up to this one: to give a number, those before are counted.
const MAX_NUMBER: usize = 10_000;

/// Which record: the first target of an event of the application log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordKey {
    pub model: String,
    pub id: String,
}

impl RecordKey {
    /// The filter that matches the record's events.
    pub fn filter(&self, workspace_id: i32) -> Filter {
        let targets = Accepted::only([(self.model.clone(), Some(self.id.clone()))]);
        Filter { targets, ..Filter::all(workspace_id, Log::Application) }
    }
}

/// How much of a record is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub versions: usize,
    /// Of the changes and names.
    pub bytes: usize,
}

impl Limits {
    /// What is read as quickly as a page.
    pub const QUICK: Self = Self { versions: 2000, bytes: 4 * 1024 * 1024 };
    /// What is read at all.
    pub const MOST: Self = Self { versions: 10_000, bytes: 32 * 1024 * 1024 };
}

/// An event of a record, as far as folding needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    pub workspace_id: i32,
    pub seq: i64,
    pub occurred_at: Timestamp,
    /// Who did it, and for whom.
    pub actor: Option<Actor>,
    pub on_behalf_of: Option<Actor>,
    pub action: String,
    pub outcome: Outcome,
    pub record_name: Option<String>,
    /// Canonical JSON, as it is stored.
    pub changes: Option<String>,
    /// JSON pointers of what was masked, as they are stored.
    pub masked: Option<String>,
}

impl Version {
    /// # Errors
    /// [`crate::Error::FromNewerVersion`].
    fn new(workspace_id: i32, row: VersionRow) -> Result<Self> {
        let VersionRow {
            seq,
            occurred_at,
            actor_type,
            actor_id,
            actor_name,
            on_behalf_of_type,
            on_behalf_of_id,
            on_behalf_of_name,
            action,
            outcome,
            target_name: record_name,
            changes,
            masked,
        } = row;
        Ok(Self {
            workspace_id,
            seq,
            occurred_at,
            actor: stored_actor(actor_type, actor_id, actor_name)?,
            on_behalf_of: stored_actor(on_behalf_of_type, on_behalf_of_id, on_behalf_of_name)?,
            action,
            outcome: Outcome::from_number(outcome)?,
            record_name,
            changes,
            masked,
        })
    }

    pub fn event_id(&self) -> EventId {
        EventId::new(self.workspace_id, self.seq, self.occurred_at)
    }

    fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, seq: self.seq }
    }

    fn bytes(&self) -> usize {
        let texts = [&self.changes, &self.masked, &self.record_name];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// A moment in the life of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// After everything that had happened by then.
    Time(Timestamp),
    /// Right after this event. Several events may have the same time.
    Event(EventId),
}

/// How many of the versions had happened at that point. None when the event is none of them.
pub fn count_until(versions: &[Version], point: Point) -> Option<usize> {
    match point {
        Point::Time(time) => Some(versions.partition_point(|version| version.occurred_at <= time)),
        Point::Event(id) => Some(versions.iter().position(|version| version.event_id() == id)? + 1),
    }
}

/// Every version of a record, oldest first. None when there are more than the limits allow.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn versions(
    conn: &mut Conn,
    workspace_id: i32,
    key: &RecordKey,
    limits: Limits,
) -> Result<Option<Vec<Version>>> {
    let filter = key.filter(workspace_id);
    let (mut found, mut bytes, mut after) = (Vec::new(), 0, None);
    loop {
        waiting::check()?;
        let query = ordered(&filter, Order::Asc, after).select(VersionRow::as_select());
        let rows = AtMost::new(query, STEP).load::<VersionRow>(conn)?;
        let is_last = rows.len() < STEP;
        for row in rows {
            let version = Version::new(workspace_id, row)?;
            bytes += version.bytes();
            if found.len() == limits.versions || bytes > limits.bytes {
                return Ok(None);
            }
            after = Some(version.position());
            found.push(version);
        }
        if is_last {
            return Ok(Some(found));
        }
    }
}

/// The number of the version at a position: 1 for the oldest. None beyond 10,000, where counting takes too long.
///
/// # Errors
/// The database's.
pub fn number_of(conn: &mut Conn, filter: &Filter, position: Position) -> Result<Option<usize>> {
    // Descending from the position: everything before it.
    let before = ordered(filter, Order::Desc, Some(position)).select(events::seq);
    let before: Vec<i64> = AtMost::new(before, MAX_NUMBER).load(conn)?;
    Ok((before.len() < MAX_NUMBER).then(|| before.len() + 1))
}
