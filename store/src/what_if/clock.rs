//! A clock that stands where it is put.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use crate::Clock;

/// A clock that stands where it is put, and never goes back: neither do the times of a log.
#[derive(Debug, Default)]
pub(super) struct StandingClock(AtomicI64);

impl StandingClock {
    pub(super) fn put(&self, at: DateTime<Utc>) {
        self.0.fetch_max(at.timestamp_micros(), Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}
