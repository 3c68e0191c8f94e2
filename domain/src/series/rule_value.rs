//! The values of a rule's parts. `None`, or `false`: it is not one.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::time::resolve_local;

/// A weekday, and which of them in its month or year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) number: Option<i16>,
    pub(super) name: String,
}

/// The last moment at which there can be an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The end of a local day.
    Day(NaiveDate),
    /// A local time.
    Local(NaiveDateTime),
    /// An instant.
    Utc(DateTime<Utc>),
}

impl Until {
    /// Whether an occurrence can be then.
    pub(super) fn allows(self, local: NaiveDateTime, zone: Tz) -> bool {
        match self {
            Self::Day(last) => local.date() <= last,
            Self::Local(last) => local <= last,
            Self::Utc(last) => resolve_local(zone, local) <= last,
        }
    }

    /// A local date on or after the last one in any zone.
    pub(super) fn date(self) -> NaiveDate {
        match self {
            Self::Day(last) => last,
            Self::Local(last) => last.date(),
            Self::Utc(last) => last.date_naive(),
        }
    }
}

/// A number without a sign.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// A number, which may have a sign.
fn signed(text: &str) -> Option<i16> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let size = number(digits).and_then(|size| i16::try_from(size).ok())?;
    Some(if text.starts_with('-') { -size } else { size })
}

/// Numbers, all of them from `min` to `max`.
pub(super) fn numbers(text: &str, min: u32, max: u32) -> bool {
    text.split(',').all(|one| number(one).is_some_and(|n| (min..=max).contains(&n)))
}

/// Numbers from the beginning of something that has so many, or with a minus from its end.
pub(super) fn numbers_from_either_end(text: &str, max: i16) -> bool {
    text.split(',').all(|one| signed(one).is_some_and(|n| n != 0 && n.abs() <= max))
}

pub(super) fn weekday(text: &str) -> Option<&str> {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].contains(&text).then_some(text)
}

pub(super) fn days(text: &str) -> Option<Vec<Day>> {
    let day = |text: &str| {
        let (number, name) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let name = weekday(name)?.to_owned();
        let number = match number {
            "" => None,
            number => Some(signed(number).filter(|n| *n != 0 && n.abs() <= 53)?),
        };
        Some(Day { number, name })
    };
    text.split(',').map(day).collect()
}

/// A date, a local time, or with a `Z` an instant (RFC 5545 sections 3.3.4 and 3.3.5).
pub(super) fn until(text: &str) -> Option<Until> {
    let Some((date, time)) = text.split_once('T') else { return date(text).map(Until::Day) };
    let date = self::date(date)?;
    Some(match time.strip_suffix('Z') {
        None => Until::Local(date.and_time(self::time(time)?)),
        Some(time) => Until::Utc(NaiveDateTime::new(date, self::time(time)?).and_utc()),
    })
}

fn date(text: &str) -> Option<NaiveDate> {
    let (year, month, day) = three(text, [4, 2, 2])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn time(text: &str) -> Option<NaiveTime> {
    let (hour, minute, second) = three(text, [2, 2, 2])?;
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Three numbers of so many digits.
fn three(text: &str, [first, second, third]: [usize; 3]) -> Option<(u32, u32, u32)> {
    let whole = text.len() == first + second + third && text.is_ascii();
    let part = |from: usize, length: usize| number(text.get(from..from + length)?);
    let parts = || Some((part(0, first)?, part(first, second)?, part(first + second, third)?));
    whole.then(parts).flatten()
}
