//! Public holidays, on which a resource is closed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::LocalDate;
use super::dates::Dates;
use crate::{HolidayId, Name};

/// A list of holidays that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HolidaysError {
    /// More than a calendar needs.
    #[error("at most {} holidays", Holidays::MAX)]
    TooMany,
    /// Two of them are the same one.
    #[error("a holiday is given twice: {0}")]
    Repeated(HolidayId),
}

/// A day on which everything is closed, by local custom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Holiday {
    /// Which one: the same in every list that comes from the same source.
    pub id: HolidayId,
    /// The day, all of it.
    pub date: LocalDate,
    /// What it is called.
    pub name: Name,
}

/// The holidays of one resource, by date; each id once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Holiday>", into = "Vec<Holiday>")]
pub struct Holidays(Vec<Holiday>);

impl Holidays {
    /// How many holidays one resource can have: twenty a year for fifty years.
    pub const MAX: usize = 1_000;

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The holidays, by date.
    pub fn iter(&self) -> impl Iterator<Item = &Holiday> {
        self.0.iter()
    }

    /// These and `others`; where both have an id, the other's date and name count.
    ///
    /// # Errors
    /// When there would be too many.
    pub fn with(&self, others: &Self) -> Result<Self, HolidaysError> {
        let both = self.0.iter().chain(&others.0).cloned();
        let by_id: BTreeMap<_, _> = both.map(|holiday| (holiday.id, holiday)).collect();
        by_id.into_values().collect::<Vec<_>>().try_into()
    }

    /// Those on one of these days.
    pub(super) fn within(&self, dates: Dates) -> &[Holiday] {
        let first = self.0.partition_point(|holiday| holiday.date.date() < dates.first);
        let after = self.0.partition_point(|holiday| holiday.date.date() <= dates.last);
        &self.0[first..after]
    }
}

impl TryFrom<Vec<Holiday>> for Holidays {
    type Error = HolidaysError;

    fn try_from(mut holidays: Vec<Holiday>) -> Result<Self, HolidaysError> {
        if holidays.len() > Self::MAX {
            return Err(HolidaysError::TooMany);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = holidays.iter().find(|holiday| !seen.insert(holiday.id)) {
            return Err(HolidaysError::Repeated(twice.id));
        }
        holidays.sort_by(|one, other| (one.date, &one.name).cmp(&(other.date, &other.name)));
        Ok(Self(holidays))
    }
}

impl From<Holidays> for Vec<Holiday> {
    fn from(holidays: Holidays) -> Self {
        holidays.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holiday(uid: &str, date: &str) -> Holiday {
        let name = Name::new(uid).unwrap();
        Holiday { id: HolidayId::of(uid), date: date.parse().unwrap(), name }
    }

    fn holidays(pairs: &[(&str, &str)]) -> Holidays {
        let holidays: Vec<_> = pairs.iter().map(|(uid, date)| holiday(uid, date)).collect();
        holidays.try_into().unwrap()
    }

    #[test]
    fn a_holiday_that_moved_is_moved_and_the_others_stay() {
        let known = holidays(&[("king", "2027-04-27"), ("labour", "2027-05-01")]);
        let news = holidays(&[("king", "2027-04-26"), ("liberation", "2027-05-05")]);
        let all = known.with(&news).unwrap();
        let expected =
            [("king", "2027-04-26"), ("labour", "2027-05-01"), ("liberation", "2027-05-05")];
        assert_eq!(all, holidays(&expected));
        assert_eq!(all.with(&news), Ok(all));
    }

    #[test]
    fn a_list_of_holidays_has_each_once_and_not_too_many() {
        let twice = vec![holiday("labour", "2027-05-01"), holiday("labour", "2028-05-01")];
        let repeated = HolidaysError::Repeated(HolidayId::of("labour"));
        assert_eq!(Holidays::try_from(twice), Err(repeated));
        let many = |count| -> Result<Holidays, _> {
            let all: Vec<_> = (0..count).map(|n| holiday(&n.to_string(), "2027-05-01")).collect();
            all.try_into()
        };
        assert!(many(Holidays::MAX).is_ok());
        assert_eq!(many(Holidays::MAX + 1), Err(HolidaysError::TooMany));
    }
}
