//! How far ahead a service can be booked.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::broken::{DateIn, LatestDate};
use super::{Broken, Proposal};
use crate::time::date_in;

/// Further than anyone books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a booking horizon is 0 to {} days, got {days}", Horizon::MAX)]
pub struct HorizonError {
    days: u32,
}

/// How many days ahead a service can be booked, as local dates: with 0, today and no other day.
///
/// The last day can be booked to its end from the first minute of today, as readers of a
/// calendar expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "u32", into = "u32")]
pub struct Horizon(u32);

impl Horizon {
    /// Ten years.
    pub const MAX: u32 = 3_650;

    /// How many days.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// The last day that can be booked at `now`.
    #[must_use]
    pub fn last_date(self, zone: Tz, now: DateTime<Utc>) -> NaiveDate {
        let today = date_in(zone, now);
        today.checked_add_days(Days::new(self.0.into())).unwrap_or(NaiveDate::MAX)
    }

    /// The rule: it starts on the last day or before, in the zone of each resource.
    pub(super) fn broken_by(self, proposal: &Proposal<'_>) -> Option<Broken> {
        proposal.zones.iter().find_map(|&time_zone| {
            let last = self.last_date(time_zone, proposal.now);
            let date = date_in(time_zone, proposal.during.start());
            (date > last).then_some(Broken::BookingHorizon {
                required: LatestDate { days: self, date: last, time_zone },
                found: DateIn { date },
            })
        })
    }
}

impl TryFrom<u32> for Horizon {
    type Error = HorizonError;

    fn try_from(days: u32) -> Result<Self, HorizonError> {
        if days <= Self::MAX { Ok(Self(days)) } else { Err(HorizonError { days }) }
    }
}

impl From<Horizon> for u32 {
    fn from(horizon: Horizon) -> Self {
        horizon.0
    }
}
