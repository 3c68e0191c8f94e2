//! Nouns for the tests of this crate.

mod chain;
mod claims;
mod house;
mod submissions;
mod upcasters;
mod wire;

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::ResourceId;
use uuid::Uuid;

use crate::Clock;
pub(crate) use chain::end_of_whole;
pub(crate) use claims::{claims_in_the_log, claims_in_the_table};
pub(crate) use house::{House, eventually};
pub(crate) use submissions::{a_booking, a_hold, a_move, key, of_stream, submission};
pub(crate) use upcasters::{SERVICE_DEFINED_1, upcasters};
pub(crate) use wire::{Cut, Wire};

/// A clock that stands still until it is set.
pub(crate) struct SetClock(Mutex<DateTime<Utc>>);

impl SetClock {
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    pub(crate) fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A Monday at noon.
pub(crate) fn noon() -> DateTime<Utc> {
    minute(0)
}

/// So many minutes after that noon.
pub(crate) fn minute(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_435_200, 0).unwrap() + TimeDelta::minutes(n)
}

pub(crate) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub(crate) fn resource(n: u128) -> ResourceId {
    uuid(n).into()
}
