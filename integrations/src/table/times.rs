//! Times as tables have them. A form that could be read in two ways is not read.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A time, and whether it says in which zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableTime {
    Instant(DateTime<Utc>),
    Local(NaiveDateTime),
}

/// `01/02/2027` is none: with a clock of twelve hours it is America's, else nobody knows.
const DAYS: [&str; 5] = ["%Y-%m-%d", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y", "%Y/%m/%d"];
const DAYS_BEFORE_NOON: [&str; 1] = ["%m/%d/%Y"];
const TIMES: [&str; 2] = ["%H:%M", "%H:%M:%S"];
const TIMES_BEFORE_NOON: [&str; 4] = ["%I:%M %p", "%I:%M%p", "%I:%M:%S %p", "%I %p"];

/// A day and a time of it, in one field.
pub(super) fn date_time(text: &str) -> Option<TableTime> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Ok(at) = DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Some(TableTime::Instant(at.to_utc()));
    }
    let read = |day: &str, time: &str| {
        ["T", " ", ", ", " at "].into_iter().find_map(|between| {
            NaiveDateTime::parse_from_str(&text, &format!("{day}{between}{time}")).ok()
        })
    };
    let of = |days: &[&str], times: &[&str]| {
        days.iter().find_map(|day| times.iter().find_map(|time| read(day, time)))
    };
    of(&DAYS, &TIMES)
        .or_else(|| of(&DAYS, &TIMES_BEFORE_NOON))
        .or_else(|| of(&DAYS_BEFORE_NOON, &TIMES_BEFORE_NOON))
        .map(TableTime::Local)
}

/// A day by itself.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    DAYS.into_iter().find_map(|form| NaiveDate::parse_from_str(text.trim(), form).ok())
}

/// A time of day by itself.
pub(super) fn time(text: &str) -> Option<NaiveTime> {
    let mut forms = TIMES.into_iter().chain(TIMES_BEFORE_NOON);
    forms.find_map(|form| NaiveTime::parse_from_str(text.trim(), form).ok())
}

/// A number of minutes: `45`, `45 min`, or `1:30`.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches(|c: char| c.is_alphabetic() || c == '.').trim();
    match text.split_once(':') {
        Some((hours, minutes)) => {
            let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
            hours.checked_mul(60)?.checked_add(minutes)
        }
        None => text.parse().ok(),
    }
}
