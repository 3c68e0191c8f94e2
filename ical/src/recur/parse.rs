//! Reading a rule. What programs write beside the RFC and mean all the same is read: lower case,
//! spaces, a `;` at the end, an interval of 0, a negative count for none.

use std::str::FromStr;

use chrono::Weekday;

use super::{By, Day, Frequency, Rule, RuleError, until};
use crate::text::excerpt;

/// More values than any part can have.
const MAX_VALUES: usize = 400;

/// So long that the next period is past the end of any calendar.
const MAX_INTERVAL: u32 = 1_000_000_000;

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut frequency = None;
        let mut rule = Self {
            frequency: Frequency::Yearly,
            interval: 1,
            count: None,
            until: None,
            by: By::default(),
            week_start: Weekday::Mon,
        };
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let bad = || RuleError::Part { part: excerpt(part) };
            let (name, value) = part.split_once('=').ok_or_else(bad)?;
            let (name, value) =
                (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            if name == "FREQ" {
                frequency = Some(frequency_of(&value).ok_or_else(bad)?);
            } else if !name.starts_with("X-") {
                rule.set(&name, &value).ok_or_else(bad)?;
            }
        }
        let frequency = frequency.ok_or(RuleError::NoFrequency)?;
        Ok(Self { frequency, ..rule })
    }
}

impl Rule {
    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let by = &mut self.by;
        match name {
            "INTERVAL" => self.interval = value.parse::<u32>().ok()?.clamp(1, MAX_INTERVAL),
            "COUNT" if value.starts_with('-') => self.count = None,
            "COUNT" => self.count = Some(value.parse().ok().filter(|count| *count > 0)?),
            "UNTIL" => self.until = Some(until(value)?),
            "WKST" => self.week_start = weekday(value)?,
            "BYSECOND" => {
                by.seconds = numbers(value, 0..=60)?.into_iter().map(|s| s.min(59)).collect();
            }
            "BYMINUTE" => by.minutes = numbers(value, 0..=59)?,
            "BYHOUR" => by.hours = numbers(value, 0..=23)?,
            "BYDAY" => by.days = values(value, day)?,
            "BYMONTHDAY" => by.month_days = signed(value, 31)?,
            "BYYEARDAY" => by.year_days = signed(value, 366)?,
            "BYWEEKNO" => by.weeks = signed(value, 53)?,
            "BYMONTH" => by.months = numbers(value, 1..=12)?,
            "BYSETPOS" => by.positions = signed(value, 366)?,
            // RFC 7529: these two say what is so anyhow.
            "RSCALE" if value == "GREGORIAN" => {}
            "SKIP" if value == "OMIT" => {}
            _ => return None,
        }
        Some(())
    }
}

fn frequency_of(value: &str) -> Option<Frequency> {
    Some(match value {
        "SECONDLY" => Frequency::Secondly,
        "MINUTELY" => Frequency::Minutely,
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        _ => return None,
    })
}

fn values<T>(list: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    let read: Vec<T> = items.take(MAX_VALUES + 1).map(read).collect::<Option<_>>()?;
    (1..=MAX_VALUES).contains(&read.len()).then_some(read)
}

fn numbers(list: &str, range: std::ops::RangeInclusive<u32>) -> Option<Vec<u32>> {
    let mut read = values(list, |item| item.parse().ok().filter(|number| range.contains(number)))?;
    read.sort_unstable();
    read.dedup();
    Some(read)
}

/// Numbers from -max to max but for 0: the negative ones count from the end.
fn signed(list: &str, max: i32) -> Option<Vec<i32>> {
    values(list, |item| {
        item.parse::<i32>().ok().filter(|number| *number != 0 && (-max..=max).contains(number))
    })
}

fn day(item: &str) -> Option<Day> {
    let at = item.len().checked_sub(2)?;
    let (ordinal, name) = (item.get(..at)?.trim(), item.get(at..)?);
    let weekday = weekday(name)?;
    let ordinal = if ordinal.is_empty() { 0 } else { ordinal.parse().ok()? };
    (-53..=53).contains(&ordinal).then_some(Day { ordinal, weekday })
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}
