//! The timeline: events of several logs in one order.
//!
//! Each log has a filter of its own. Those that need the index are looked up in it together, and give one list of their
//! next events; each other one gives its own. They are merged up to the place that all of
//! them have reached, so that the merged page is exact and the next one continues from there.
//!
//! ```text
//! access       a . . d . . . . |             more follows behind |
//! application  . . b . . e . . . . k
//! page         a . b d . e . . |             k waits: the access log may have events before it
//! ```

mod merge;
pub mod sessions;
pub mod suggest;

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::{
    db::Conn,
    error::Result,
    event::{ActorType, Event, Log, id::EventId},
    filter::{
        AccessPath, Filter,
        rows::{Columns, Reading},
    },
    index::Index,
    order::{Order, Position},
    query::{self, Found},
};
use merge::Merged;

/// One of the lists that are merged. An event may be in several of them.
#[derive(Clone, Debug)]
pub struct Part {
    pub filter: Filter,
    /// The type of the person for whom the actor acted, which a filter does not know.
    pub on_behalf_of_type: Option<ActorType>,
}

impl Part {
    pub fn new(filter: Filter) -> Self {
        Self { filter, on_behalf_of_type: None }
    }

    /// Whether an event matches, with the same answer on every database.
    pub fn matches(&self, event: &Event) -> bool {
        self.filter.matches(event) && self.keeps(event)
    }

    fn keeps(&self, event: &Event) -> bool {
        self.on_behalf_of_type.is_none_or(|wanted| {
            event.common.on_behalf_of.as_ref().is_some_and(|person| person.kind == wanted)
        })
    }
}

/// A hash of the parts, which binds a cursor to them.
pub fn hash(parts: &[Part]) -> [u8; 8] {
    let mut digest = Sha256::new();
    for Part { filter, on_behalf_of_type } in parts {
        digest.update(filter.hash());
        digest.update(on_behalf_of_type.map_or(0, ActorType::number).to_be_bytes());
    }
    let mut hash = [0; 8];
    hash.copy_from_slice(&digest.finalize()[..8]);
    hash
}

/// True when events of some part are found through the signature index.
pub fn needs_index(parts: &[Part]) -> bool {
    parts.iter().any(|part| part.filter.plan() == AccessPath::Index)
}

/// A page of the events that any part matches, each once. It ends early as a page of [`query::list`] does; the parts
/// share the time.
///
/// # Errors
/// As [`query::list`].
pub fn list(
    conn: &mut Conn,
    index: &Index,
    parts: &[Part],
    (order, after): (Order, Option<Position>),
    limit: usize,
    patience: Duration,
) -> Result<Found> {
    list_where(conn, index, parts, (order, after), limit, patience, |_| true)
}

/// As [`list`], of the events for which `keep` is true.
///
/// # Errors
/// As [`list`].
pub fn list_where(
    conn: &mut Conn,
    index: &Index,
    parts: &[Part],
    (order, after): (Order, Option<Position>),
    limit: usize,
    patience: Duration,
    keep: impl Fn(&Event) -> bool,
) -> Result<Found> {
    let deadline = Instant::now() + patience;
    let mut page = Merged::new(order, limit);
    let (indexed, others): (Vec<&Part>, Vec<&Part>) =
        parts.iter().partition(|part| part.filter.plan() == AccessPath::Index);
    let lists = others.len() as u32 + u32::from(!indexed.is_empty());
    if !indexed.is_empty() {
        let filters: Vec<&Filter> = indexed.iter().map(|part| &part.filter).collect();
        let is_plain = indexed.iter().all(|part| part.on_behalf_of_type.is_none());
        let keep =
            |event: &Event| (is_plain || indexed.iter().any(|part| part.matches(event))) && keep(event);
        let reading = Reading { expected: limit, patience: patience / lists, columns: Columns::All };
        page.add(query::list_any(conn, index, &filters, (order, after), reading, keep)?);
    }
    for (part, left) in others.iter().zip((1..=others.len() as u32).rev()) {
        let filter = page.narrow(&part.filter);
        let patience = deadline.saturating_duration_since(Instant::now()) / left;
        let keep = |event: &Event| part.keeps(event) && keep(event);
        page.add(query::list_where(conn, index, &filter, (order, after), limit, patience, keep)?);
    }
    Ok(page.finish())
}

/// An event of any of these logs by its id.
///
/// # Errors
/// The database's; [`crate::Error::FromNewerVersion`].
pub fn find(conn: &mut Conn, workspace_id: i32, logs: &[Log], id: EventId) -> Result<Option<Event>> {
    for log in logs {
        if let Some(event) = query::get(conn, workspace_id, *log, id)? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}
