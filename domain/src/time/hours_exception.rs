//! Dated exceptions to a resource's weekly hours.

use serde::{Deserialize, Serialize};

use super::{HoursError, LocalSpan};
use crate::personal::stored_option;
use crate::{ExceptionId, Personal, Reason};

/// What an exception does to the hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    /// Open, whatever the week and the holidays say.
    ExtraHours,
    /// Closed, whatever else says.
    TimeOff,
}

/// Extra hours or time off, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HoursException {
    pub id: ExceptionId,
    /// Whether it opens or closes.
    pub kind: ExceptionKind,
    /// When, in the resource's zone.
    #[serde(flatten)]
    pub span: LocalSpan,
    /// Why: of somebody who is away, that is about them.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
}

/// The exceptions of one resource, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<HoursException>", into = "Vec<HoursException>")]
pub struct HoursExceptions(Vec<HoursException>);

impl HoursExceptions {
    /// How many exceptions one resource can have.
    pub const MAX: usize = 2_000;

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there can be no more.
    #[must_use]
    pub fn are_full(&self) -> bool {
        self.0.len() >= Self::MAX
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The exceptions, the oldest first.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &HoursException> {
        self.0.iter()
    }

    /// The one with this id.
    #[must_use]
    pub fn get(&self, id: ExceptionId) -> Option<&HoursException> {
        self.0.iter().find(|exception| exception.id == id)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut HoursException> {
        self.0.iter_mut()
    }

    pub(crate) fn add(&mut self, exception: HoursException) {
        self.0.push(exception);
    }

    pub(crate) fn remove(&mut self, id: ExceptionId) {
        self.0.retain(|exception| exception.id != id);
    }
}

impl TryFrom<Vec<HoursException>> for HoursExceptions {
    type Error = HoursError;

    fn try_from(exceptions: Vec<HoursException>) -> Result<Self, HoursError> {
        if exceptions.len() > Self::MAX {
            return Err(HoursError::TooManyExceptions);
        }
        Ok(Self(exceptions))
    }
}

impl From<HoursExceptions> for Vec<HoursException> {
    fn from(exceptions: HoursExceptions) -> Self {
        exceptions.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(span: &str) -> Result<HoursException, serde_json::Error> {
        let id = uuid::Uuid::from_u128(1);
        serde_json::from_str(&format!(r#"{{"id":"{id}","kind":"time-off",{span}}}"#))
    }

    #[test]
    fn an_exception_is_of_whole_days_or_of_hours() {
        for good in [
            r#""days":{"first":"2027-07-01","last":"2027-07-01"}"#,
            r#""hours":{"from":"2027-07-01T23:00","to":"2027-07-02T01:00"},"reason":"Lunch""#,
        ] {
            let read = exception(good).unwrap();
            assert_eq!(serde_json::from_str::<HoursException>(&json(&read)).unwrap(), read);
        }
    }

    #[test]
    fn an_exception_without_length_is_refused() {
        for bad in [
            r#""days":{"first":"2027-07-02","last":"2027-07-01"}"#,
            r#""hours":{"from":"2027-07-01T10:00","to":"2027-07-01T10:00"}"#,
            r#""days":{"first":"2027-07-01","last":"2027-07-01","to":"2027-07-02"}"#,
            r#""reason":"Lunch""#,
        ] {
            assert!(exception(bad).is_err(), "{bad}");
        }
    }

    fn json(exception: &HoursException) -> String {
        serde_json::to_string(exception).unwrap()
    }
}
