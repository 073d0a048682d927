//! What the entries of django-auditlog and of Zango's fork of it have in common.

use logbook_engine::event::{Change, SetChange, Target, ValueChange};
use serde_json::{Map, Value};

use super::{
    changes::changes,
    row::{Reason, Row, limited, quoted},
};

/// Maximum length of a target's name; a longer one is cut, and kept whole in the metadata.
pub(super) const MAX_NAME: usize = 500;
/// Where the metadata has the state of the record.
const SNAPSHOT: &str = "snapshot";
/// How much is shown of an id that is a secret: enough to tell them apart.
const SHOWN: usize = 8;

/// A target as the row names it.
pub(super) struct Named {
    pub kind: String,
    pub id: String,
    pub name: Option<String>,
}

impl Named {
    /// Cuts a name that is too long, and returns the whole name. A model decides what its records are called; it may be a
    /// whole note.
    pub(super) fn shorten_name(&mut self) -> Option<String> {
        let name = self.name.as_mut().filter(|name| name.chars().count() > MAX_NAME)?;
        let cut = name.chars().take(MAX_NAME - 1).chain(['…']).collect();
        Some(std::mem::replace(name, cut))
    }

    /// Shortens an id that is a secret, in the name too. For a target whose id *is* the secret: a token, a session. Returns the
    /// id, to be hidden in the rest of the entry.
    pub(super) fn hide_secret_id(&mut self) -> Option<SecretId> {
        let Self { kind: _, id, name } = self;
        let secret = SecretId::new(id)?;
        *name = name.take().map(|name| secret.hidden(&name));
        id.clone_from(&secret.shown);
        Some(secret)
    }
}

/// An id that is a secret, and what is shown of it: `6395fc26…` for the 128 digits of a digest.
pub(super) struct SecretId {
    whole: String,
    shown: String,
}

impl SecretId {
    /// None for a short one: it is a serial number, or too short to reveal a secret.
    pub(super) fn new(id: &str) -> Option<Self> {
        let shown = id.chars().take(SHOWN).chain(['…']).collect();
        (id.chars().count() > SHOWN * 2).then(|| Self { whole: id.to_owned(), shown })
    }

    /// The text with what is shown wherever it has the id, or a part of it that was cut off.
    pub(super) fn hidden(&self, text: &str) -> String {
        let start = self.shown.trim_end_matches('…');
        let (mut hidden, mut rest) = (String::new(), text);
        while let Some(place) = rest.find(start) {
            let (before, found) = rest.split_at(place);
            let same = found.chars().zip(self.whole.chars()).take_while(|(one, other)| one == other);
            let length = same.map(|(char, _)| char.len_utf8()).sum();
            hidden += before;
            // What is shown already stays as it is.
            hidden += if length > start.len() { &self.shown } else { start };
            rest = &found[length..];
        }
        hidden + rest
    }

    /// Hides the id in all texts of a value.
    pub(super) fn hide(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hidden(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(map) => self.hide_in(map),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn hide_in(&self, map: &mut Map<String, Value>) {
        let hidden = |(key, mut value): (String, Value)| {
            self.hide(&mut value);
            (self.hidden(&key), value)
        };
        *map = std::mem::take(map).into_iter().map(hidden).collect();
    }

    /// Hides the id wherever an entry may repeat it. The state of the record has it, in whatever form, and goes.
    pub(super) fn hide_in_entry(&self, changes: &mut [Change], metadata: &mut Map<String, Value>) {
        metadata.remove(SNAPSHOT);
        self.hide_in(metadata);
        for change in changes {
            match change {
                Change::Value(ValueChange { field: _, old, new, labels: _ }) => {
                    [old, new].into_iter().for_each(|value| self.hide(value));
                }
                Change::Set(SetChange { field: _, added, removed, labels: _ }) => {
                    added.iter_mut().chain(removed).for_each(|value| self.hide(value));
                }
            }
        }
    }
}

impl TryFrom<Named> for Target {
    type Error = Reason;

    fn try_from(Named { kind, id, name }: Named) -> Result<Self, Reason> {
        Ok(Self {
            kind: Some(limited("content type", kind)?),
            id: Some(limited("id", id)?),
            name: name.map(|name| limited("name", name)).transpose()?,
        })
    }
}

/// What was done.
#[derive(Clone, Copy)]
pub(super) enum Verb {
    Create,
    Update,
    Delete,
    Access,
}

impl Verb {
    pub(super) fn of(row: &Row) -> Result<Self, Reason> {
        match row.required("action")? {
            "0" => Ok(Self::Create),
            "1" => Ok(Self::Update),
            "2" => Ok(Self::Delete),
            "3" => Ok(Self::Access),
            other => Err(format!("action is none of 0 to 3: {}", quoted(other))),
        }
    }

    /// In the application log.
    pub(super) fn of_record(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Access => "access",
        }
    }
}

/// Adds the state of the record, and what the app added.
pub(super) fn add_json(row: &Row, metadata: &mut Map<String, Value>) -> Result<(), Reason> {
    for (column, key) in [("serialized_data", SNAPSHOT), ("additional_data", "additional_data")] {
        if let Some(value) = row.json(column)? {
            metadata.insert(key.into(), value);
        }
    }
    Ok(())
}

/// The changed fields; where the row has only prose, it goes to the metadata.
pub(super) fn changed(row: &Row, metadata: &mut Map<String, Value>) -> Result<Vec<Change>, Reason> {
    if let Some(text) = row.text("changes") {
        return changes(text);
    }
    // Older versions stored the changes here; some of them as prose.
    let Some(text) = row.text("changes_text") else { return Ok(Vec::new()) };
    Ok(changes(text).unwrap_or_else(|_| {
        metadata.insert("changes_text".into(), text.into());
        Vec::new()
    }))
}
