//! DURATION values (RFC 5545 §3.3.6).

use chrono::TimeDelta;

/// Nine digits of any unit are still far from the limits of 64 bits.
const MAX_DIGITS: usize = 9;

/// A duration as written. Days are kept apart from the rest because a day is as long as the calendar
/// makes it (23 or 25 hours when clocks change), while an hour is always an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CalendarDuration {
    pub(super) days: TimeDelta,
    pub(super) exact: TimeDelta,
}

impl CalendarDuration {
    /// Reads `[+|-]P…`: weeks and days, then hours, minutes and seconds. None if it is not that.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let text = text.strip_prefix('P')?;
        let (days, seconds) = match text.split_once('T') {
            Some(("", time)) => (0, seconds(time)?),
            Some((date, time)) => (days(date)?, seconds(time)?),
            None => (days(text)?, 0),
        };
        Some(Self {
            days: TimeDelta::try_days(sign * days)?,
            exact: TimeDelta::try_seconds(sign * seconds)?,
        })
    }
}

fn days(text: &str) -> Option<i64> {
    total(text, &[('W', 7), ('D', 1)])
}

fn seconds(text: &str) -> Option<i64> {
    total(text, &[('H', 3600), ('M', 60), ('S', 1)])
}

/// The sum of one or more amounts, each with a unit, in the order of the units.
fn total(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut units = units.iter();
    let mut total = 0;
    loop {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        if digits > MAX_DIGITS {
            return None;
        }
        let (amount, rest) = text.split_at(digits);
        let mut after_unit = rest.chars();
        let unit = after_unit.next()?;
        let (_, size) = units.find(|(name, _)| *name == unit)?;
        total += amount.parse::<i64>().ok()? * size;
        text = after_unit.as_str();
        if text.is_empty() {
            return Some(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(i64, i64)> {
        CalendarDuration::parse(text)
            .map(|duration| (duration.days.num_days(), duration.exact.num_seconds()))
    }

    #[test]
    fn days_and_exact_time_are_kept_apart() {
        assert_eq!(parsed("PT1H30M"), Some((0, 5400)));
        assert_eq!(parsed("P15DT5H0M20S"), Some((15, 18_020)));
        assert_eq!(parsed("+P7W"), Some((49, 0)));
        assert_eq!(parsed("-PT15M"), Some((0, -900)));
        assert_eq!(parsed("PT1H5S"), Some((0, 3605)));
    }

    #[test]
    fn what_is_not_a_duration_is_none() {
        for text in [
            "",
            "P",
            "PT",
            "1H",
            "P1H",
            "PT1D",
            "PT1",
            "PTH",
            "P1DT",
            "PT5M1H",
            "PT1H1H",
            "P1Y",
            "PT1.5H",
            "PT9999999999S",
            "--PT1H",
            "PT-1H",
            "PT1H ",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }
}
