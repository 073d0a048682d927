//! What replaces a secret: a mark, and in it a fingerprint by which equal secrets of a workspace are seen to be equal.

use std::{fmt, sync::Arc};

use base16ct::lower::encode_string;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::fields::{FieldLists, Fields, Names};
use crate::db::timestamp::Timestamp;

/// What replaces a secret where there is no key, and where a text has very many.
pub const MASK: &str = "[masked]";
/// Bytes of the fingerprint: two secrets among billions have the same one by chance once in a billion billion times.
const FINGERPRINT: usize = 12;
/// Secrets of one text that get a fingerprint. A text of short secrets alone would become many times as long.
pub(super) const MOST_FINGERPRINTS: usize = 32;

/// Masks the secrets of one workspace's events.
#[derive(Clone, Default)]
pub struct Masker {
    key: Option<Vec<u8>>,
    /// None without lists, which costs nothing.
    fields: Option<Arc<Fields>>,
    since: Option<Timestamp>,
}

impl Masker {
    /// With the workspace's key. Whoever has it can try out which short secret a fingerprint belongs to.
    pub fn with_key(key: Vec<u8>) -> Self {
        Self { key: Some(key), ..Self::default() }
    }

    /// The same, with the workspace's lists of fields.
    #[must_use]
    pub fn with_fields(self, lists: &FieldLists) -> Self {
        Self { fields: Fields::new(lists).map(Arc::new), ..self }
    }

    /// The same. Events that arrived before `since` may have been masked by other lists.
    #[must_use]
    pub fn since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }

    /// Since when events are masked as this masks them.
    pub(crate) fn masks_alike_since(&self) -> Option<Timestamp> {
        self.since
    }

    pub(super) fn names(&self) -> Names<'_> {
        Names(self.fields.as_deref())
    }

    /// `[masked:3f9c…]`: the first 96 bits of the secret's HMAC-SHA-256, in hexadecimal.
    pub(super) fn replacement(&self, secret: &str) -> String {
        let mac = self.key.as_deref().and_then(|key| Hmac::<Sha256>::new_from_slice(key).ok());
        let Some(mut mac) = mac else { return MASK.to_owned() };
        mac.update(secret.as_bytes());
        let code = mac.finalize().into_bytes();
        format!("[masked:{}]", encode_string(&code[..FINGERPRINT]))
    }
}

/// Without the key.
impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, fields, since } = self;
        f.debug_struct("Masker")
            .field("has_key", &key.is_some())
            .field("fields", fields)
            .field("since", since)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_secrets_are_seen_to_be_equal_within_a_workspace() {
        let (one, other) = (Masker::with_key(vec![1; 32]), Masker::with_key(vec![2; 32]));
        let mask = one.replacement("hunter2");
        assert_eq!(mask.len(), "[masked:]".len() + 24);
        assert_eq!(mask, one.replacement("hunter2"));
        assert_ne!(mask, one.replacement("hunter3"));
        assert_ne!(mask, other.replacement("hunter2"));
        assert_eq!(Masker::default().replacement("hunter2"), MASK);
        assert!(!format!("{one:?}").contains('1'));
    }
}
