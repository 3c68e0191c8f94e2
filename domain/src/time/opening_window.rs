//! One window of a week's opening hours.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::local::resolve_on_a_day;
use super::{Day, HoursError, Interval, LocalDate, TimeOfDay, resolve_local};

/// Open on these days from one local time to another; where that is earlier, to that time of the day
/// after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Fields")]
pub struct OpeningWindow {
    days: Vec<Day>,
    from: TimeOfDay,
    to: TimeOfDay,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<LocalDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<LocalDate>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Fields {
    days: Vec<Day>,
    from: TimeOfDay,
    to: TimeOfDay,
    #[serde(default)]
    valid_from: Option<LocalDate>,
    #[serde(default)]
    valid_until: Option<LocalDate>,
}

impl OpeningWindow {
    /// A window on `days`, for ever.
    ///
    /// # Errors
    /// When it has no day, closes when it opens, or opens at 24:00, which is the next day's 00:00.
    pub fn new(days: Vec<Day>, from: TimeOfDay, to: TimeOfDay) -> Result<Self, HoursError> {
        if days.is_empty() || from == to || from == TimeOfDay::END_OF_DAY {
            return Err(HoursError::EmptyWindow { from, to });
        }
        Ok(Self { days, from, to, valid_from: None, valid_until: None })
    }

    /// Each day as a whole, for ever.
    #[must_use]
    pub fn always() -> Self {
        let (from, to) = (TimeOfDay::MIDNIGHT, TimeOfDay::END_OF_DAY);
        Self { days: Day::ALL.to_vec(), from, to, valid_from: None, valid_until: None }
    }

    /// The same window, where it opens on a day from `from` until `until`, both included.
    ///
    /// # Errors
    /// When `until` is before `from`.
    pub fn valid(
        self,
        from: Option<LocalDate>,
        until: Option<LocalDate>,
    ) -> Result<Self, HoursError> {
        match (from, until) {
            (Some(from), Some(until)) if until < from => {
                Err(HoursError::NeverValid { from, until })
            }
            (valid_from, valid_until) => Ok(Self { valid_from, valid_until, ..self }),
        }
    }

    /// The days it opens on.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// When it opens.
    #[must_use]
    pub const fn from(&self) -> TimeOfDay {
        self.from
    }

    /// When it closes: on the day it opens if that is later than it opens, else on the day after.
    #[must_use]
    pub const fn to(&self) -> TimeOfDay {
        self.to
    }

    /// Whether it opens week after week, for ever.
    #[must_use]
    pub const fn is_always_valid(&self) -> bool {
        self.valid_from.is_none() && self.valid_until.is_none()
    }

    /// The window that opens on `date`, made absolute.
    pub(super) fn on(&self, zone: Tz, date: NaiveDate) -> Option<Interval> {
        let opens = self.opens_on(date).then(|| resolve_on_a_day(zone, self.from.on(date)))??;
        let closing_day = if self.to < self.from { date.succ_opt()? } else { date };
        let closes = resolve_local(zone, self.to.on(closing_day));
        // Clocks that jump can leave nothing of it.
        Interval::new(opens, closes).ok()
    }

    fn opens_on(&self, date: NaiveDate) -> bool {
        self.valid_from.is_none_or(|first| first.date() <= date)
            && self.valid_until.is_none_or(|last| date <= last.date())
            && self.days.contains(&Day::from(date.weekday()))
    }
}

impl TryFrom<Fields> for OpeningWindow {
    type Error = HoursError;

    fn try_from(fields: Fields) -> Result<Self, HoursError> {
        let Fields { days, from, to, valid_from, valid_until } = fields;
        Self::new(days, from, to)?.valid(valid_from, valid_until)
    }
}
