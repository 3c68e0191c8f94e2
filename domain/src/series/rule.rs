//! The value of an RRULE (RFC 5545 section 3.3.10), looked into.

use serde::{Deserialize, Serialize};

use super::rule_value::{self as value, Day, Until};

/// Why a text is no rule that a series can be booked by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum RuleError {
    /// It is not `NAME=VALUE;NAME=VALUE`.
    #[error("a rule is parts like FREQ=WEEKLY, with semicolons between them")]
    NotARule,
    /// There is no such part.
    #[error("a rule has no part {part}")]
    UnknownPart {
        /// The name that was given, or the beginning of it.
        part: String,
    },
    /// Each part is given once.
    #[error("{part} is given more than once")]
    RepeatedPart { part: String },
    /// The part has another form, or is out of its range.
    #[error("{part} is not a value that it can have")]
    BadValue { part: String },
    /// Nothing says how often.
    #[error("a rule has FREQ")]
    NoFrequency,
    /// A series recurs on days.
    #[error("FREQ is DAILY, WEEKLY, MONTHLY or YEARLY; BYHOUR and BYMINUTE give times of a day")]
    TooFrequent,
    /// The part has no meaning beside the others.
    #[error("{part} does not go with the other parts")]
    OutOfPlace { part: String },
    /// It goes on for ever.
    #[error("a rule ends: by COUNT or UNTIL")]
    Endless,
    /// It ends in two ways.
    #[error("a rule has COUNT or UNTIL, not both")]
    EndsTwice,
}

/// How often a rule recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Count(u32),
    Until(Until),
}

/// A rule that is finite, and has each part in a place where RFC 5545 gives it a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// All but the end, in capitals.
    pub(super) parts: Vec<(&'static str, String)>,
    pub(super) end: End,
}

/// The parts that can be lists of days or times.
const BY: [&str; 9] = [
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYDAY",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYMONTH",
    "BYSETPOS",
];

const ONE: [&str; 5] = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"];

/// The longest interval; beyond it lies the end of the calendar, or a mistake.
const MAX_INTERVAL: u32 = 1_000;

/// The most times of a day: no series has more.
const MAX_TIMES: usize = super::MAX_OCCURRENCES;

impl Rule {
    /// Looks into a rule.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, RuleError> {
        let given = Given::parse(text)?;
        let frequency = given.frequency()?;
        given.check_values()?;
        given.check_places(frequency)?;
        let end = given.end()?;
        let days = given.get("BYDAY").and_then(value::days).unwrap_or_default();
        let mut parts = given.parts;
        parts.retain(|(name, _)| !matches!(*name, "COUNT" | "UNTIL"));
        for (name, text) in &mut parts {
            if *name == "BYDAY" {
                *text = alike(&days, frequency);
            }
        }
        Ok(Self { parts, end })
    }

    /// Whether it says which weeks, but not on which days: then it is on the start's.
    pub(super) fn leaves_weekday_open(&self) -> bool {
        let has = |names: &[&str]| self.parts.iter().any(|(name, _)| names.contains(name));
        has(&["BYWEEKNO"]) && !has(&["BYDAY", "BYMONTHDAY", "BYYEARDAY"])
    }
}

/// Every Monday and the first Tuesday are, of a month or year, all Mondays by number and the first
/// Tuesday. The expansion takes numbers or none, not both.
fn alike(days: &[Day], frequency: Frequency) -> String {
    let numbered = days.iter().any(|day| day.number.is_some());
    let of_all = if frequency == Frequency::Monthly { 5 } else { 53 };
    let texts = days.iter().flat_map(|day| match day.number {
        None if numbered => (1..=of_all).map(|n| format!("{n}{}", day.name)).collect(),
        None => vec![day.name.clone()],
        Some(number) => vec![format!("{number}{}", day.name)],
    });
    texts.collect::<Vec<_>>().join(",")
}

/// The parts as they were given.
struct Given {
    parts: Vec<(&'static str, String)>,
}

impl Given {
    fn parse(text: &str) -> Result<Self, RuleError> {
        let mut parts: Vec<(&'static str, String)> = Vec::new();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').ok_or(RuleError::NotARule)?;
            let known = ONE.iter().chain(&BY).find(|known| known.eq_ignore_ascii_case(name));
            let name = *known
                .ok_or_else(|| RuleError::UnknownPart { part: name.chars().take(40).collect() })?;
            if parts.iter().any(|(given, _)| *given == name) {
                return Err(RuleError::RepeatedPart { part: name.to_owned() });
            }
            parts.push((name, value.to_ascii_uppercase()));
        }
        Ok(Self { parts })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    fn frequency(&self) -> Result<Frequency, RuleError> {
        match self.get("FREQ").ok_or(RuleError::NoFrequency)? {
            "DAILY" => Ok(Frequency::Daily),
            "WEEKLY" => Ok(Frequency::Weekly),
            "MONTHLY" => Ok(Frequency::Monthly),
            "YEARLY" => Ok(Frequency::Yearly),
            "HOURLY" | "MINUTELY" | "SECONDLY" => Err(RuleError::TooFrequent),
            _ => Err(bad("FREQ")),
        }
    }

    fn check_values(&self) -> Result<(), RuleError> {
        for (name, text) in &self.parts {
            let fits = match *name {
                "INTERVAL" => value::number(text).is_some_and(|n| (1..=MAX_INTERVAL).contains(&n)),
                "WKST" => value::weekday(text).is_some(),
                "BYSECOND" | "BYMINUTE" => value::numbers(text, 0, 59),
                "BYHOUR" => value::numbers(text, 0, 23),
                "BYDAY" => value::days(text).is_some(),
                "BYMONTHDAY" => value::numbers_from_either_end(text, 31),
                "BYYEARDAY" | "BYSETPOS" => value::numbers_from_either_end(text, 366),
                "BYWEEKNO" => value::numbers_from_either_end(text, 53),
                "BYMONTH" => value::numbers(text, 1, 12),
                // Read apart.
                _ => true,
            };
            if !fits {
                return Err(bad(name));
            }
        }
        let times = ["BYSECOND", "BYMINUTE", "BYHOUR"]
            .iter()
            .map(|name| self.get(name).map_or(1, |text| text.split(',').count()));
        if times.product::<usize>() > MAX_TIMES { Err(bad("BYHOUR")) } else { Ok(()) }
    }

    /// What the RFC says in its table of which part goes with which frequency.
    fn check_places(&self, frequency: Frequency) -> Result<(), RuleError> {
        let has = |name: &str| self.get(name).is_some();
        let out_of_place = |part: &str| Err(RuleError::OutOfPlace { part: part.to_owned() });
        if has("BYWEEKNO") && frequency != Frequency::Yearly {
            return out_of_place("BYWEEKNO");
        }
        if has("BYYEARDAY") && frequency != Frequency::Yearly {
            return out_of_place("BYYEARDAY");
        }
        if has("BYMONTHDAY") && frequency == Frequency::Weekly {
            return out_of_place("BYMONTHDAY");
        }
        let days = self.get("BYDAY").and_then(value::days).unwrap_or_default();
        // From the end, the expansion knows one less than there may be.
        let numbers = match frequency {
            Frequency::Monthly => -4..=5,
            Frequency::Yearly if !has("BYWEEKNO") => -52..=53,
            _ => 0..=0,
        };
        if !days.iter().filter_map(|day| day.number).all(|number| numbers.contains(&number)) {
            return out_of_place("BYDAY");
        }
        let others = BY.iter().filter(|name| **name != "BYSETPOS");
        if has("BYSETPOS") && others.into_iter().all(|name| !has(name)) {
            return out_of_place("BYSETPOS");
        }
        Ok(())
    }

    fn end(&self) -> Result<End, RuleError> {
        match (self.get("COUNT"), self.get("UNTIL")) {
            (None, None) => Err(RuleError::Endless),
            (Some(_), Some(_)) => Err(RuleError::EndsTwice),
            (Some(count), None) => {
                let count = value::number(count).filter(|count| *count > 0);
                count.map(End::Count).ok_or_else(|| bad("COUNT"))
            }
            (None, Some(until)) => value::until(until).map(End::Until).ok_or_else(|| bad("UNTIL")),
        }
    }
}

fn bad(part: &str) -> RuleError {
    RuleError::BadValue { part: part.to_owned() }
}
