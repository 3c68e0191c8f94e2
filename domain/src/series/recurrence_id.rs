//! Which occurrence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::SeriesId;
use crate::time::LocalDateTime;

/// Which occurrence of a series (RECURRENCE-ID, RFC 5545 section 3.8.4.4): the local start that the
/// rule gave it, wherever it has been moved since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RecurrenceId(LocalDateTime);

impl RecurrenceId {
    /// The local start that the rule gave it.
    #[must_use]
    pub const fn local(self) -> LocalDateTime {
        self.0
    }
}

impl From<LocalDateTime> for RecurrenceId {
    fn from(local: LocalDateTime) -> Self {
        Self(local)
    }
}

impl fmt::Display for RecurrenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// That an appointment is an occurrence of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InSeries {
    /// Of which.
    pub series_id: SeriesId,
    pub recurrence_id: RecurrenceId,
}
