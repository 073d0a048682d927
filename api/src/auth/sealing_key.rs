//! The key of secrets that the database has to keep and must not show: those of second factors, and those with which vendors
//! sign.
//!
//! It is in a file of its own in the data folder, and not among the keys that sign tokens: those are replaced regularly, and
//! at once after a leak, while a secret that nobody can open locks its owner out.

use std::{
    fs::File,
    io::{Error, ErrorKind, Read as _, Result, Write as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use logbook_engine::private_files;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::accounts::secret::{random_bytes, random_token};

pub(super) const FILE: &str = "second-factor.key";

/// Encrypts with ChaCha20-Poly1305 (RFC 8439).
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Reads the key of a folder. Creates both where they are missing.
    ///
    /// # Errors
    /// The file's.
    pub fn open(folder: &Path) -> Result<Self> {
        private_files::create_folder(folder)?;
        let path = folder.join(FILE);
        private_files::tighten(&path);
        let mut options = private_files::options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path)?;
        // Of servers that start at once the first one fills it. After a crash before that the file is still empty.
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        if text.is_empty() {
            // 43 characters of 256 random bits.
            text = random_token();
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            File::open(folder)?.sync_all()?;
        }
        let key = URL_SAFE_NO_PAD.decode(text.trim()).ok();
        let key = key.and_then(|bytes| UnboundKey::new(&CHACHA20_POLY1305, &bytes).ok());
        let invalid = || {
            let path = path.display();
            let detail = format!("{path} has no key; restore it, or delete it and reset each second factor");
            Error::new(ErrorKind::InvalidData, detail)
        };
        Ok(Self(LessSafeKey::new(key.ok_or_else(invalid)?)))
    }

    /// Encrypts a secret. It opens only for the same owner, so that rows cannot be exchanged.
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Vec<u8> {
        // Random, and never used 2^32 times.
        let nonce = random_bytes::<NONCE_LEN>();
        let mut sealed = secret.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                &mut sealed,
            )
            .expect("a secret is short");
        [&nonce[..], &sealed].concat()
    }

    /// None for what this key did not seal for this owner.
    pub fn open_sealed(&self, owner: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let secret = self.0.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut sealed).ok()?;
        Some(secret.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_for_its_owner_and_otherwise_not() {
        let (place, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let key = SealingKey::open(place.path()).expect("a key");
        let sealed = key.seal("user:1", b"a secret");
        assert!(!sealed.windows(8).any(|part| part == b"a secret"));
        assert_ne!(sealed, key.seal("user:1", b"a secret"));
        let again = SealingKey::open(place.path()).expect("the same key");
        assert_eq!(again.open_sealed("user:1", &sealed).as_deref(), Some(&b"a secret"[..]));
        assert_eq!(again.open_sealed("user:2", &sealed), None);
        let foreign = SealingKey::open(other.path()).expect("another key");
        assert_eq!(foreign.open_sealed("user:1", &sealed), None);
        for n in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[n] ^= 1;
            assert_eq!(again.open_sealed("user:1", &changed), None);
            assert_eq!(again.open_sealed("user:1", &sealed[..n]), None);
        }
    }

    #[test]
    fn a_file_without_a_key_stops_the_server_and_an_empty_one_is_filled() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join(FILE);
        std::fs::write(&path, "").expect("an empty file");
        SealingKey::open(place.path()).expect("a key");
        let text = std::fs::read_to_string(&path).expect("the key");
        assert_eq!(text.len(), 43);
        std::fs::write(&path, &text[..20]).expect("a part of it");
        assert!(SealingKey::open(place.path()).is_err());
    }
}
