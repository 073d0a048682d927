//! The signature index: any filter and any search, on every database, without the database's own indexes.
//!
//! Each event is a column of a bit matrix ([`signature`]). Consecutive events form a segment ([`segment`]), which is
//! stored in pieces ([`store`]). A query reads only the pieces of its own marks, the newest segment first, and fetches
//! the candidates by seq ([`search`]). Every candidate is checked with
//! [`Filter::matches`](crate::filter::Filter::matches), so a false one costs time but never gives a wrong answer.
//!
//! The index is derived from the events: a background job builds it ([`build`]), and it can be removed and rebuilt at
//! any time. An index of another format ([`segment::FORMAT`]) is not read, but rebuilt.

pub mod build;
pub mod candidates;
pub mod directory;
pub mod posting;
pub mod search;
pub mod segment;
pub mod signature;
pub mod store;

#[cfg(test)]
mod format;

/// The index, as readers use it. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    cache: store::Cache,
}

impl Index {
    /// With a cache of at most this many bytes.
    pub fn new(cache_bytes: u64) -> Self {
        Self { cache: store::Cache::new(cache_bytes) }
    }
}
