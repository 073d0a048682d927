//! Events that are ready to be stored: secrets masked, JSON canonical. Preparing them needs no database, so it is done
//! before the queue, while no lock is held.

use super::dedupe::{Dedupe, Key};
use crate::{
    db::{rows::EventRow, timestamp::Timestamp},
    event::{
        Event, NewEvent, canonical_json,
        limits::{DedupeKey, SourceName},
        masking::{self, Masker},
    },
};

/// Estimated bytes of the short texts of an event: ids, names, the action.
const SHORT_TEXTS: usize = 256;

/// An event that has no seq yet.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub dedupe: Option<Dedupe>,
    /// Complete except for workspace, seq and time of arrival, which its transaction sets.
    pub row: EventRow,
}

impl Prepared {
    /// `source` is who sent it.
    pub fn new(mut new: NewEvent, source: &SourceName, masker: &Masker) -> Self {
        let masked = masking::mask_with(masker, &mut new);
        let NewEvent { occurred_at, dedupe_key, common, changes, metadata } = new;
        let event = Event {
            workspace_id: 0,
            seq: 0,
            occurred_at: occurred_at.timestamp(),
            received_at: Timestamp(0),
            source: source.clone(),
            common,
            changes: changes.to_stored(),
            metadata: metadata.to_stored(),
            masked: (!masked.is_empty()).then(|| canonical_json(&masked)),
        };
        let row = event.into();
        let dedupe = dedupe_key.map(DedupeKey::into_string).map(|key| Dedupe {
            key: Key::new(&key),
            has_time: occurred_at.is_given(),
            alike_since: masker.masks_alike_since(),
        });
        Self { dedupe, row }
    }

    /// Estimated bytes of memory.
    pub fn bytes(&self) -> usize {
        let EventRow { changes, metadata, targets, masked, outcome_reason, user_agent, .. } = &self.row;
        let long = [changes, metadata, targets, masked, outcome_reason, user_agent];
        size_of::<Self>() + SHORT_TEXTS + long.into_iter().flatten().map(String::len).sum::<usize>()
    }
}
