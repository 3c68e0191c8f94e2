//! Why a series' command is refused.

use serde::{Deserialize, Serialize};

use super::{RecurrenceId, RefusedOccurrence, RuleError};
use crate::time::LocalDateTime;
use crate::{Meaning, Refusal};

/// Why a series' command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum SeriesRefusal {
    /// There is no such series.
    #[error("there is no such series")]
    SeriesNotFound,
    /// This id is taken.
    #[error("a series with this id exists already")]
    SeriesExists,
    /// The rule is none.
    #[error(transparent)]
    InvalidRrule(RuleError),
    /// The first occurrence is not one of the rule's: what the RFC leaves open (section 3.8.5.3).
    #[error("the rule has no occurrence at {dtstart}")]
    StartNotInRule {
        /// The first occurrence as it was asked for.
        #[serde(alias = "start")]
        dtstart: LocalDateTime,
    },
    /// Nothing occurs at a time that is to be left out.
    #[error("the rule has no occurrence at {exdate} that could be left out")]
    UnknownExdate { exdate: LocalDateTime },
    /// A series is no longer than this.
    #[error("a series has at most {max} occurrences")]
    TooManyOccurrences {
        /// The most.
        max: usize,
    },
    /// All are left out.
    #[error("no occurrence is left")]
    NoOccurrences,
    /// It would be after the last date that is kept.
    #[error("the calendar ends with 2199")]
    OutOfCalendar,
    /// The series has no such occurrence, or it was not booked.
    #[error("the series has no occurrence {recurrence_id}")]
    UnknownOccurrence {
        /// As it was asked for.
        recurrence_id: RecurrenceId,
    },
    /// One occurrence is refused, and so are all.
    #[error("occurrence {recurrence_id}: {refusal}")]
    OccurrenceRefused {
        /// The first that is.
        recurrence_id: RecurrenceId,
        refusal: Box<Refusal>,
    },
    /// As many as can be are none.
    #[error("none of the occurrences can be booked")]
    NoneBooked {
        /// Why, of each.
        refused: Vec<RefusedOccurrence>,
    },
    /// As many as can be are none.
    #[error("none of the occurrences can be changed")]
    NoneChanged {
        /// Why, of each that could have been.
        refused: Vec<RefusedOccurrence>,
    },
    /// All that was asked for has begun, or is no longer booked.
    #[error("none of these occurrences is booked and still to come")]
    NothingToChange,
}

impl SeriesRefusal {
    pub(crate) fn meaning(&self) -> Meaning {
        match self {
            Self::SeriesNotFound => Meaning::NOT_FOUND,
            Self::SeriesExists => Meaning::EXISTS,
            Self::InvalidRrule(_) => Meaning::invalid("The recurrence rule is not valid"),
            Self::StartNotInRule { .. } => Meaning::invalid("The series does not start then"),
            Self::UnknownExdate { .. } => Meaning::invalid("Nothing occurs then"),
            Self::TooManyOccurrences { .. } => Meaning::invalid("Too many occurrences"),
            Self::NoOccurrences => Meaning::invalid("No occurrence is left"),
            Self::OutOfCalendar => Meaning::invalid("After the end of the calendar"),
            Self::UnknownOccurrence { .. } => Meaning::invalid("Unknown occurrence"),
            Self::NoneBooked { .. } => Meaning::conflict("No occurrence can be booked"),
            Self::NoneChanged { .. } => Meaning::conflict("No occurrence can be changed"),
            Self::NothingToChange => Meaning::conflict("There is nothing to change"),
            Self::OccurrenceRefused { refusal, .. } => refusal.meaning(),
        }
    }
}
