//! The days that can have a part in an interval.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use super::{Interval, date_in};

/// Consecutive days of a calendar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
}

impl Dates {
    /// Every day on which a window can open that reaches into `range`.
    ///
    /// A window is open on the day after the one that it opens on, and a change of the clocks can
    /// move either end of it past midnight: so two days before, and one after.
    pub(super) fn around(zone: Tz, range: &Interval) -> Self {
        let first = date_in(zone, range.start());
        let last = date_in(zone, range.end());
        Self {
            first: first.checked_sub_days(Days::new(2)).unwrap_or(first),
            last: last.checked_add_days(Days::new(1)).unwrap_or(last),
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |date| *date <= self.last)
    }
}
