//! What else an event concerned, beside its first target.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{Invalid, Text};
use crate::event::{Target, canonical_json};

/// Most further targets of one event.
pub const MAX_TARGETS: usize = 50;

/// The further targets of an event. Each has a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Targets(Vec<Target>);

/// A target as it is stored: what is absent is not there at all.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl Targets {
    /// From [`Targets::to_stored`]. Text that does not parse counts as no target.
    pub(crate) fn stored(text: &str) -> Self {
        let stored: Vec<Stored> = serde_json::from_str(text).unwrap_or_default();
        let target = |Stored { kind, id, name }| Target {
            kind: Some(Text::stored(kind)),
            id: id.map(Text::stored),
            name: name.map(Text::stored),
        };
        Self(stored.into_iter().map(target).collect())
    }

    /// Canonical JSON. None when there are none.
    pub(crate) fn to_stored(&self) -> Option<String> {
        let stored = |target: &Target| {
            let Target { kind, id, name } = target;
            Stored {
                kind: kind.as_deref().unwrap_or_default().to_owned(),
                id: id.as_deref().map(str::to_owned),
                name: name.as_deref().map(str::to_owned),
            }
        };
        let stored: Vec<Stored> = self.iter().map(stored).collect();
        (!stored.is_empty()).then(|| canonical_json(&stored))
    }

    pub(crate) fn as_mut(&mut self) -> &mut [Target] {
        &mut self.0
    }

    pub fn into_vec(self) -> Vec<Target> {
        self.0
    }
}

impl TryFrom<Vec<Target>> for Targets {
    type Error = Invalid;

    fn try_from(targets: Vec<Target>) -> Result<Self, Invalid> {
        if targets.len() > MAX_TARGETS {
            return Err(Invalid::new("too_many", format!("must have at most {MAX_TARGETS} targets")));
        }
        if let Some(n) = targets.iter().position(|target| target.kind.is_none()) {
            return Err(Invalid::new("missing", "a target has a type").below(&format!("/{n}/type")));
        }
        Ok(Self(targets))
    }
}

impl Deref for Targets {
    type Target = [Target];

    fn deref(&self) -> &[Target] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        let target = |kind: &str, id: Option<&str>, name: Option<&str>| Target {
            kind: Some(Text::stored(kind.into())),
            id: id.map(|id| Text::stored(id.into())),
            name: name.map(|name| Text::stored(name.into())),
        };
        let targets: Targets = vec![target("app", Some("0oa1"), None), target("group", None, Some("Nurses"))]
            .try_into()
            .expect("within the limits");
        let text = targets.to_stored().expect("targets");
        assert_eq!(text, r#"[{"id":"0oa1","type":"app"},{"name":"Nurses","type":"group"}]"#);
        assert_eq!(Targets::stored(&text), targets);
        assert_eq!(Targets::default().to_stored(), None);
        let error =
            Targets::try_from(vec![target("app", None, None), Target::default()]).expect_err("no type");
        assert_eq!((error.pointer.as_str(), error.code), ("/1/type", "missing"));
        assert!(Targets::try_from(vec![target("a", None, None); MAX_TARGETS + 1]).is_err());
    }
}
