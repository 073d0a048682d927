//! The keys of this server's own tokens: the newest one signs, older ones verify the tokens that they signed.
//!
//! They are in one file of the data folder, `token-keys.json`, which is replaced as a whole. A writer holds the lock of
//! `token-keys.lock`; readers need no lock. A running server notices within a second that the file has changed, and at once
//! when a token names a key that it does not know.

use std::{
    fs::{self, File},
    io::{Error, ErrorKind, Result, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use logbook_engine::{db::timestamp::Timestamp, private_files};
use serde::{Deserialize, Serialize};

use crate::accounts::{
    claims::ACCESS_SECONDS,
    secret::{random_id, random_token},
};

const FILE: &str = "token-keys.json";
const LOCK: &str = "token-keys.lock";
/// What it is replaced with.
const DRAFT: &str = "token-keys.json.new";
/// What version 0.1 kept its one key in.
const FIRST_FILE: &str = "token.key";
/// The name of that key: tokens of version 0.1 name none.
const FIRST_KID: &str = "first";
/// The longest life of a token of version 0.1, in seconds: `logbook token --hours 87600`.
const FIRST_SECONDS: i64 = 87_600 * 3600;
const MIN_SECRET_BYTES: usize = 32;
/// Allowance, in seconds, for servers that still sign with the previous key, and for clocks that differ.
const SLACK_SECONDS: i64 = 60;
/// How often the file is checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// One secret for HS256.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct SigningKey {
    pub kid: String,
    /// base64url.
    secret: String,
    /// Seconds since 1970.
    pub created_at: i64,
    /// When the last of the long-lived tokens expires that were signed with it; seconds since 1970.
    #[serde(default)]
    last_expiry: i64,
}

impl SigningKey {
    fn new(secret: &[u8], kid: String) -> Self {
        Self { kid, secret: URL_SAFE_NO_PAD.encode(secret), created_at: now(), last_expiry: 0 }
    }

    /// A new secret, and a name that no other key has.
    fn random() -> Self {
        let kid = random_id(12);
        // 43 characters with 256 random bits in them.
        Self::new(random_token().as_bytes(), kid)
    }

    pub(super) fn secret(&self) -> Result<Vec<u8>> {
        let secret = URL_SAFE_NO_PAD.decode(&self.secret).map_err(|error| invalid(error.to_string()))?;
        if secret.len() < MIN_SECRET_BYTES {
            return Err(invalid(format!("the key {} is too short", self.kid)));
        }
        Ok(secret)
    }
}

/// Newest first; never empty.
pub(super) type SigningKeys = Vec<SigningKey>;

/// When a replaced key stops verifying, in seconds since 1970: when every token that it can have signed has expired.
pub(super) fn valid_until(key: &SigningKey, successor: &SigningKey) -> i64 {
    (successor.created_at + ACCESS_SECONDS + SLACK_SECONDS).max(key.last_expiry)
}

/// Removes keys that no valid token can need.
fn without_expired(keys: SigningKeys) -> SigningKeys {
    let now = now();
    let is_valid = |n: usize| n == 0 || valid_until(&keys[n], &keys[n - 1]) >= now;
    let valid: Vec<bool> = (0..keys.len()).map(is_valid).collect();
    keys.into_iter().zip(valid).filter_map(|(key, valid)| valid.then_some(key)).collect()
}

fn now() -> i64 {
    Timestamp::now().micros() / 1_000_000
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}

/// Distinguishes states of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified_seconds: i64,
    modified_nanoseconds: i64,
    inode: u64,
    bytes: u64,
}

struct Read<T> {
    keys: Arc<T>,
    stamp: Option<Stamp>,
    checked: Instant,
}

/// The file, and what was made of the keys in it when it was last read.
pub(super) struct KeyFile<T> {
    folder: PathBuf,
    prepare: fn(&SigningKeys) -> Result<T>,
    read: RwLock<Read<T>>,
}

impl<T> KeyFile<T> {
    /// Opens the file in a folder; makes both when they are missing, or takes over the key of version 0.1.
    ///
    /// # Errors
    /// The file's.
    pub(super) fn open(folder: &Path, prepare: fn(&SigningKeys) -> Result<T>) -> Result<Self> {
        private_files::create_folder(folder)?;
        for name in [FILE, LOCK, DRAFT] {
            private_files::tighten(&folder.join(name));
        }
        let keys = match read(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => change(folder, |_| Ok(()))?,
            keys => keys?,
        };
        let read = Read { keys: Arc::new(prepare(&keys)?), stamp: stamp(folder), checked: Instant::now() };
        Ok(Self { folder: folder.to_owned(), prepare, read: RwLock::new(read) })
    }

    /// The keys, no older than a second.
    pub(super) fn keys(&self) -> Arc<T> {
        self.keys_unless(|read| read.checked.elapsed() < CHECK_INTERVAL)
    }

    /// The keys as they are at this moment.
    pub(super) fn keys_now(&self) -> Arc<T> {
        self.keys_unless(|_| false)
    }

    /// When the file cannot be read, the known keys stay in use, so that a failing disk locks nobody out.
    fn keys_unless(&self, fresh: impl Fn(&Read<T>) -> bool) -> Arc<T> {
        // A panic elsewhere leaves what was there, which is whole.
        let known = self.read.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let stamp = if fresh(&known) { known.stamp } else { stamp(&self.folder) };
        if stamp == known.stamp && fresh(&known) {
            return known.keys.clone();
        }
        let unchanged = stamp == known.stamp;
        drop(known);
        let mut known = self.read.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.checked = Instant::now();
        if unchanged {
            return known.keys.clone();
        }
        match read(&self.folder).and_then(|keys| (self.prepare)(&keys)) {
            Ok(keys) => (known.keys, known.stamp) = (Arc::new(keys), stamp),
            Err(error) => {
                tracing::error!(%error, "{FILE} cannot be read; the keys that were read before stay in use")
            }
        }
        known.keys.clone()
    }

    /// Records that a token was signed that lives longer than a session's, so that its key is kept for as long.
    ///
    /// # Errors
    /// The file's.
    pub(super) fn note_expiry(&self, kid: &str, expiry: i64) -> Result<()> {
        change(&self.folder, |keys| {
            if let Some(key) = keys.iter_mut().find(|key| key.kid == kid) {
                key.last_expiry = key.last_expiry.max(expiry);
            }
            Ok(())
        })
        .map(drop)
    }

    /// Creates a new key to sign with. Earlier keys go on verifying, unless `at_once` is set.
    ///
    /// # Errors
    /// The file's.
    pub(super) fn rotate(&self, at_once: bool) -> Result<SigningKeys> {
        change(&self.folder, |keys| {
            if at_once {
                keys.clear();
            }
            let mut new = SigningKey::random();
            // The order of keys is that of their times, also when two are made in one second or a clock went back.
            new.created_at =
                keys.first().map_or(new.created_at, |newest| new.created_at.max(newest.created_at));
            keys.insert(0, new);
            Ok(())
        })
    }
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let file = fs::metadata(folder.join(FILE)).ok()?;
    Some(Stamp {
        modified_seconds: file.mtime(),
        modified_nanoseconds: file.mtime_nsec(),
        inode: file.ino(),
        bytes: file.len(),
    })
}

fn read(folder: &Path) -> Result<SigningKeys> {
    let path = folder.join(FILE);
    let keys: SigningKeys = serde_json::from_slice(&fs::read(&path)?)
        .map_err(|error| invalid(format!("{}: {error}; delete it to get new keys", path.display())))?;
    if keys.is_empty() {
        return Err(invalid(format!("{} has no keys; delete it to get new ones", path.display())));
    }
    Ok(without_expired(keys))
}

/// Reads, changes and replaces the file under its lock. Returns the new content.
fn change(folder: &Path, change: impl FnOnce(&mut SigningKeys) -> Result<()>) -> Result<SigningKeys> {
    let lock = private().open(folder.join(LOCK))?;
    lock.lock()?;
    let first = folder.join(FIRST_FILE);
    let mut keys = match read(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => vec![adopt(&first)?],
        keys => keys?,
    };
    change(&mut keys)?;
    let draft = folder.join(DRAFT);
    let replaced = private().open(&draft).and_then(|mut file| {
        file.write_all(&serde_json::to_vec_pretty(&keys)?)?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(FILE))
    });
    if let Err(error) = replaced {
        // On a full disk, a part of a file with secrets.
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    File::open(folder)?.sync_all()?;
    // Not earlier: only now its key is in the new file.
    match fs::remove_file(first) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(keys),
    }
}

/// The key of version 0.1 where there is one, else a new one.
fn adopt(path: &Path) -> Result<SigningKey> {
    let secret = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(SigningKey::random()),
        secret => secret?,
    };
    let key = SigningKey::new(&secret, FIRST_KID.into());
    key.secret().map_err(|_| {
        invalid(format!("{} is too short to be a key; delete it to get a new one", path.display()))
    })?;
    Ok(SigningKey { last_expiry: now() + FIRST_SECONDS, ..key })
}

/// The `kid` of a token's header. Tokens of version 0.1 have none.
pub(super) fn kid_or_first(kid: Option<&str>) -> &str {
    kid.unwrap_or(FIRST_KID)
}

/// For files that only their owner can read.
fn private() -> fs::OpenOptions {
    let mut options = private_files::options();
    options.write(true).create(true).truncate(true);
    options
}
