//! The signature index: any filter and any search, on every database, without the database's own indexes.
//!
//! Consecutive events form a run ([`run`]), in which each event is a column of a bit matrix. Directories say which
//! columns have a value ([`values`]) and which blocks of columns have a part of a text ([`signature`]), dictionaries which
//! words there are ([`words`]). A segment is one run, or several whose directories were merged ([`merge`]). A query looks
//! up its keys in the directory of each segment ([`plan`], [`lookup`], [`candidates`]), the newest first, and fetches the
//! candidates by seq ([`search`]). Every candidate is checked with
//! [`Filter::matches`](crate::filter::Filter::matches), so a false one costs time but never gives a wrong answer.
//!
//! The index is derived from the events: a background job builds it ([`build`]), and it can be removed and rebuilt at
//! any time. An index of another format ([`run::FORMAT`]) is not read, but rebuilt.

pub mod build;
pub mod building;
pub mod candidates;
pub mod check;
pub mod directory;
pub mod lists;
pub mod lookup;
pub mod merge;
mod pairs;
pub mod plan;
pub mod posting;
pub mod run;
pub mod search;
pub mod signature;
pub mod sources;
pub mod store;
mod texts;
pub mod values;
pub mod words;
pub mod write;

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
