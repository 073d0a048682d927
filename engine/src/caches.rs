//! What readers cache between requests. No answer depends on what is cached.

use super::{counts::CountsCache, index::Index};

/// Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    pub index: Index,
    pub counts: CountsCache,
}

impl Caches {
    /// Caches of at most this many bytes of index pieces and of rollups.
    pub fn new(index_bytes: u64, counts_bytes: u64) -> Self {
        Self { index: Index::new(index_bytes), counts: CountsCache::new(counts_bytes) }
    }
}
