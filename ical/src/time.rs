//! DATE and DATE-TIME values in their forms (RFC 5545 §3.3.4, §3.3.5): a day, a local time, UTC.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::property::Property;
use crate::zone::{Zone, Zones};
use crate::{Fault, text::excerpt};

/// A value as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Day(NaiveDate),
    Local(NaiveDateTime),
    Utc(NaiveDateTime),
}

/// Reads a value, whichever form it has.
pub(crate) fn read(text: &str) -> Option<Form> {
    let text = text.trim();
    if let Some(day) = date(text) {
        return Some(Form::Day(day));
    }
    match text.strip_suffix(['Z', 'z']) {
        // Of a day there is no UTC; Google has exported birthdays so.
        Some(utc) => date_time(utc).map(Form::Utc).or_else(|| date(utc).map(Form::Day)),
        None => date_time(text).map(Form::Local),
    }
}

/// When something begins or ends: on a day, or at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// A whole day, in whatever zone the calendar is.
    Day(NaiveDate),
    Time(Time),
}

/// A time in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// What clocks there show.
    pub local: NaiveDateTime,
    pub zone: Zone,
    pub instant: DateTime<Utc>,
}

impl Time {
    /// What clocks in a zone call so.
    #[must_use]
    pub fn at(local: NaiveDateTime, zone: &Zone) -> Self {
        Self { local, zone: zone.clone(), instant: zone.instant(local) }
    }

    /// An instant, as clocks in a zone show it.
    #[must_use]
    pub fn of(instant: DateTime<Utc>, zone: &Zone) -> Self {
        Self { local: zone.local(instant), zone: zone.clone(), instant }
    }
}

impl Moment {
    /// Reads a property that is one moment.
    ///
    /// # Errors
    /// When its value is none, or is in a zone that is not known.
    pub fn read(property: &Property, zones: &Zones) -> Result<Self, Fault> {
        Self::of(&property.value, property, zones)
    }

    /// Reads one value of a property that may have several.
    pub(crate) fn of(value: &str, property: &Property, zones: &Zones) -> Result<Self, Fault> {
        let form = read(value).ok_or_else(|| bad_time(value, property))?;
        let named = property.parameter("TZID").map(str::trim).filter(|name| !name.is_empty());
        match form {
            Form::Day(day) => Ok(Self::Day(day)),
            // Some write midnight where they mean the day.
            Form::Local(local) if property.is_of_type("DATE") => Ok(Self::Day(local.date())),
            // The `Z` says when it is; what stands beside it can only say where it is shown.
            Form::Utc(utc) => {
                let zone = named.and_then(|name| zones.named(name).ok());
                let zone = zone.unwrap_or_else(|| zones.shown_for_utc());
                Ok(Self::Time(Time::of(utc.and_utc(), &zone)))
            }
            Form::Local(local) => {
                let zone = match named {
                    Some(name) => zones.named(name)?,
                    None => zones.floating(&property.name)?,
                };
                Ok(Self::Time(Time::at(local, &zone)))
            }
        }
    }

    /// The date that a wall calendar there shows.
    #[must_use]
    pub fn date(&self) -> NaiveDate {
        match self {
            Self::Day(day) => *day,
            Self::Time(time) => time.local.date(),
        }
    }
}

pub(crate) fn bad_time(value: &str, property: &Property) -> Fault {
    Fault::BadTime { property: property.name.clone(), value: excerpt(value.trim()) }
}

/// `YYYYMMDD`, also with hyphens.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let compact;
    let digits = match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => {
            compact = text.replace('-', "");
            &compact
        }
        _ => text,
    };
    if !is_digits(digits, 8) {
        return None;
    }
    let year = digits[..4].parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(&digits[4..6])?, number(&digits[6..])?)
}

/// `YYYYMMDDThhmmss`; the seconds may be missing. A leap second is read as the second before it, as
/// §3.3.12 asks of those who do not keep leap seconds, and 24:00 as the next midnight.
fn date_time(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_once(['T', 't'])?;
    if !is_digits(time, 6) && !is_digits(time, 4) {
        return None;
    }
    let date = date(day)?;
    let (hour, minute) = (number(&time[..2])?, number(&time[2..4])?);
    let second = if time.len() == 6 { number(&time[4..])? } else { 0 };
    if (hour, minute, second) == (24, 0, 0) {
        return date.checked_add_days(Days::new(1)).map(|next| next.and_time(NaiveTime::MIN));
    }
    date.and_hms_opt(hour, minute, if second == 60 { 59 } else { second })
}

/// `[+|-]hhmm[ss]`, as the seconds east of UTC (RFC 5545 §3.3.14).
pub(crate) fn utc_offset(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace(':', "");
    if !is_digits(&digits, 4) && !is_digits(&digits, 6) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), number);
    let seconds = part(0)? * 3600 + part(2)? * 60 + part(4)?;
    (seconds < 86_400).then(|| TimeDelta::seconds(sign * i64::from(seconds)))
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_is_eight_digits_a_t_and_six_digits() {
        let read = |text| date_time(text).map(|time| time.to_string());
        assert_eq!(read("20170425T093000").as_deref(), Some("2017-04-25 09:30:00"));
        assert_eq!(read("20170425t0930").as_deref(), Some("2017-04-25 09:30:00"));
        assert_eq!(read("20161231T235960").as_deref(), Some("2016-12-31 23:59:59"));
        assert_eq!(read("20161231T240000").as_deref(), Some("2017-01-01 00:00:00"));
        for text in [
            "",
            "20170425",
            "20170425T09",
            "20170431T093000",
            "20170425T243000",
            "20170425T096000",
            "20170425T093061",
            "+0170425T093000",
            "2017042T5093000",
            "２０１７0425T093000",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_date_is_eight_digits() {
        assert_eq!(date("20270229"), None);
        assert_eq!(date("20280229"), date("2028-02-29"));
        assert!(date("20280229").is_some());
        assert_eq!(date("202802-2-9"), None);
    }

    #[test]
    fn an_offset_is_hours_minutes_and_perhaps_seconds() {
        let seconds = |text| utc_offset(text).map(|offset| offset.num_seconds());
        assert_eq!(seconds("+0100"), Some(3600));
        assert_eq!(seconds("-0330"), Some(-12_600));
        assert_eq!(seconds("+01:00"), Some(3600));
        assert_eq!(seconds("-002030"), Some(-1230));
        for text in ["", "+1", "+24000", "+2400", "east"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
