//! Token buckets, one for each of many: so much comes in a second, and so much at once. They take a bounded room, whoever asks.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Of so many it is known that they have asked a moment ago, and of as many before them.
const MOST: usize = 10_000;

/// A bucket for each `K`.
pub(crate) struct Buckets<K> {
    per_second: NonZeroU32,
    /// A bucket holds what comes in so long: as much may come at once.
    holds: Duration,
    full_at: Mutex<Known<K>>,
}

/// From when on the bucket of each is full again. One that is not here is full. Where there are too many, those who have not
/// asked since there were too many last are forgotten: nobody looks through all of them.
struct Known<K> {
    lately: HashMap<K, Instant>,
    before: HashMap<K, Instant>,
}

/// What is left of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) requests: u32,
    /// How many the bucket holds.
    pub(crate) of: u32,
    /// In which time they come.
    pub(crate) window: Duration,
    /// When there is one more.
    pub(crate) next_in: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    pub(crate) fn new(per_second: NonZeroU32, holds: Duration) -> Self {
        let full_at = Mutex::new(Known { lately: HashMap::new(), before: HashMap::new() });
        Self { per_second, holds, full_at }
    }

    /// Takes one of what there is of `key`. An error: there is none.
    pub(crate) fn take(&self, key: K, now: Instant) -> Result<Left, Left> {
        let mut known = self.known();
        let is = known.get(&key, now);
        let then = is + self.each();
        if then > now + self.holds {
            return Err(self.left(is, now));
        }
        known.insert(key, then);
        Ok(self.left(then, now))
    }

    /// Whether there is something left of `key`.
    pub(crate) fn has_some(&self, key: &K, now: Instant) -> Result<(), Left> {
        let is = self.known().get(key, now);
        if is + self.each() > now + self.holds { Err(self.left(is, now)) } else { Ok(()) }
    }

    fn each(&self) -> Duration {
        Duration::from_secs(1) / self.per_second.get()
    }

    fn left(&self, full_at: Instant, now: Instant) -> Left {
        let (room, each) = ((now + self.holds).saturating_duration_since(full_at), self.each());
        let count = |time: Duration| {
            u32::try_from(time.as_nanos() / each.as_nanos().max(1)).unwrap_or(u32::MAX)
        };
        let requests = count(room);
        let next_in = (each * (requests.saturating_add(1))).saturating_sub(room);
        Left { requests, of: count(self.holds), window: self.holds, next_in }
    }

    fn known(&self) -> MutexGuard<'_, Known<K>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let known = self.known();
        known.lately.len() + known.before.len()
    }
}

impl<K: Eq + Hash> Known<K> {
    fn get(&self, key: &K, now: Instant) -> Instant {
        let full_at = self.lately.get(key).or_else(|| self.before.get(key));
        full_at.map_or(now, |full_at| now.max(*full_at))
    }

    fn insert(&mut self, key: K, full_at: Instant) {
        if self.lately.len() >= MOST {
            self.before = mem::take(&mut self.lately);
        }
        self.lately.insert(key, full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(per_second: u32, seconds: u64) -> Buckets<u32> {
        Buckets::new(NonZeroU32::new(per_second).unwrap(), Duration::from_secs(seconds))
    }

    fn taken(buckets: &Buckets<u32>, key: u32, now: Instant) -> usize {
        (0..100).take_while(|_| buckets.take(key, now).is_ok()).count()
    }

    #[test]
    fn there_is_what_comes_in_a_second_and_then_as_much_as_has_come_since() {
        let (buckets, start) = (of(10, 1), Instant::now());
        assert_eq!(taken(&buckets, 1, start), 10);
        assert_eq!(taken(&buckets, 2, start), 10, "another one has its own");
        assert_eq!(taken(&buckets, 1, start + Duration::from_millis(299)), 2);
        assert_eq!(taken(&buckets, 1, start + Duration::from_millis(350)), 1);
        assert_eq!(taken(&buckets, 1, start + Duration::from_mins(1)), 10, "and no more");
    }

    #[test]
    fn what_is_left_is_said() {
        let (buckets, now) = (of(2, 10), Instant::now());
        let left = buckets.take(1, now).unwrap();
        assert_eq!((left.requests, left.of, left.window), (19, 20, Duration::from_secs(10)));
        assert!(buckets.has_some(&1, now).is_ok());
        assert_eq!(taken(&buckets, 1, now), 19);
        let none = buckets.has_some(&1, now).unwrap_err();
        assert_eq!((none.requests, none.next_in), (0, Duration::from_millis(500)));
        assert_eq!(buckets.take(1, now), Err(none));
    }

    #[test]
    fn whoever_asks_there_is_a_bound_to_what_is_known_of_them() {
        let (buckets, now) = (of(10, 1), Instant::now());
        for key in 0..100_000 {
            buckets.take(key, now).unwrap();
        }
        assert!(buckets.len() <= 2 * MOST, "{}", buckets.len());
        assert_eq!(taken(&buckets, 99_999, now), 9, "those of a moment ago are known");
    }
}
