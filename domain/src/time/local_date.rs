//! Dates and times as a wall calendar and a wall clock have them: without a zone.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use serde::{Deserialize, Serialize};

use super::HoursError;
use super::hours_error::excerpt;

/// A date from 1970 to 2199, the years that the log keeps instants of; as text `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("format" = "date")))]
#[serde(try_from = "String", into = "String")]
pub struct LocalDate(NaiveDate);

impl LocalDate {
    /// The date itself.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// The day after it; `None` at the end of the calendar.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0.checked_add_days(Days::new(1))?).ok()
    }
}

impl TryFrom<NaiveDate> for LocalDate {
    type Error = HoursError;

    fn try_from(date: NaiveDate) -> Result<Self, HoursError> {
        if (1970..=2199).contains(&date.year()) {
            Ok(Self(date))
        } else {
            Err(HoursError::Date(date.to_string()))
        }
    }
}

impl FromStr for LocalDate {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::Date(excerpt(text));
        // chrono's parser would take signs, spaces and missing zeros too.
        let of_form = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = of_form.then(|| text.parse::<NaiveDate>().ok()).flatten();
        date.ok_or_else(bad)?.try_into().map_err(|_| bad())
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A local date and time in whole minutes; as text `YYYY-MM-DDTHH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("format" = "local-date-time")))]
#[serde(try_from = "String", into = "String")]
pub struct LocalMinute(NaiveDateTime);

impl LocalMinute {
    /// The date and time.
    #[must_use]
    pub const fn date_time(self) -> NaiveDateTime {
        self.0
    }
}

impl TryFrom<NaiveDateTime> for LocalMinute {
    type Error = HoursError;

    fn try_from(local: NaiveDateTime) -> Result<Self, HoursError> {
        LocalDate::try_from(local.date())?;
        let is_whole = local.second() == 0 && local.nanosecond() == 0;
        if is_whole { Ok(Self(local)) } else { Err(HoursError::LocalMinute(local.to_string())) }
    }
}

impl FromStr for LocalMinute {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::LocalMinute(excerpt(text));
        let (date, time) = text.split_once('T').ok_or_else(bad)?;
        let date: LocalDate = date.parse().map_err(|_| bad())?;
        let two_digits = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse::<u32>().ok() } else { None }
        };
        let (hours, minutes) = time.split_once(':').ok_or_else(bad)?;
        let (hours, minutes) = two_digits(hours).zip(two_digits(minutes)).ok_or_else(bad)?;
        let time = NaiveTime::from_hms_opt(hours, minutes, 0).ok_or_else(bad)?;
        Ok(Self(date.0.and_time(time)))
    }
}

impl fmt::Display for LocalMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%dT%H:%M").fmt(f)
    }
}

/// A local date and time in whole seconds; as text `YYYY-MM-DDTHH:MM`, with `:SS` where it has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("format" = "local-date-time")))]
#[serde(try_from = "String", into = "String")]
pub struct LocalDateTime(NaiveDateTime);

impl LocalDateTime {
    /// The date and time.
    #[must_use]
    pub const fn date_time(self) -> NaiveDateTime {
        self.0
    }
}

impl TryFrom<NaiveDateTime> for LocalDateTime {
    type Error = HoursError;

    fn try_from(local: NaiveDateTime) -> Result<Self, HoursError> {
        LocalDate::try_from(local.date())?;
        let whole = local.with_nanosecond(0);
        whole.map(Self).ok_or_else(|| HoursError::LocalDateTime(local.to_string()))
    }
}

impl FromStr for LocalDateTime {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let bad = || HoursError::LocalDateTime(excerpt(text));
        let (minute, second) = match text.len() {
            19 => text.split_at_checked(16).ok_or_else(bad)?,
            _ => (text, ":00"),
        };
        let LocalMinute(minute) = minute.parse().map_err(|_| bad())?;
        let digits = second.strip_prefix(':').ok_or_else(bad)?;
        let second = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
        let local = second.flatten().and_then(|second| minute.with_second(second));
        local.map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.0.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
        self.0.format(form).fmt(f)
    }
}

macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = HoursError;

            fn try_from(text: String) -> Result<Self, HoursError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

as_text!(LocalDate);
as_text!(LocalMinute);
as_text!(LocalDateTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_one_form_and_exists() {
        assert_eq!("2028-02-29".parse::<LocalDate>().map(String::from), Ok("2028-02-29".into()));
        for bad in ["2027-02-29", "2027-2-28", "+027-02-28", "1969-12-31", "2200-01-01", ""] {
            assert!(bad.parse::<LocalDate>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_local_minute_has_one_form_and_no_offset() {
        let minute = "2027-10-31T02:30".parse::<LocalMinute>();
        assert_eq!(minute.map(String::from), Ok("2027-10-31T02:30".into()));
        for bad in [
            "2027-10-31",
            "2027-10-31 02:30",
            "2027-10-31T2:30",
            "2027-10-31T24:00",
            "2027-10-31T02:60",
            "2027-10-31T02:30:00",
            "2027-10-31T02:30Z",
            "2027-02-29T02:30",
        ] {
            assert!(bad.parse::<LocalMinute>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_local_time_has_seconds_where_it_needs_them() {
        let shown = |text: &str| text.parse::<LocalDateTime>().map(String::from);
        assert_eq!(shown("2027-10-31T02:30"), Ok("2027-10-31T02:30".into()));
        assert_eq!(shown("2027-10-31T02:30:00"), Ok("2027-10-31T02:30".into()));
        assert_eq!(shown("2027-10-31T02:30:09"), Ok("2027-10-31T02:30:09".into()));
        for bad in [
            "2027-10-31",
            "2027-10-31T02:30:60",
            "2027-10-31T02:30:+1",
            "2027-10-31T02:30:0å",
            "2027-10-31T02:30:00Z",
            "2027-10-31T02:30:00.5",
            "2200-01-01T00:00:00",
        ] {
            assert!(shown(bad).is_err(), "{bad:?}");
        }
    }
}
