//! Cached rollups. A cached row is used only while its revision is unchanged.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::{Weighter, sync::Cache};

use super::{
    keys::MOST_KEYS,
    packed::{PackedCells, Tables},
    projection::ProjectionId,
};
use crate::event::Log;

/// Logs whose keys are remembered, some megabyte each at most. Others are counted as well, a few milliseconds later.
const MOST_LOGS: usize = 32;

/// The key of a row of `event_counts`, or of what a [projection](super::projection) made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub workspace_id: i32,
    pub log: i16,
    pub grain: i16,
    pub bucket: i32,
    /// None for the row itself.
    pub projection: Option<ProjectionId>,
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
    keys: Arc<Cache<(i32, i16), KnownPlaces>>,
}

impl CountsCache {
    /// A cache of at most this many bytes of rows.
    pub fn new(bytes: u64) -> Self {
        // An estimate: a typical row has 20 KiB.
        let rows = Cache::with_weighter((bytes / 20_000 + 16) as usize, bytes, ByBytes);
        Self { rows: Arc::new(rows), keys: Arc::new(Cache::new(MOST_LOGS)) }
    }

    /// Where the keys of a log's rows have their sums.
    pub(super) fn known_places(&self, workspace_id: i32, log: Log) -> KnownPlaces {
        let of_log = (workspace_id, log.number());
        if let Some(known) = self.keys.get(&of_log)
            && known.tables().keys().len() <= 2 * MOST_KEYS
        {
            return known;
        }
        let fresh = KnownPlaces::new();
        self.keys.insert(of_log, fresh.clone());
        fresh
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

/// The keys of a log's rows, each with a place that never changes. A row remembers the places of its keys, so that they are
/// looked up once: with ten thousand keys in each month that took most of the time. Cheap to clone.
#[derive(Clone)]
pub(super) struct KnownPlaces {
    /// Distinguishes it from one that was forgotten.
    id: u64,
    tables: Arc<Mutex<Arc<Tables>>>,
}

impl KnownPlaces {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), tables: Arc::default() }
    }

    /// The place of each key of a row, and a number that all places are below.
    pub(super) fn of(&self, packed: &PackedCells) -> (Arc<[u32]>, usize) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let places = packed.places(self.id, || Arc::make_mut(&mut tables).keys_of(packed));
        (places, tables.keys().len())
    }

    /// All keys that are known, by their places.
    pub(super) fn tables(&self) -> Arc<Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
