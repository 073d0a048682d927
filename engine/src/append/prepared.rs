//! Events as they are stored, before they are: secrets masked, JSON canonical. None of this needs the database, so it is done
//! before the queue, and no lock is held meanwhile.

use serde::Serialize;

use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    event::{Event, NewEvent, masking},
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
        let NewEvent {
            log,
            occurred_at,
            dedupe_key,
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes,
            metadata,
        } = new;
        let event = Event {
            workspace_id: 0,
            seq: 0,
            log,
            occurred_at,
            received_at: Timestamp(0),
            actor,
            role,
            action,
            outcome,
            outcome_reason,
            target,
            ip_address,
            user_agent,
            session_id,
            correlation_id,
            changes: (!changes.is_empty()).then(|| canonical_json(&changes)),
            metadata: (!metadata.is_empty()).then(|| canonical_json(&metadata)),
            masked: (!masked.is_empty()).then(|| canonical_json(&masked)),
        };
        Self { dedupe_key, row: event.into() }
    }
}

/// Canonical JSON (RFC 8785), so that the bytes of a stored event never change.
fn canonical_json<T: Serialize>(value: &T) -> String {
    // It fails for numbers that are not finite and keys that are not text; JSON values have neither.
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| "null".into())
}
