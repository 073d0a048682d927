//! Events as they are stored, before they are: secrets masked, JSON canonical. None of this needs the database, so it is done
//! before the queue, and no lock is held meanwhile.

use serde::Serialize;

use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    event::{Event, NewEvent, limits::DedupeKey, masking},
};

/// An event that waits for its number.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub dedupe_key: Option<String>,
    /// Without what only its transaction knows: workspace, seq and time of arrival.
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
    // It fails for numbers that are not finite and keys that are not text; JSON values have neither.
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| "null".into())
}
