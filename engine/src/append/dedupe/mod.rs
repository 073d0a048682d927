//! Dedupe keys: which ones are known, and what their events say.
//!
//! A key belongs to the source that sent it, so that no producer can make another one's event a duplicate. With the key the
//! row keeps a hash of the event: the same key with another event is a mistake of the producer, which must hear of it, since
//! its event is not stored.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::AppendRequest;
use crate::{
    db::{Conn, rows::EventRow, schema::dedupe_keys, timestamp::Timestamp},
    error::Result,
    event::id::EventId,
};

/// The dedupe key of one event.
#[derive(Clone, Debug)]
pub struct Dedupe {
    pub key: Key,
    pub(super) content: Content,
    /// Events that arrived before were masked in another way, so that their content cannot be compared with this one.
    pub(super) alike_since: Option<Timestamp>,
}

/// The first 128 bits of the SHA-256 of a dedupe key: enough that no two keys of a source are alike, and short, since a
/// source that may replay for ever keeps one for each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    pub(super) fn new(text: &str) -> Self {
        Self(first_half(Sha256::digest(text)))
    }

    pub(super) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

fn first_half(hash: impl Into<[u8; 32]>) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&hash.into()[..16]);
    half
}

/// A hash of what a producer sent, except what the server adds; the first half, as of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content([u8; 16]);

impl Content {
    /// Of the event as it is stored: secrets are masked, since a hash of one would allow to guess it. The time counts if
    /// the producer gave it; otherwise it is that of the request, which differs when the event is sent again.
    pub(super) fn new(row: &EventRow, has_time: bool) -> Self {
        let EventRow {
            workspace_id: _,
            seq: _,
            log,
            occurred_at,
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
            epoch,
            sequence,
            changes,
            metadata,
            masked: _,
        } = row;
        let mut hash = Sha256::new();
        // What is absent is not there at all, so that a column that is added later changes no hash.
        let mut number = |name: &str, number: Option<i64>| {
            if let Some(number) = number {
                hash.update(format!("{name} {number}\n"));
            }
        };
        number("log", Some((*log).into()));
        number("occurred_at", has_time.then_some(occurred_at.micros()));
        number("actor_type", actor_type.map(Into::into));
        number("on_behalf_of_type", on_behalf_of_type.map(Into::into));
        number("outcome", Some((*outcome).into()));
        number("sequence", *sequence);
        for (name, text) in [
            ("actor_id", actor_id),
            ("actor_name", actor_name),
            ("on_behalf_of_id", on_behalf_of_id),
            ("on_behalf_of_name", on_behalf_of_name),
            ("role", role),
            ("action", &Some(action.clone())),
            ("outcome_reason", outcome_reason),
            ("purpose", purpose),
            ("target_type", target_type),
            ("target_id", target_id),
            ("target_name", target_name),
            ("targets", targets),
            ("ip_address", ip_address),
            ("user_agent", user_agent),
            ("session_id", session_id),
            ("correlation_id", correlation_id),
            ("epoch", epoch),
            ("changes", changes),
            ("metadata", metadata),
        ] {
            if let Some(text) = text {
                // With its length, so that no text can look like two fields.
                hash.update(format!("{name} {}\n", text.len()));
                hash.update(text);
            }
        }
        Self(first_half(hash.finalize()))
    }

    pub(super) fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// The half of a hash that a row has. A damaged one is that of no event.
fn stored(bytes: Vec<u8>) -> [u8; 16] {
    bytes.try_into().unwrap_or_default()
}

struct Known {
    id: EventId,
    content: Content,
    received_at: Timestamp,
}

impl Known {
    /// Whether another event has the key. The same one differs where its secrets were masked in another way.
    fn is_other(&self, dedupe: &Dedupe) -> bool {
        let alike = dedupe.alike_since.is_none_or(|since| self.received_at >= since);
        alike && self.content != dedupe.content
    }
}

/// The known keys among those of some requests, by source.
#[derive(Default)]
pub(super) struct KnownKeys(HashMap<String, HashMap<Key, Known>>);

impl KnownKeys {
    /// Removes expired keys, so that they can be used again, and reads those that the requests have.
    pub(super) fn load(
        conn: &mut Conn,
        workspace_id: i32,
        requests: &[(usize, &mut AppendRequest)],
        now: Timestamp,
    ) -> Result<Self> {
        let mut wanted: BTreeMap<&str, Vec<Vec<u8>>> = BTreeMap::new();
        for (_, request) in requests {
            let keys = request.events.iter().filter_map(|event| Some(event.dedupe.as_ref()?.key.to_vec()));
            let mut keys = keys.peekable();
            if keys.peek().is_some() {
                wanted.entry(&request.sender).or_default().extend(keys);
            }
        }
        let mut known = Self::default();
        if wanted.is_empty() {
            return Ok(known);
        }
        diesel::delete(
            dedupe_keys::table
                .filter(dedupe_keys::workspace_id.eq(workspace_id))
                .filter(dedupe_keys::expires_at.le(Some(now))),
        )
        .execute(conn)?;
        for (source, keys) in wanted {
            for keys in keys.chunks(1000) {
                let rows = dedupe_keys::table
                    .filter(dedupe_keys::workspace_id.eq(workspace_id))
                    .filter(dedupe_keys::source.eq(source))
                    .filter(dedupe_keys::dedupe_key.eq_any(keys))
                    .select((
                        dedupe_keys::dedupe_key,
                        dedupe_keys::seq,
                        dedupe_keys::occurred_at,
                        dedupe_keys::content,
                        dedupe_keys::received_at,
                    ))
                    .load::<(Vec<u8>, i64, Timestamp, Vec<u8>, Timestamp)>(conn)?;
                let known = known.0.entry(source.to_owned()).or_default();
                for (key, seq, occurred_at, content, received_at) in rows {
                    let id = EventId::new(workspace_id, seq, occurred_at);
                    known.insert(
                        Key(stored(key)),
                        Known { id, content: Content(stored(content)), received_at },
                    );
                }
            }
        }
        Ok(known)
    }

    /// The first event of this key.
    pub(super) fn first(&self, source: &str, key: &Key) -> Option<EventId> {
        Some(self.0.get(source)?.get(key)?.id)
    }

    pub(super) fn add(&mut self, source: &str, dedupe: &Dedupe, id: EventId, received_at: Timestamp) {
        let Dedupe { key, content, alike_since: _ } = dedupe;
        let keys = match self.0.get_mut(source) {
            Some(keys) => keys,
            None => self.0.entry(source.to_owned()).or_default(),
        };
        keys.insert(*key, Known { id, content: *content, received_at });
    }

    /// The elements of a request whose key another event has, with what is known of that event.
    pub(super) fn conflicts(&self, request: &AppendRequest) -> Vec<(usize, String)> {
        let known = self.0.get(&request.sender);
        let mut here: HashMap<Key, (usize, Content)> = HashMap::new();
        let mut conflicts = Vec::new();
        for (element, event) in request.events.iter().enumerate() {
            let Some(dedupe) = &event.dedupe else { continue };
            let Dedupe { key, content, alike_since: _ } = dedupe;
            let first = match known.and_then(|keys| keys.get(key)) {
                Some(known) => known.is_other(dedupe).then(|| format!("the event {}", known.id)),
                None => match here.entry(*key) {
                    Entry::Vacant(place) => {
                        place.insert((element, *content));
                        None
                    }
                    Entry::Occupied(place) => {
                        let (first, same) = *place.get();
                        (same != *content).then(|| format!("the element /{first} of this request"))
                    }
                },
            };
            conflicts.extend(first.map(|first| (element, first)));
        }
        conflicts
    }
}
