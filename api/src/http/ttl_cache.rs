//! A small cache of what may be out of date for a moment.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was looked up a moment ago. Cheap to clone; clones are one cache.
///
/// It takes no more when it is full of what has not expired: the next caller looks again.
pub(crate) struct TtlCache<K, V> {
    entries: Arc<Mutex<HashMap<K, Entry<V>>>>,
    ttl: Duration,
}

struct Entry<V> {
    value: V,
    expires_at: Instant,
}

impl<K, V> Clone for TtlCache<K, V> {
    fn clone(&self) -> Self {
        Self { entries: Arc::clone(&self.entries), ttl: self.ttl }
    }
}

impl<K: Eq + Hash, V: Clone> TtlCache<K, V> {
    /// The most entries.
    const MAX: usize = 10_000;

    pub(crate) fn new(ttl: Duration) -> Self {
        Self { entries: Arc::default(), ttl }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key)?;
        (Instant::now() < entry.expires_at).then(|| entry.value.clone())
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= Self::MAX {
            entries.retain(|_, entry| now < entry.expires_at);
        }
        if entries.len() < Self::MAX {
            entries.insert(key, Entry { value, expires_at: now + self.ttl });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_is_not_there_and_makes_room() {
        let cache = TtlCache::new(Duration::ZERO);
        cache.insert(1, "one");
        assert_eq!(cache.get(&1), None);
        let full = TtlCache { ttl: Duration::from_mins(1), ..cache.clone() };
        for key in 2..TtlCache::<usize, &str>::MAX {
            cache.insert(key, "expired");
        }
        full.insert(0, "zero");
        full.insert(usize::MAX, "the rest has made room");
        assert_eq!([full.get(&0), full.get(&usize::MAX)].iter().flatten().count(), 2);
        for key in 1..2 * TtlCache::<usize, &str>::MAX {
            full.insert(key, "more");
        }
        let entries = full.entries.lock().unwrap();
        assert_eq!(entries.len(), TtlCache::<usize, &str>::MAX);
    }
}
