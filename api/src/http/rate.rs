//! How many requests a second a key may send to this program, where whoever runs it says so.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Problem;

/// Of so many keys it is known that they have asked a moment ago; of those that rest nothing needs to be known.
const MAX_KEYS: usize = 10_000;

/// A bucket holds what comes in so long: so many requests may come at once.
const HOLDS: Duration = Duration::from_secs(1);

/// A bucket for each key (token bucket). Clones are one.
#[derive(Clone, Default)]
pub(crate) struct RateLimit(Option<Arc<Buckets>>);

struct Buckets {
    per_second: NonZeroU32,
    /// From when on the bucket of each key is full again. One that is not here is full.
    full_at: Mutex<HashMap<Uuid, Instant>>,
}

impl RateLimit {
    pub(crate) fn of(per_second: NonZeroU32) -> Self {
        Self(Some(Arc::new(Buckets { per_second, full_at: Mutex::default() })))
    }

    /// Refuses one more request of a key that has sent too many.
    pub(crate) fn take(&self, key: Uuid, now: Instant) -> Result<(), Problem> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        let mut full_at = buckets.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MAX_KEYS {
            full_at.retain(|_, full_at| *full_at > now);
        }
        let is = full_at.get(&key).map_or(now, |full_at| now.max(*full_at));
        let then = is + Duration::from_secs(1) / buckets.per_second.get();
        if then > now + HOLDS {
            return Err(Problem::rate_limited(buckets.per_second));
        }
        full_at.insert(key, then);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limit: &RateLimit, key: u128, now: Instant) -> usize {
        (0..100).take_while(|_| limit.take(Uuid::from_u128(key), now).is_ok()).count()
    }

    #[test]
    fn a_key_has_what_comes_in_a_second_and_then_as_much_as_has_come_since() {
        let limit = RateLimit::of(NonZeroU32::new(10).unwrap());
        let start = Instant::now();
        assert_eq!(taken(&limit, 1, start), 10);
        assert_eq!(taken(&limit, 2, start), 10, "another key has its own");
        assert_eq!(taken(&limit, 1, start + Duration::from_millis(299)), 2);
        assert_eq!(taken(&limit, 1, start + Duration::from_millis(350)), 1);
        assert_eq!(taken(&limit, 1, start + Duration::from_mins(1)), 10, "and no more");
        assert_eq!(taken(&RateLimit::default(), 1, start), 100, "nobody has said so");
    }

    #[test]
    fn keys_that_rest_are_forgotten() {
        let limit = RateLimit::of(NonZeroU32::new(10).unwrap());
        let start = Instant::now();
        for key in 0..25_000 {
            let now = start + Duration::from_millis(key);
            limit.take(Uuid::from_u128(key.into()), now).unwrap();
        }
        let known = limit.0.as_ref().unwrap().full_at.lock().unwrap().len();
        assert!(known <= MAX_KEYS, "{known}");
    }
}
