//! Rules of recurrence (RFC 5545 §3.3.10), in local time: a rule knows nothing of zones.
//!
//! Not built on the crate `rrule`: that reads zones into the expansion (and only those of the IANA
//! database, not a calendar's own), takes `BYWEEKNO` without `BYDAY` for all seven days, and bounds
//! its work by loops of its own, silently.

mod days;
mod expansion;
mod parse;
#[cfg(test)]
mod tests;

use chrono::{NaiveDate, NaiveDateTime, Weekday};
use thiserror::Error;

pub use expansion::{Expansion, TooMuchWork};

use crate::time::{self, Form};

/// A rule of recurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(crate) frequency: Frequency,
    pub(crate) interval: u32,
    /// How many occurrences it has at most.
    pub(crate) count: Option<u32>,
    /// When its last occurrence is at the latest.
    pub(crate) until: Option<Until>,
    pub(crate) by: By,
    pub(crate) week_start: Weekday,
}

/// How often a rule has a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Frequency {
    Secondly,
    Minutely,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// The parts of a rule that name occurrences within a period, or leave some out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct By {
    pub(crate) seconds: Vec<u32>,
    pub(crate) minutes: Vec<u32>,
    pub(crate) hours: Vec<u32>,
    pub(crate) days: Vec<Day>,
    pub(crate) month_days: Vec<i32>,
    pub(crate) year_days: Vec<i32>,
    pub(crate) weeks: Vec<i32>,
    pub(crate) months: Vec<u32>,
    pub(crate) positions: Vec<i32>,
}

/// A day of the week, and which of them in a month or year; 0: each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) ordinal: i32,
    pub(crate) weekday: Weekday,
}

/// When a rule ends. It is to be of the form that the start has, and often is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The last day, all of it.
    Day(NaiveDate),
    /// A local time, in the zone of the start.
    Local(NaiveDateTime),
    /// A time in UTC.
    Utc(NaiveDateTime),
}

impl Rule {
    /// Whether the rule goes on as far as this occurrence: `utc` is when it is in UTC, `None` for a
    /// whole day.
    #[must_use]
    pub fn reaches(&self, local: NaiveDateTime, utc: Option<NaiveDateTime>) -> bool {
        match self.until {
            None => true,
            Some(Until::Day(day)) => local.date() <= day,
            Some(Until::Local(until) | Until::Utc(until)) if utc.is_none() => {
                local.date() <= until.date()
            }
            Some(Until::Local(until)) => local <= until,
            Some(Until::Utc(until)) => utc.is_none_or(|utc| utc <= until),
        }
    }

    /// Whether the rule itself has an end.
    #[must_use]
    pub const fn ends(&self) -> bool {
        self.count.is_some() || self.until.is_some()
    }

    /// Whether it names no time of day, and so makes at most one occurrence a day.
    #[must_use]
    pub fn is_of_days(&self) -> bool {
        let By { seconds, minutes, hours, .. } = &self.by;
        self.frequency >= Frequency::Daily
            && [seconds, minutes, hours].into_iter().all(Vec::is_empty)
    }

    /// Whether its period is the year.
    #[must_use]
    pub fn is_yearly(&self) -> bool {
        self.frequency == Frequency::Yearly
    }

    /// Its occurrences from `start` on and before `end`, in order. It does not look at UNTIL, which
    /// needs a zone: see [`Rule::reaches`]. The start itself is among them only where the rule names it.
    #[must_use]
    pub fn expand(&self, start: NaiveDateTime, end: NaiveDateTime) -> Expansion {
        Expansion::new(self, start, end)
    }
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// It has no frequency.
    #[error("it has no FREQ")]
    NoFrequency,
    /// A part of it is not understood.
    #[error("{part} is not understood")]
    Part {
        /// The part, shortened.
        part: String,
    },
}

fn until(text: &str) -> Option<Until> {
    Some(match time::read(text)? {
        Form::Day(day) => Until::Day(day),
        Form::Local(local) => Until::Local(local),
        Form::Utc(utc) => Until::Utc(utc),
    })
}
