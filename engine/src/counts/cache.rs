//! Packed rows that were read before. What is remembered is used only where the row's revision is still the same.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::packed::PackedCells;

/// The key of a row of `event_counts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub workspace_id: i32,
    pub log: i16,
    pub grain: i16,
    pub bucket: i32,
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
    pub fn new(bytes: u64) -> Self {
        // A typical row has 20 KiB; it is only a first guess.
        let rows = Cache::with_weighter((bytes / 20_000 + 16) as usize, bytes, ByBytes);
        Self { rows: Arc::new(rows) }
    }

    pub fn get(&self, place: &Place, revision: i64) -> Option<Arc<PackedCells>> {
        let (known, packed) = self.rows.get(place)?;
        (known == revision).then_some(packed)
    }

    pub fn insert(&self, place: Place, revision: i64, packed: Arc<PackedCells>) {
        self.rows.insert(place, (revision, packed));
    }
}
