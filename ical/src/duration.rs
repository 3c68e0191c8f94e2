//! DURATION values (RFC 5545 §3.3.6).

use chrono::TimeDelta;

/// Nine digits of any unit are still far from the limits of 64 bits.
const MAX_DIGITS: usize = 9;

/// A duration as written. Days are kept apart from the rest because a day is as long as the calendar
/// makes it (23 or 25 hours when clocks change), while an hour is always an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// Whole days; weeks are seven each.
    pub days: TimeDelta,
    /// Hours, minutes and seconds.
    pub exact: TimeDelta,
}

impl Duration {
    /// Reads `[+|-]P…`: weeks and days, then hours, minutes and seconds. `None`: it is not that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let text = text.strip_prefix('P')?;
        let (days, seconds) = match text.split_once('T') {
            // Some write `P1DT` for a day.
            Some((date, "")) if !date.is_empty() => (total(date, &DAYS)?, 0),
            Some(("", time)) => (0, total(time, &SECONDS)?),
            Some((date, time)) => (total(date, &DAYS)?, total(time, &SECONDS)?),
            None => (total(text, &DAYS)?, 0),
        };
        Some(Self {
            days: TimeDelta::try_days(sign * days)?,
            exact: TimeDelta::try_seconds(sign * seconds)?,
        })
    }

    /// All of it, with days of 24 hours.
    #[must_use]
    pub fn nominal(self) -> TimeDelta {
        self.days + self.exact
    }
}

const DAYS: [(char, i64); 2] = [('W', 7), ('D', 1)];
const SECONDS: [(char, i64); 3] = [('H', 3600), ('M', 60), ('S', 1)];

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
        Duration::parse(text)
            .map(|duration| (duration.days.num_days(), duration.exact.num_seconds()))
    }

    #[test]
    fn days_and_exact_time_are_kept_apart() {
        assert_eq!(parsed("PT1H30M"), Some((0, 5400)));
        assert_eq!(parsed("P15DT5H0M20S"), Some((15, 18_020)));
        assert_eq!(parsed("+P7W"), Some((49, 0)));
        assert_eq!(parsed("-PT15M"), Some((0, -900)));
        assert_eq!(parsed(" pt1h5s"), Some((0, 3605)));
        assert_eq!(parsed("P1DT"), Some((1, 0)));
        assert_eq!(parsed("PT86400S"), Some((0, 86_400)));
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
            "PT5M1H",
            "PT1H1H",
            "P1Y",
            "PT1.5H",
            "PT9999999999S",
            "--PT1H",
            "PT-1H",
            "PT1 H",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }
}
