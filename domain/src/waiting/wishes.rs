//! What a client waits for.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::time::{Duration, Interval, LocalDate, OpeningHours, WeeklyHours, date_in, day_bounds};
use crate::{ResourceIds, ServiceId};

/// Days that nobody can wish for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("from {from} to {to} are not 1 to {} days", WishedDays::MAX)]
pub struct WishesError {
    from: LocalDate,
    to: LocalDate,
}

/// The days that a client has time on, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Fields")]
pub struct WishedDays {
    from: LocalDate,
    to: LocalDate,
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    time_zone: Tz,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Fields {
    from: LocalDate,
    to: LocalDate,
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    time_zone: Tz,
}

impl WishedDays {
    /// The most days of one wish: as many as a query for free time can cover.
    pub const MAX: i64 = 92;

    /// The days from `from` to `to`, in this zone.
    ///
    /// # Errors
    /// When there are none, or more than [`MAX`](Self::MAX).
    pub fn new(from: LocalDate, to: LocalDate, time_zone: Tz) -> Result<Self, WishesError> {
        let count = to.date().signed_duration_since(from.date()).num_days() + 1;
        let fits = (1..=Self::MAX).contains(&count);
        if fits { Ok(Self { from, to, time_zone }) } else { Err(WishesError { from, to }) }
    }

    #[must_use]
    pub const fn first(&self) -> LocalDate {
        self.from
    }

    #[must_use]
    pub const fn last(&self) -> LocalDate {
        self.to
    }

    /// The zone in which they, and times of day on them, are read.
    #[must_use]
    pub const fn time_zone(&self) -> Tz {
        self.time_zone
    }

    /// From the first instant of the first to the last of the last; `None`: the zone skipped them.
    #[must_use]
    pub fn bounds(&self) -> Option<Interval> {
        day_bounds(self.time_zone, self.from.date(), self.to.date())
    }

    /// The last date that can be wished for at `now`.
    #[must_use]
    pub fn latest(time_zone: Tz, now: DateTime<Utc>) -> NaiveDate {
        /// A year, and the day on which it is made.
        const AHEAD: Days = Days::new(366);
        let today = date_in(time_zone, now);
        today.checked_add_days(AHEAD).unwrap_or(NaiveDate::MAX)
    }
}

impl TryFrom<Fields> for WishedDays {
    type Error = WishesError;

    fn try_from(Fields { from, to, time_zone }: Fields) -> Result<Self, WishesError> {
        Self::new(from, to, time_zone)
    }
}

/// What a client waits for: a service, when they have time for all of it, and with whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Wishes {
    pub service_id: ServiceId,
    /// How long it is to take. `None`: as long as the service takes.
    #[serde(rename = "duration_minutes", default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Duration>,
    /// On which days.
    pub days: WishedDays,
    /// At which times of the week. None at all: at any time.
    #[serde(default, skip_serializing_if = "is_any_time")]
    pub times: WeeklyHours,
    /// With which resources: where any of them would do, only with them. `None`: with any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ids: Option<ResourceIds>,
}

fn is_any_time(times: &WeeklyHours) -> bool {
    times.windows().is_empty()
}

impl Wishes {
    /// Whether there is no time left in which it could be.
    #[must_use]
    pub fn have_passed(&self, now: DateTime<Utc>) -> bool {
        self.days.bounds().is_none_or(|days| days.end() <= now)
    }

    /// When the client has time: the appointment is to lie in one of these, all of it.
    #[must_use]
    pub fn has_time(&self) -> Vec<Interval> {
        let Some(days) = self.days.bounds() else { return Vec::new() };
        if is_any_time(&self.times) {
            return vec![days];
        }
        OpeningHours::from(self.times.clone()).open(self.days.time_zone, days)
    }
}
