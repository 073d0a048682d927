//! Builds the parts of the demo's events; their fixed texts keep to every limit.

use logbook_engine::{
    db::timestamp::Timestamp,
    event::{
        Change, Log, NewEvent, Target,
        limits::{Action, Changes, IpAddress, Metadata, OccurredAt, Targets, Text},
    },
};
use serde_json::{Map, Value};

const KEEPS: &str = "the demo keeps to the limits";

pub(super) fn new_event(log: Log, action: &str, at: Timestamp) -> NewEvent {
    NewEvent::new(log, Action::try_from(action).expect(KEEPS), occurred_at(at))
}

pub(super) fn occurred_at(at: Timestamp) -> OccurredAt {
    at.try_into().expect(KEEPS)
}

pub(super) fn text<const MIN: usize, const MAX: usize>(text: &str) -> Option<Text<MIN, MAX>> {
    Some(Text::try_from(text).expect(KEEPS))
}

/// None for an empty text.
pub(super) fn address(text: &str) -> Option<IpAddress> {
    (!text.is_empty()).then(|| IpAddress::try_from(text.to_owned()).expect(KEEPS))
}

pub(super) fn changes(changes: Vec<Change>) -> Changes {
    changes.try_into().expect(KEEPS)
}

pub(super) fn targets(targets: Vec<Target>) -> Targets {
    targets.try_into().expect(KEEPS)
}

pub(super) fn metadata<const N: usize>(pairs: [(&str, Value); N]) -> Metadata {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value));
    Map::from_iter(pairs).try_into().expect(KEEPS)
}
