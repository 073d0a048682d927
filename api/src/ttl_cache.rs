//! A cache whose values live for a fixed time.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use quick_cache::{Equivalent, sync::Cache};

/// Values that may be used for a fixed time after they were read, in a bounded number: beyond it, those that are used
/// least are dropped.
///
/// A layer over `quick_cache`, which the engine has anyway. `moka` knows a time to live of its own, but costs five more
/// crates and 3.4 s of compiling, for housekeeping that these caches do not need: an expired value only occupies one of
/// the places until it is replaced.
pub struct TtlCache<K, V> {
    entries: Cache<K, Entry<V>>,
    time_to_live: Duration,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    read_at: Instant,
}

impl<K: Eq + Hash, V: Clone> TtlCache<K, V> {
    pub fn new(capacity: usize, time_to_live: Duration) -> Self {
        Self { entries: Cache::new(capacity), time_to_live }
    }

    /// The value, unless it is too old.
    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        let entry = self.entries.get(key)?;
        (entry.read_at.elapsed() < self.time_to_live).then_some(entry.value)
    }

    /// Whether there is a value, of whatever age.
    pub fn has_any(&self, key: &(impl Hash + Equivalent<K> + ?Sized)) -> bool {
        self.entries.peek(key).is_some()
    }

    /// Keeps a value. `read_at` is a moment before it was read, so that no value is used for longer than promised however
    /// long the reading took.
    pub fn insert(&self, key: K, value: V, read_at: Instant) {
        self.entries.insert(key, Entry { value, read_at });
    }

    /// Drops all values.
    pub fn clear(&self) {
        self.entries.clear();
    }

    /// Drops the value, so that it is read again when it is next needed.
    pub fn invalidate<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_as_long_as_was_said_and_can_be_dropped_before() {
        let cache = TtlCache::new(100, Duration::from_secs(2));
        let now = Instant::now();
        cache.insert("new".to_owned(), 1, now);
        assert_eq!((cache.get("new"), cache.get("other")), (Some(1), None));
        let long_ago = now.checked_sub(Duration::from_secs(3)).expect("the machine runs for longer");
        cache.insert("old".to_owned(), 2, long_ago);
        assert_eq!((cache.get("old"), cache.has_any("old")), (None, true));
        cache.invalidate("new");
        assert_eq!((cache.get("new"), cache.has_any("new")), (None, false));
    }

    #[test]
    fn there_are_never_more_values_than_places() {
        let cache = TtlCache::new(100, Duration::from_secs(60));
        for n in 0..10_000 {
            cache.insert(n, n, Instant::now());
        }
        let left = (0..10_000).filter(|n| cache.has_any(n)).count();
        assert!(left <= 100, "{left}");
    }
}
