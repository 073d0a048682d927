//! Dedupe keys: which ones are known, and what their events say.
//!
//! A key belongs to the source that sent it, so that no producer can make another one's event a duplicate. The same key with
//! another event is a mistake of the producer, which must hear of it, since its event is not stored.
//!
//! | module | what it does |
//! |---|---|
//! | [`events`] | finds the first events of known keys |
//! | [`run`] | packs the keys of a transaction, 16 bytes each |
//! | [`store`] | finds keys in the database, adds runs, merges them, removes what has expired |

mod events;
mod run;
mod store;

use std::collections::{BTreeMap, HashMap, hash_map::Entry as Place};

use sha2::{Digest as _, Sha256};

pub(super) use store::{Heads, Remembered};

use super::AppendRequest;
use crate::{
    db::{Conn, rows::EventRow, timestamp::Timestamp},
    error::Result,
    event::id::EventId,
};
use run::Entry;

/// The dedupe key of one event.
#[derive(Clone, Debug)]
pub struct Dedupe {
    pub key: Key,
    /// The producer gave the time. Otherwise it is that of the request, which differs when the event is sent again.
    pub(super) has_time: bool,
    /// Events that arrived before were masked in another way, so that their content cannot be compared with this one.
    pub(super) alike_since: Option<Timestamp>,
}

impl Dedupe {
    /// Whether the event that has this key says what another one says, of which the time and the [`content`] are known.
    fn is_same(&self, (occurred_at, content): (Timestamp, [u8; 32]), again: &EventRow) -> bool {
        (!self.has_time || occurred_at == again.occurred_at) && content == self::content(again)
    }
}

/// The first 86 bits of the SHA-256 of a dedupe key: enough that no two keys of a source are alike, and short, since a source
/// that may replay for ever keeps one for each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    pub(super) fn new(text: &str) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&Sha256::digest(text)[..16]);
        Self::from_bits(u128::from_be_bytes(first))
    }
}

/// What an event says, as a hash. What the server adds does not count, nor how it was delivered: a producer that was restored from a
/// backup may count anew. Nor does its time, which not every producer gives. Secrets are compared as they were masked.
fn content(event: &EventRow) -> [u8; 32] {
    let EventRow {
        workspace_id: _,
        seq: _,
        log,
        occurred_at: _,
        received_at: _,
        source: _,
        actor_type,
        actor_id,
        actor_name,
        on_behalf_of_type,
        on_behalf_of_id,
        on_behalf_of_name,
        role,
        action,
        outcome,
        outcome_reason,
        purpose,
        target_type,
        target_id,
        target_name,
        targets,
        ip_address,
        user_agent,
        session_id,
        correlation_id,
        epoch: _,
        sequence: _,
        changes,
        metadata,
        masked: _,
    } = event;
    let mut hash = Sha256::new();
    let numbers = [Some(*log), Some(*outcome), *actor_type, *on_behalf_of_type];
    hash.update(numbers.map(|number| number.map_or(-1, i32::from).to_be_bytes()).concat());
    let texts = [
        actor_id,
        actor_name,
        on_behalf_of_id,
        on_behalf_of_name,
        role,
        outcome_reason,
        purpose,
        target_type,
        target_id,
        target_name,
        targets,
        ip_address,
        user_agent,
        session_id,
        correlation_id,
        changes,
        metadata,
    ];
    for text in std::iter::once(Some(action)).chain(texts.iter().map(|text| text.as_ref())) {
        hash.update(text.map_or(-1, |text| text.len() as i64).to_be_bytes());
        hash.update(text.map_or(&[][..], |text| text.as_bytes()));
    }
    hash.finalize().into()
}

/// The first event of a key. Some ten thousand stored ones are in memory at a time, so not the events themselves.
enum First<'a> {
    Stored {
        seq: i64,
        occurred_at: Timestamp,
        received_at: Timestamp,
        content: [u8; 32],
    },
    /// It was erased, and nothing is known of it but its seq.
    Erased(i64),
    /// The same transaction stores it.
    New(&'a EventRow),
}

impl First<'_> {
    fn stored(row: &EventRow) -> Self {
        let EventRow { seq, occurred_at, received_at, .. } = *row;
        Self::Stored { seq, occurred_at, received_at, content: content(row) }
    }

    /// `again` is the event that is sent again: the id of an erased one has its time.
    fn id(&self, workspace_id: i32, again: &EventRow) -> EventId {
        let (seq, occurred_at) = match self {
            Self::Stored { seq, occurred_at, .. } => (*seq, *occurred_at),
            Self::Erased(seq) => (*seq, again.occurred_at),
            Self::New(row) => (row.seq, row.occurred_at),
        };
        EventId::new(workspace_id, seq, occurred_at)
    }

    /// Whether another event has the key. The same one differs where its secrets were masked in another way.
    fn is_other(&self, again: &EventRow, dedupe: &Dedupe) -> bool {
        let (occurred_at, received_at, content) = match self {
            Self::Stored { occurred_at, received_at, content, .. } => (*occurred_at, *received_at, *content),
            Self::Erased(_) => return false,
            Self::New(row) => (row.occurred_at, row.received_at, content(row)),
        };
        let alike = dedupe.alike_since.is_none_or(|since| received_at >= since);
        alike && !dedupe.is_same((occurred_at, content), again)
    }
}

/// The known keys among those of some requests, by source, and those that the transaction adds.
#[derive(Default)]
pub(super) struct KnownKeys<'a> {
    workspace_id: i32,
    known: HashMap<String, HashMap<Key, First<'a>>>,
    new: BTreeMap<&'a str, NewKeys>,
}

/// The new keys of a source, and until when they are known; None is for ever.
struct NewKeys {
    expires_at: Option<Timestamp>,
    entries: Vec<Entry>,
}

impl<'a> KnownKeys<'a> {
    /// Removes expired keys, so that they can be used again, and finds those that the requests have. `last_seq` is that of the
    /// workspace, whose row the transaction has locked.
    pub(super) fn load(
        conn: &mut Conn,
        remembered: &mut Remembered,
        (workspace_id, last_seq): (i32, i64),
        requests: &[(usize, &'a mut AppendRequest)],
        now: Timestamp,
    ) -> Result<Self> {
        let mut wanted: BTreeMap<&str, Vec<(Key, Timestamp)>> = BTreeMap::new();
        for (_, request) in requests {
            let keys = request.events.iter().filter_map(|event| {
                let dedupe = event.dedupe.as_ref()?;
                Some((dedupe.key, event.row.occurred_at))
            });
            let mut keys = keys.peekable();
            if keys.peek().is_some() {
                wanted.entry(&request.sender).or_default().extend(keys);
            }
        }
        let mut known = Self { workspace_id, ..Self::default() };
        remembered.check(workspace_id, last_seq);
        if wanted.is_empty() {
            return Ok(known);
        }
        remembered.expire(conn, workspace_id, now)?;
        for (source, mut keys) in wanted {
            keys.sort_unstable();
            keys.dedup_by_key(|(key, _)| *key);
            let found = remembered.find(conn, (workspace_id, source), &keys)?;
            if found.is_empty() {
                continue;
            }
            let mut firsts: HashMap<i64, First<'_>> = HashMap::new();
            events::each(conn, workspace_id, found.values().copied().collect(), now, |row| {
                firsts.insert(row.seq, First::stored(row));
            })?;
            let first = |(key, (seq, _)): (Key, (i64, Timestamp))| {
                (key, firsts.remove(&seq).unwrap_or(First::Erased(seq)))
            };
            known.known.insert(source.to_owned(), found.into_iter().map(first).collect());
        }
        Ok(known)
    }

    /// The first event of this key; `again` is the event that has it now.
    pub(super) fn first(&self, source: &str, key: &Key, again: &EventRow) -> Option<EventId> {
        Some(self.known.get(source)?.get(key)?.id(self.workspace_id, again))
    }

    /// Adds the key of an event that is stored. It is known until `expires_at`; None is for ever.
    pub(super) fn add(
        &mut self,
        source: &'a str,
        key: Key,
        row: &'a EventRow,
        expires_at: Option<Timestamp>,
    ) {
        let keys = match self.known.get_mut(source) {
            Some(keys) => keys,
            None => self.known.entry(source.to_owned()).or_default(),
        };
        keys.insert(key, First::New(row));
        let new = self.new.entry(source).or_insert_with(|| NewKeys { expires_at, entries: Vec::new() });
        // What is known for ever stays so.
        new.expires_at = new.expires_at.and_then(|known| Some(known.max(expires_at?)));
        new.entries.push(Entry::new(key, row.seq));
    }

    /// The elements of a request whose key another event has, with what is known of that event.
    pub(super) fn conflicts(&self, request: &AppendRequest) -> Vec<(usize, String)> {
        let known = self.known.get(&request.sender);
        let mut here: HashMap<Key, usize> = HashMap::new();
        let mut conflicts = Vec::new();
        for (element, event) in request.events.iter().enumerate() {
            let Some(dedupe) = &event.dedupe else { continue };
            let first = match known.and_then(|keys| keys.get(&dedupe.key)) {
                Some(first) => {
                    let told = || format!("the event {}", first.id(self.workspace_id, &event.row));
                    first.is_other(&event.row, dedupe).then(told)
                }
                None => match here.entry(dedupe.key) {
                    Place::Vacant(place) => {
                        place.insert(element);
                        None
                    }
                    Place::Occupied(place) => {
                        let first = *place.get();
                        let one = &request.events[first].row;
                        let is_same = dedupe.is_same((one.occurred_at, content(one)), &event.row);
                        (!is_same).then(|| format!("the element /{first} of this request"))
                    }
                },
            };
            conflicts.extend(first.map(|first| (element, first)));
        }
        conflicts
    }

    /// Stores the keys that were added. `last_seq` is that of the workspace from now on.
    pub(super) fn write(self, conn: &mut Conn, remembered: &mut Remembered, last_seq: i64) -> Result<()> {
        for (source, NewKeys { expires_at, mut entries }) in self.new {
            entries.sort_unstable();
            remembered.add(conn, (self.workspace_id, source), &entries, expires_at)?;
        }
        remembered.end(self.workspace_id, last_seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
