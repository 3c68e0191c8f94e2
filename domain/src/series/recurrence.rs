//! When a series recurs, as local times.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::rule::{End, Rule, RuleError};
use super::{MAX_OCCURRENCES, RecurrenceId, SeriesRefusal};
use crate::RuleText;
use crate::time::{HoursError, LocalDate, LocalDateTime, resolve_local};

/// The most occurrences that a rule can have before any are left out: a rule is not followed for
/// ever to find enough that are not.
const MAX_OF_A_RULE: usize = 2 * MAX_OCCURRENCES;

/// When a series recurs: a first occurrence, a rule, and what is left out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recurrence {
    pub rrule: RuleText,
    /// The local start of the first occurrence (DTSTART).
    pub dtstart: LocalDateTime,
    /// The zone in which times are local.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
    /// What is left out.
    #[serde(default, skip_serializing_if = "Exdates::is_empty")]
    pub exdates: Exdates,
}

/// What is left out of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub enum Exdate {
    /// Whatever is on this day, which may be nothing: it may be a holiday.
    Day(LocalDate),
    /// One occurrence.
    At(LocalDateTime),
}

/// At most as many as a series has occurrences.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Exdate>", into = "Vec<Exdate>")]
pub struct Exdates(Vec<Exdate>);

impl Recurrence {
    /// Every occurrence, in order: one at least, and at most [`MAX_OCCURRENCES`].
    ///
    /// # Errors
    /// Why there are none, or not these.
    pub fn occurrences(&self) -> Result<Vec<RecurrenceId>, SeriesRefusal> {
        let rule = Rule::parse(self.rrule.as_str()).map_err(SeriesRefusal::InvalidRrule)?;
        let mut all = self.expanded(&rule)?;
        if all.first() != Some(&self.dtstart) {
            return Err(SeriesRefusal::StartNotInRule { dtstart: self.dtstart });
        }
        for exdate in &self.exdates.0 {
            if let Exdate::At(exdate) = *exdate
                && !all.contains(&exdate)
            {
                return Err(SeriesRefusal::UnknownExdate { exdate });
            }
        }
        all.retain(|local| !self.exdates.0.iter().any(|exdate| exdate.is(*local)));
        match all.len() {
            0 => Err(SeriesRefusal::NoOccurrences),
            1..=MAX_OCCURRENCES => Ok(all.into_iter().map(RecurrenceId::from).collect()),
            _ => Err(SeriesRefusal::TooManyOccurrences { max: MAX_OCCURRENCES }),
        }
    }

    /// The instant of an occurrence: each is resolved by itself, so the local time stays the same
    /// when clocks change.
    #[must_use]
    pub fn at(&self, id: RecurrenceId) -> DateTime<Utc> {
        resolve_local(self.time_zone, id.local().date_time())
    }

    /// Every occurrence of the rule, as if there were no zones: in UTC, whose clocks never change.
    fn expanded(&self, rule: &Rule) -> Result<Vec<LocalDateTime>, SeriesRefusal> {
        let of_part = |part: &str| {
            let part = part.to_owned();
            SeriesRefusal::InvalidRrule(RuleError::BadValue { part })
        };
        let mut parts: Vec<_> =
            rule.parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if rule.leaves_weekday_open() {
            // The expansion would take all seven days of the week, but the RFC the start's.
            let day = self.dtstart.date_time().weekday().to_string().to_ascii_uppercase();
            parts.push(format!("BYDAY={}", &day[..2]));
        }
        match rule.end {
            End::Count(count) => parts.push(format!("COUNT={count}")),
            End::Until(until) => {
                if !until.allows(self.dtstart.date_time(), self.time_zone) {
                    return Err(of_part("UNTIL"));
                }
                LocalDate::try_from(until.date()).map_err(|_| SeriesRefusal::OutOfCalendar)?;
                // Later than the last in any zone; what is too late is dropped below.
                let late = until.date().checked_add_days(Days::new(2)).unwrap_or(until.date());
                parts.push(format!("UNTIL={}T235959Z", late.format("%Y%m%d")));
            }
        }
        let start = self.dtstart.date_time().and_utc().with_timezone(&rrule::Tz::UTC);
        // What is left to refuse here is a position beyond the length of its period.
        let expandable = parts.join(";").parse::<rrule::RRule<rrule::Unvalidated>>();
        let expandable = expandable.and_then(|rule| rule.build(start));
        let expandable = expandable.map_err(|_| of_part("BYSETPOS"))?;
        let limit = u16::try_from(MAX_OF_A_RULE + 1).unwrap_or(u16::MAX);
        let last = after_the_calendar().and_time(NaiveTime::MIN).and_utc();
        let last = last.with_timezone(&rrule::Tz::UTC);
        let found = expandable.before(last).all(limit).dates;
        let mut all = Vec::with_capacity(found.len());
        for local in found.iter().map(DateTime::naive_utc) {
            if matches!(rule.end, End::Until(until) if !until.allows(local, self.time_zone)) {
                continue;
            }
            all.push(LocalDateTime::try_from(local).map_err(|_| SeriesRefusal::OutOfCalendar)?);
        }
        if all.len() > MAX_OF_A_RULE {
            return Err(SeriesRefusal::TooManyOccurrences { max: MAX_OCCURRENCES });
        }
        // It was not followed to its end.
        if matches!(rule.end, End::Count(count) if all.len() < count as usize) && !all.is_empty() {
            return Err(SeriesRefusal::OutOfCalendar);
        }
        Ok(all)
    }
}

/// Past the last date that is kept, so that what goes on after it is seen.
fn after_the_calendar() -> NaiveDate {
    NaiveDate::from_ymd_opt(2201, 1, 1).unwrap_or(NaiveDate::MAX)
}

impl Exdate {
    fn is(self, local: LocalDateTime) -> bool {
        match self {
            Self::Day(day) => local.date_time().date() == day.date(),
            Self::At(at) => local == at,
        }
    }
}

impl FromStr for Exdate {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        if text.contains('T') { text.parse().map(Self::At) } else { text.parse().map(Self::Day) }
    }
}

impl TryFrom<String> for Exdate {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl fmt::Display for Exdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(f),
            Self::At(at) => at.fmt(f),
        }
    }
}

impl From<Exdate> for String {
    fn from(exdate: Exdate) -> Self {
        exdate.to_string()
    }
}

/// More is left out than a series can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {} exdates, got {found}", Exdates::MAX)]
pub struct TooManyExdates {
    found: usize,
}

impl Exdates {
    /// The most.
    pub const MAX: usize = MAX_OCCURRENCES;

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Exdate>> for Exdates {
    type Error = TooManyExdates;

    fn try_from(exdates: Vec<Exdate>) -> Result<Self, TooManyExdates> {
        let found = exdates.len();
        if found > Self::MAX { Err(TooManyExdates { found }) } else { Ok(Self(exdates)) }
    }
}

impl From<Exdates> for Vec<Exdate> {
    fn from(exdates: Exdates) -> Self {
        exdates.0
    }
}
