//! What admins do with sources, as the activity log has it.

use logbook_engine::event::{Change, Target};
use serde_json::Value;

use super::{
    Record,
    events::{By, changed, note, target},
};
use crate::accounts::sources::Source;

pub fn of_source(source: &Source) -> Target {
    target("source", &source.name, &source.name)
}

fn number(number: Option<i32>) -> Value {
    number.map_or(Value::Null, Value::from)
}

/// The properties of a new source.
pub fn new_source(source: &Source) -> Vec<Change> {
    vec![
        Change::value("kind", Value::Null, source.kind.clone().into()),
        Change::value("silence_seconds", Value::Null, number(source.silence_seconds)),
        Change::value("replay_days", Value::Null, number(source.replay_days)),
    ]
}

impl By<'_> {
    pub fn source_created(&self, source: &Source) -> Record {
        let mut event = self.managed("source_created", of_source(source));
        event.changes = changed(new_source(source));
        Record::new(self.destination(), event)
    }

    /// None when nothing changed.
    pub fn source_changed(&self, before: &Source, after: &Source) -> Option<Record> {
        let mut changes = Vec::new();
        for (field, before, after) in [
            ("silence_seconds", before.silence_seconds, after.silence_seconds),
            ("replay_days", before.replay_days, after.replay_days),
        ] {
            if before != after {
                changes.push(Change::value(field, number(before), number(after)));
            }
        }
        let signs = |source: &Source| Value::from(source.sealed_secret.is_some());
        if before.sealed_secret != after.sealed_secret {
            changes.push(Change::value("signature is checked", signs(before), signs(after)));
        }
        (!changes.is_empty()).then(|| {
            let mut event = self.managed("source_changed", of_source(after));
            event.changes = changed(changes);
            Record::new(self.destination(), event)
        })
    }

    /// The whole mapping is on record, before and after: it decides what the logs say.
    pub fn mapping_changed(&self, before: &Source, after: Option<&str>) -> Option<Record> {
        let text = |mapping: Option<&str>| mapping.map_or(Value::Null, Value::from);
        (before.mapping.as_deref() != after).then(|| {
            let mut event = self.managed("source_mapping_changed", of_source(before));
            let change = Change::value("mapping", text(before.mapping.as_deref()), text(after));
            event.changes = changed(vec![change]);
            Record::new(self.destination(), event)
        })
    }

    pub fn source_removed(&self, source: &Source, keys: usize) -> Record {
        let mut event = self.managed("source_removed", of_source(source));
        note(&mut event, "keys_revoked", keys);
        Record::new(self.destination(), event)
    }

    pub fn records_discarded(&self, source: &Source, count: i64) -> Record {
        let mut event = self.managed("rejected_records_discarded", of_source(source));
        note(&mut event, "count", count);
        Record::new(self.destination(), event)
    }

    pub fn records_replayed(&self, source: &Source, replayed: usize, rejected: usize) -> Record {
        let mut event = self.managed("rejected_records_replayed", of_source(source));
        note(&mut event, "replayed", replayed);
        note(&mut event, "rejected_again", rejected);
        Record::new(self.destination(), event)
    }
}
