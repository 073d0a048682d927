//! The signature index: any filter and any search, on every database, without an index of the database's own.
//!
//! Each event is a column of a bit matrix ([`signature`]). Events that follow each other by seq make a segment
//! ([`segment`]), which is stored in pieces ([`store`]). A question reads the pieces of its own marks, the newest
//! segment first, and fetches the candidates by seq ([`walk`]). Every candidate is held against
//! [`Filter::matches`](crate::filter::Filter::matches), so a false one costs time and never an answer.
//!
//! The index is derived from the events: built behind the appender ([`build`]), removed and built again at any time. One of
//! another format ([`segment::FORMAT`]) is not read, but made anew.

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

/// The index as readers have it. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    cache: store::Cache,
}

impl Index {
    /// With so many bytes of the index in memory.
    pub fn new(cache_bytes: u64) -> Self {
        Self { cache: store::Cache::new(cache_bytes) }
    }
}
