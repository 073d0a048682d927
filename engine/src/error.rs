//! What can go wrong in the engine. It knows nothing of HTTP: the API turns each error into an answer in one place.

use std::sync::Arc;

use crate::db;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such workspace")]
    UnknownWorkspace,
    #[error("this Idempotency-Key came with another body before; use a new key")]
    IdempotencyKeyReused,
    /// A workspace's `seq` has 42 bits.
    #[error("the workspace is full")]
    WorkspaceFull,
    /// The queue has no room; nothing of the request was kept.
    #[error("too many events wait to be stored; none of these were kept")]
    QueueFull,
    /// Nothing of the request was kept.
    #[error("the server is stopping; none of these events were kept")]
    Stopping,
    /// The commit was not confirmed in time: what was sent may be stored or not.
    #[error(
        "the database does not answer; these events may or may not be stored: send them again with the same keys"
    )]
    Unconfirmed,
    #[error("would give more than {max} buckets; choose a longer interval or a shorter range")]
    TooManyBuckets { max: usize },
    /// The transaction that the events were part of was refused; none of them were stored.
    #[error("these events could not be stored: {0}")]
    NotStored(Arc<Error>),
    /// A defect of ours; nothing was stored.
    #[error("none of these events were stored")]
    Panicked,
    /// Something derived or stored by Logbook itself cannot be read.
    #[error("{0}")]
    Damaged(&'static str),
    /// A stored number that this version does not know. Showing it as another value would be worse than no answer.
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
