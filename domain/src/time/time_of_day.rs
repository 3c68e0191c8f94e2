//! Local times of day.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use super::HoursError;
use super::hours_error::excerpt;

/// A local time of day in whole minutes, `00:00` to `24:00` (the end of the day).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    minute: u16,
}

impl TimeOfDay {
    /// The beginning of the day.
    pub const MIDNIGHT: Self = Self { minute: 0 };

    /// The end of the day: `24:00`.
    pub const END_OF_DAY: Self = Self { minute: Self::MINUTES };

    const MINUTES: u16 = 24 * 60;

    /// The time that is `minute` minutes after midnight; `None` past 24:00.
    #[must_use]
    pub const fn from_minute(minute: u16) -> Option<Self> {
        if minute <= Self::MINUTES { Some(Self { minute }) } else { None }
    }

    /// How many minutes after midnight it is.
    #[must_use]
    pub const fn minute(self) -> u16 {
        self.minute
    }

    /// This time of that day; `24:00` is the beginning of the next.
    #[must_use]
    pub fn on(self, date: NaiveDate) -> NaiveDateTime {
        date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(self.minute))
    }
}

impl FromStr for TimeOfDay {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::TimeOfDay(excerpt(text));
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
