//! Events that are ready to be stored: secrets masked, JSON canonical. Preparing them needs no database, so it is done
//! before the queue, while no lock is held.

use serde::Serialize;

use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    event::{Event, NewEvent, limits::DedupeKey, masking},
};

/// An event that has no seq yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub dedupe_key: Option<String>,
    /// Complete except for workspace, seq and time of arrival, which its transaction sets.
    pub row: EventRow,
}

impl From<NewEvent> for Prepared {
    fn from(mut new: NewEvent) -> Self {
        let masked = masking::mask(&mut new);
        let NewEvent { occurred_at, dedupe_key, common, changes, metadata } = new;
        let event = Event {
            workspace_id: 0,
            seq: 0,
            occurred_at: occurred_at.timestamp(),
            received_at: Timestamp(0),
            common,
            changes: (!changes.is_empty()).then(|| canonical_json(&changes)),
            metadata: (!metadata.is_empty()).then(|| canonical_json(&metadata)),
            masked: (!masked.is_empty()).then(|| canonical_json(&masked)),
        };
        Self { dedupe_key: dedupe_key.map(DedupeKey::into_string), row: event.into() }
    }
}

/// Canonical JSON (RFC 8785), so that the bytes of a stored event never change.
fn canonical_json<T: Serialize>(value: &T) -> String {
    // It fails for numbers that are not finite and for keys that are not texts; JSON values have neither.
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| "null".into())
}
