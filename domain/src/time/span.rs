//! Spans of a wall calendar: whole days, or hours.

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::dates::Dates;
use super::local::resolve_on_a_day;
use super::{HoursError, Interval, LocalDate, LocalMinute, day_bounds, resolve_local};

/// Whole days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "DaysFields")]
pub struct LocalDays {
    first: LocalDate,
    last: LocalDate,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct DaysFields {
    first: LocalDate,
    last: LocalDate,
}

impl LocalDays {
    /// From `first` to `last`.
    ///
    /// # Errors
    /// When `last` is before `first`.
    pub fn new(first: LocalDate, last: LocalDate) -> Result<Self, HoursError> {
        if last < first {
            Err(HoursError::NoDays { first, last })
        } else {
            Ok(Self { first, last })
        }
    }

    #[must_use]
    pub const fn first(self) -> LocalDate {
        self.first
    }

    #[must_use]
    pub const fn last(self) -> LocalDate {
        self.last
    }
}

impl TryFrom<DaysFields> for LocalDays {
    type Error = HoursError;

    fn try_from(DaysFields { first, last }: DaysFields) -> Result<Self, HoursError> {
        Self::new(first, last)
    }
}

/// From one local time to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "HoursFields")]
pub struct LocalHours {
    from: LocalMinute,
    to: LocalMinute,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct HoursFields {
    from: LocalMinute,
    to: LocalMinute,
}

impl LocalHours {
    /// From `from` to `to`.
    ///
    /// # Errors
    /// When `to` is not after `from`, as a clock on the wall shows them.
    pub fn new(from: LocalMinute, to: LocalMinute) -> Result<Self, HoursError> {
        if from < to { Ok(Self { from, to }) } else { Err(HoursError::NoHours { from, to }) }
    }
}

impl TryFrom<HoursFields> for LocalHours {
    type Error = HoursError;

    fn try_from(HoursFields { from, to }: HoursFields) -> Result<Self, HoursError> {
        Self::new(from, to)
    }
}

/// Whole days, or hours: `{"days": {"first", "last"}}` or `{"hours": {"from", "to"}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LocalSpan {
    /// Whole days.
    Days(LocalDays),
    /// Hours.
    Hours(LocalHours),
}

impl LocalSpan {
    /// Whether it can have a part in any of these days.
    pub(super) fn touches(&self, dates: Dates) -> bool {
        let (first, last) = match self {
            Self::Days(days) => (days.first.date(), days.last.date()),
            Self::Hours(hours) => (hours.from.date_time().date(), hours.to.date_time().date()),
        };
        first <= dates.last && dates.first <= last
    }

    /// The span made absolute; `None`: clocks that jump leave nothing of it.
    #[must_use]
    pub fn resolve(&self, zone: Tz) -> Option<Interval> {
        match self {
            Self::Days(days) => day_bounds(zone, days.first.date(), days.last.date()),
            Self::Hours(hours) => {
                let (from, to) = (instant(zone, hours.from), instant(zone, hours.to));
                Interval::new(from, to).ok()
            }
        }
    }
}

/// A time on a day that the zone skipped altogether is the instant of the skip, so that hours of that
/// day do not become hours of the next.
fn instant(zone: Tz, local: LocalMinute) -> chrono::DateTime<chrono::Utc> {
    let local = local.date_time();
    let midnight = || resolve_local(zone, local.date().and_time(NaiveTime::MIN));
    resolve_on_a_day(zone, local).unwrap_or_else(midnight)
}
