//! The errors of the engine. It knows nothing of HTTP: the API maps each error to a response in one place.

use std::sync::Arc;

use crate::db;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such workspace")]
    UnknownWorkspace,
    #[error("this Idempotency-Key was used with a different body; use a new key")]
    IdempotencyKeyReused,
    /// Nothing of the request was stored. `element`: the place of the event in it. `first`: which event has the key.
    #[error("{first} has this dedupe key and another content")]
    DedupeConflict { element: usize, first: String },
    /// The quarantine of the workspace has no room for the records that cannot be read; nothing of the request was stored.
    #[error("the quarantine is full; replay or discard what is in it, and send this again")]
    QuarantineFull,
    /// A rejected record was replayed or discarded by somebody else meanwhile; nothing of the request was stored.
    #[error("some of these records are no longer in quarantine; try again")]
    AlreadyReplayed,
    /// A workspace's `seq` has 42 bits.
    #[error("the workspace is full")]
    WorkspaceFull,
    /// The queue is full; nothing of the request was stored.
    #[error("too many events are waiting to be stored; none of these were stored")]
    QueueFull,
    /// Nothing of the request was stored.
    #[error("the server is stopping; none of these events were stored")]
    Stopping,
    /// The commit was not confirmed in time: the events may or may not be stored.
    #[error(
        "the database does not answer; these events may or may not be stored: send them again with the same keys"
    )]
    Unconfirmed,
    #[error("would give more than {max} buckets; choose a longer interval or a shorter range")]
    TooManyBuckets { max: usize },
    /// A record's history has more versions or values than are folded at once.
    #[error(
        "the record has more history than can be folded at once: at most 10,000 versions with 32 MiB of changes and 100,000 values"
    )]
    RecordTooLarge,
    /// The kept counts cannot answer, or not within their bounds: the events have to be scanned. Not for clients.
    #[error("the kept counts cannot answer this")]
    NeedsScan,
    /// The transaction with these events failed; none of them were stored.
    #[error("these events could not be stored: {0}")]
    NotStored(Arc<Error>),
    /// A bug in Logbook; nothing was stored.
    #[error("none of these events were stored")]
    Panicked,
    /// Something that Logbook derived or stored cannot be read.
    #[error("{0}")]
    Damaged(&'static str),
    /// A stored number that this version does not know. Showing it as another value would be worse than an error.
    #[error(
        "an event has the unknown {what} {number}: a newer version of Logbook stored it; use that version"
    )]
    FromNewerVersion { what: &'static str, number: i16 },
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        db::Error::from(error).into()
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
