//! What the entries of django-auditlog and of Zango's fork of it have in common.

use logbook_engine::event::{Change, Target};
use serde_json::{Map, Value};

use super::{
    changes::changes,
    row::{Reason, Row, limited, quoted},
};

/// Maximum length of a target's name; a longer one is cut, and kept whole in the metadata.
pub(super) const MAX_NAME: usize = 500;
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

    /// `6395fc26…` for the 128 digits of a digest, in the id and wherever the name repeats it. For a target whose id *is* the
    /// secret: a token, a session. Returns the whole id, if it was shortened.
    pub(super) fn hide_secret_id(&mut self) -> Option<String> {
        let Self { kind: _, id, name } = self;
        // A short one is a serial number, or too short to reveal a secret.
        if id.chars().count() <= SHOWN * 2 {
            return None;
        }
        let shown: String = id.chars().take(SHOWN).chain(['…']).collect();
        *name = name.take().map(|name| name.replace(&*id, &shown));
        Some(std::mem::replace(id, shown))
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
    for (column, key) in [("serialized_data", "snapshot"), ("additional_data", "additional_data")] {
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
