//! When a resource is open, week by week, in its own zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Interval, resolve_local};

/// Hours that are no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// A time of day is `HH:MM`, `00:00` to `24:00`.
    #[error("a time of day is HH:MM from 00:00 to 24:00, got {0:?}")]
    TimeOfDay(String),
    /// A window is on at least one day and ends after it starts.
    #[error("an opening window has days, and ends after it starts: {from} to {to}")]
    EmptyWindow {
        /// When it would open.
        from: TimeOfDay,
        /// When it would close.
        to: TimeOfDay,
    },
    /// More windows than a week needs.
    #[error("at most {} opening windows", WeeklyHours::MAX_WINDOWS)]
    TooMany,
}

/// A day of the week, written `mon` to `sun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week need no explanation")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Weekday> for Day {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

/// A local time of day in whole minutes, `00:00` to `24:00` (the end of the day).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minute: u16,
}

impl TimeOfDay {
    /// The beginning of the day.
    pub const MIDNIGHT: Self = Self { minute: 0 };

    const END_OF_DAY: u16 = 24 * 60;

    /// The time that is `minute` minutes after midnight; `None` past 24:00.
    #[must_use]
    pub const fn from_minute(minute: u16) -> Option<Self> {
        if minute <= Self::END_OF_DAY { Some(Self { minute }) } else { None }
    }

    /// How many minutes after midnight it is.
    #[must_use]
    pub const fn minute(self) -> u16 {
        self.minute
    }

    fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(chrono::NaiveTime::MIN) + TimeDelta::minutes(i64::from(self.minute))
    }
}

impl FromStr for TimeOfDay {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::TimeOfDay(text.chars().take(16).collect());
        let two_digits = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u16>().ok() } else { None }
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(bad)?;
        let (hours, minutes) = two_digits(hours).zip(two_digits(minutes)).ok_or_else(bad)?;
        if minutes > 59 {
            return Err(bad());
        }
        Self::from_minute(hours * 60 + minutes).ok_or_else(bad)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

/// Open on these days from one local time to another; both on the same day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningWindow {
    days: Vec<Day>,
    from: TimeOfDay,
    to: TimeOfDay,
}

impl OpeningWindow {
    /// A window on `days`.
    ///
    /// # Errors
    /// When it has no day, or does not end after it starts.
    pub fn new(days: Vec<Day>, from: TimeOfDay, to: TimeOfDay) -> Result<Self, HoursError> {
        if days.is_empty() || from >= to {
            return Err(HoursError::EmptyWindow { from, to });
        }
        Ok(Self { days, from, to })
    }

    /// The days it is open on.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// When it opens.
    #[must_use]
    pub const fn from(&self) -> TimeOfDay {
        self.from
    }

    /// When it closes.
    #[must_use]
    pub const fn to(&self) -> TimeOfDay {
        self.to
    }
}

/// The opening windows of a week; none at all means always closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<OpeningWindow>", into = "Vec<OpeningWindow>")]
pub struct WeeklyHours(Vec<OpeningWindow>);

impl WeeklyHours {
    /// How many windows one resource can have.
    pub const MAX_WINDOWS: usize = 50;

    /// The windows as they were given.
    #[must_use]
    pub fn windows(&self) -> &[OpeningWindow] {
        &self.0
    }

    /// Whether all of `interval` lies in opening hours. Windows that touch or overlap count as
    /// one, so a day that closes at 24:00 goes over into one that opens at 00:00.
    #[must_use]
    pub fn cover(&self, zone: Tz, interval: &Interval) -> bool {
        let mut open_until = interval.start();
        for window in self.windows_around(zone, interval) {
            if window.start() > open_until {
                return false;
            }
            open_until = open_until.max(window.end());
            if open_until >= interval.end() {
                return true;
            }
        }
        false
    }

    /// The windows that reach into `interval`, made absolute, in order of their start.
    fn windows_around(&self, zone: Tz, interval: &Interval) -> Vec<Interval> {
        let first = interval.start().with_timezone(&zone).date_naive();
        let last = interval.end().with_timezone(&zone).date_naive();
        // A day on either side: at a change of offset a window's resolved end can lie on the
        // neighbouring day.
        let first = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        let mut open: Vec<Interval> = first
            .iter_days()
            .take_while(|date| *date <= last)
            .flat_map(|date| self.windows_on(zone, date))
            .filter(|window| window.overlaps(interval))
            .collect();
        open.sort_by_key(Interval::start);
        open
    }

    fn windows_on(&self, zone: Tz, date: NaiveDate) -> impl Iterator<Item = Interval> + '_ {
        let day = Day::from(date.weekday());
        self.0.iter().filter(move |window| window.days.contains(&day)).filter_map(move |window| {
            let opens = resolve_local(zone, window.from.on(date));
            let closes = resolve_local(zone, window.to.on(date));
            // A window inside a gap of the clock has no length that day.
            Interval::new(opens, closes).ok()
        })
    }
}

impl TryFrom<Vec<OpeningWindow>> for WeeklyHours {
    type Error = HoursError;

    fn try_from(windows: Vec<OpeningWindow>) -> Result<Self, HoursError> {
        if windows.len() > Self::MAX_WINDOWS {
            return Err(HoursError::TooMany);
        }
        for window in &windows {
            OpeningWindow::new(window.days.clone(), window.from, window.to)?;
        }
        Ok(Self(windows))
    }
}

impl From<WeeklyHours> for Vec<OpeningWindow> {
    fn from(hours: WeeklyHours) -> Self {
        hours.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &str) -> WeeklyHours {
        serde_json::from_str(windows).unwrap()
    }

    fn interval(start: &str, end: &str) -> Interval {
        Interval::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    const OFFICE: &str = r#"[{"days":["mon","tue"],"from":"09:00","to":"12:00"},
                             {"days":["mon","tue"],"from":"13:00","to":"17:00"}]"#;

    #[test]
    fn an_appointment_must_fit_one_window() {
        let office = hours(OFFICE);
        let oslo = Tz::Europe__Oslo;
        // 2026-11-23 is a Monday; Oslo is at +01:00.
        assert!(office.cover(oslo, &interval("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z")));
        assert!(!office.cover(oslo, &interval("2026-11-23T07:59:00Z", "2026-11-23T09:00:00Z")));
        assert!(!office.cover(oslo, &interval("2026-11-23T10:30:00Z", "2026-11-23T12:30:00Z")));
        assert!(!office.cover(oslo, &interval("2026-11-25T08:00:00Z", "2026-11-25T09:00:00Z")));
    }

    #[test]
    fn days_that_are_open_around_the_clock_join_at_midnight() {
        let always = hours(
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#,
        );
        for zone in [Tz::UTC, Tz::America__Santiago, Tz::Europe__Oslo] {
            let year = interval("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
            assert!(always.cover(zone, &year), "{zone}");
        }
    }

    #[test]
    fn a_window_without_length_is_refused() {
        for bad in [
            r#"[{"days":["mon"],"from":"09:00","to":"09:00"}]"#,
            r#"[{"days":[],"from":"09:00","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"9:00","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"09:60","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"09:00","to":"24:01"}]"#,
        ] {
            assert!(serde_json::from_str::<WeeklyHours>(bad).is_err(), "{bad}");
        }
    }
}
