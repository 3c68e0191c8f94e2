//! When a resource is open, all things considered.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::dates::Dates;
use super::intervals::{union, without};
use super::{ExceptionKind, Holidays, HoursExceptions, Interval, WeeklyHours, day_bounds};

/// All that says when a resource is open. Of two that disagree, the later in this list is right: the
/// weekly windows, the holidays, the extra hours, the time off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpeningHours {
    /// Week by week.
    pub weekly_hours: WeeklyHours,
    /// Extra hours and time off.
    #[serde(default, skip_serializing_if = "HoursExceptions::is_empty")]
    pub exceptions: HoursExceptions,
    /// Days on which the weekly windows do not count.
    #[serde(default, skip_serializing_if = "Holidays::is_empty")]
    pub holidays: Holidays,
}

impl OpeningHours {
    /// When it is open in `range`: each maximal interval, cut off at the ends of `range`; in
    /// order, and none touches another.
    ///
    /// Local times are made absolute by the rule of [`super::resolve_local`]. A window belongs to the
    /// day on which it opens; on a day that the zone skipped altogether nothing opens.
    #[must_use]
    pub fn open(&self, zone: Tz, range: Interval) -> Vec<Interval> {
        let dates = Dates::around(zone, &range);
        let within = |interval: Interval| interval.intersection(&range);
        let weekly = self.weekly_hours.opening_on(zone, dates).filter_map(within).collect();
        let open = without(union(weekly), &self.holidays_in(zone, dates));
        if self.exceptions.is_empty() {
            return open;
        }
        let mut exceptions = (Vec::new(), Vec::new());
        for exception in self.exceptions.iter().filter(|one| one.span.touches(dates)) {
            let interval = exception.span.resolve(zone).and_then(within);
            match exception.kind {
                ExceptionKind::ExtraHours => exceptions.0.extend(interval),
                ExceptionKind::TimeOff => exceptions.1.extend(interval),
            }
        }
        let (mut extra, off) = exceptions;
        extra.extend(open);
        without(union(extra), &union(off))
    }

    /// Whether it is open for all of `interval`.
    #[must_use]
    pub fn cover(&self, zone: Tz, interval: &Interval) -> bool {
        self.open(zone, *interval) == [*interval]
    }

    fn holidays_in(&self, zone: Tz, dates: Dates) -> Vec<Interval> {
        let holidays = self.holidays.within(dates).iter();
        let days = holidays
            .filter_map(|holiday| day_bounds(zone, holiday.date.date(), holiday.date.date()));
        union(days.collect())
    }
}

impl From<WeeklyHours> for OpeningHours {
    fn from(weekly_hours: WeeklyHours) -> Self {
        Self { weekly_hours, ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
