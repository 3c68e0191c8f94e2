//! Holidays that recur: the days of a yearly rule (RFC 5545 §3.3.10) in a bounded number of years.

use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use super::super::{
    error::RefusalReason,
    properties::{Properties, Value},
    text::excerpt,
};
use super::{date_of, out_of_range};

/// The parts of a rule that name days. Those that name times of day may not stand in the rule of an
/// all-day event, and could make an endless number of instances.
const DAYS: [&str; 11] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYSETPOS",
    "WKST",
];

/// Far more than there are days in the requested years.
const MAX_INSTANCES: u16 = 4_000;

/// The first day of each instance, and a text that says which instance it is. That is the number in
/// its year, not the date: so a rule that is corrected moves its days.
pub(super) fn occurrences(
    properties: &Properties,
    start: NaiveDate,
    years: &RangeInclusive<i32>,
) -> Result<Vec<(NaiveDate, String)>, RefusalReason> {
    let mut rules = properties.all("RRULE");
    let Some(rule) = rules.next() else { return once(properties, start) };
    if rules.next().is_some() {
        return Err(RefusalReason::Repeated { property: "RRULE" });
    }
    for property in ["RDATE", "EXRULE"] {
        if properties.get(property).is_some() {
            return Err(RefusalReason::Recurring { property });
        }
    }
    let mut left_out = Vec::new();
    for item in properties.all("EXDATE").flat_map(Value::list) {
        left_out.push(date_of("EXDATE", item.trim())?);
    }
    let mut found: Vec<(NaiveDate, String)> = Vec::new();
    let (mut year, mut number) = (0, 0);
    for date in dates(rule.text.trim(), start, years)? {
        number = if date.year() == year { number + 1 } else { 0 };
        year = date.year();
        if !left_out.contains(&date) {
            found.push((date, format!("{year} {number}")));
        }
    }
    Ok(found)
}

fn once(
    properties: &Properties,
    start: NaiveDate,
) -> Result<Vec<(NaiveDate, String)>, RefusalReason> {
    match properties.recurrence() {
        Some(property) => Err(RefusalReason::Recurring { property }),
        None => Ok(vec![(start, String::new())]),
    }
}

fn dates(
    rule: &str,
    start: NaiveDate,
    years: &RangeInclusive<i32>,
) -> Result<Vec<NaiveDate>, RefusalReason> {
    let bad = || RefusalReason::BadRule { value: excerpt(rule) };
    let midnight =
        |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc().with_timezone(&Tz::UTC);
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or_else(bad);
    let (first, last) = (day(*years.start(), 1, 1)?, day(*years.end(), 12, 31)?);
    if !(1900..=2199).contains(&start.year()) {
        return Err(out_of_range("DTSTART", start));
    }
    let rule: RRule<Unvalidated> = in_utc(rule).ok_or_else(bad)?.parse().map_err(|_| bad())?;
    let rule = rule.validate(midnight(start)).map_err(|_| bad())?;
    let set = RRuleSet::new(midnight(start)).rrule(rule);
    let instances = set.after(midnight(first)).before(midnight(last)).all(MAX_INSTANCES);
    Ok(instances.dates.iter().map(DateTime::date_naive).collect())
}

/// The rule as it is for a start at midnight UTC, if it is a yearly rule of days.
fn in_utc(rule: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in rule.trim_end_matches(';').split(';') {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
        if !DAYS.contains(&name.as_str()) || name == "FREQ" && value != "YEARLY" {
            return None;
        }
        // Its time, if it has one, is without meaning where instances are whole days.
        let value = match value.get(..8) {
            Some(date) if name == "UNTIL" => format!("{date}T000000Z"),
            _ => value,
        };
        parts.push(format!("{name}={value}"));
    }
    Some(parts.join(";"))
}
