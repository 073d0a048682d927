//! Something that is shared and bounded: nobody holds more than their share of it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// What is shared, and how much of it each holds.
pub(super) struct Shares<K> {
    most: usize,
    most_of_one: usize,
    held: Mutex<Held<K>>,
}

struct Held<K> {
    all: usize,
    by: HashMap<K, usize>,
}

/// What one request holds; given back when it is dropped.
pub(super) struct Share<K: Eq + Hash> {
    shares: Arc<Shares<K>>,
    key: K,
    amount: usize,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    pub(super) fn new(most: usize, most_of_one: usize) -> Arc<Self> {
        let held = Mutex::new(Held { all: 0, by: HashMap::new() });
        Arc::new(Self { most, most_of_one: most_of_one.min(most), held })
    }

    /// A share of nothing yet.
    pub(super) fn begin(self: &Arc<Self>, key: K) -> Share<K> {
        Share { shares: self.clone(), key, amount: 0 }
    }

    pub(super) fn most_of_one(&self) -> usize {
        self.most_of_one
    }

    pub(super) fn held(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl<K: Eq + Hash + Clone> Share<K> {
    pub(super) fn key(&self) -> &K {
        &self.key
    }

    pub(super) fn amount(&self) -> usize {
        self.amount
    }

    /// Takes more. False when there is no room, or the share is used up: then nothing changes.
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let Shares { most, most_of_one, held } = &*self.shares;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = held.by.get(&self.key).copied().unwrap_or_default() + more;
        if held.all + more > *most || of_one > *most_of_one {
            return false;
        }
        held.all += more;
        held.by.insert(self.key.clone(), of_one);
        self.amount += more;
        true
    }
}

impl<K: Eq + Hash> Share<K> {
    /// Gives some of it back.
    pub(super) fn shrink(&mut self, less: usize) {
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.amount -= less;
        held.all -= less;
        if let Some(of_one) = held.by.get_mut(&self.key) {
            *of_one -= less;
            if *of_one == 0 {
                held.by.remove(&self.key);
            }
        }
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        self.shrink(self.amount);
    }
}
