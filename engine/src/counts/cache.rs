//! Cached rollups. A cached row is used only while its revision is unchanged.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::packed::PackedCells;
use crate::filter::Dimension;

/// The key of a row of `event_counts`, or of what a [projection](super::projection) made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub workspace_id: i32,
    pub log: i16,
    pub grain: i16,
    pub bucket: i32,
    /// The dimension that is left, and a hash of the filter. None for the row itself.
    pub projection: Option<(Dimension, [u8; 8])>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Place, (i64, Arc<PackedCells>)> for ByBytes {
    fn weight(&self, _: &Place, (_, packed): &(i64, Arc<PackedCells>)) -> u64 {
        packed.weight() as u64 + 128
    }
}

/// Bounded by bytes. Cheap to clone.
#[derive(Clone)]
pub struct CountsCache {
    rows: Arc<Cache<Place, (i64, Arc<PackedCells>), ByBytes>>,
}

impl CountsCache {
    /// A cache of at most this many bytes of rows.
    pub fn new(bytes: u64) -> Self {
        // An estimate: a typical row has 20 KiB.
        let rows = Cache::with_weighter((bytes / 20_000 + 16) as usize, bytes, ByBytes);
        Self { rows: Arc::new(rows) }
    }

    /// The row, if it is cached with this revision.
    pub fn get(&self, place: &Place, revision: i64) -> Option<Arc<PackedCells>> {
        let (known, packed) = self.rows.get(place)?;
        (known == revision).then_some(packed)
    }

    pub fn insert(&self, place: Place, revision: i64, packed: Arc<PackedCells>) {
        self.rows.insert(place, (revision, packed));
    }
}
