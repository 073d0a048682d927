//! What readers keep in memory from one request to the next. Nothing in it is needed for an answer to be right.

use super::{counts::CountsCache, index::Index};

/// Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    pub index: Index,
    pub counts: CountsCache,
}

impl Caches {
    /// With so many bytes of the index and of the counts.
    pub fn new(index_bytes: u64, counts_bytes: u64) -> Self {
        Self { index: Index::new(index_bytes), counts: CountsCache::new(counts_bytes) }
    }
}
