//! What becomes of single occurrences.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Mode, RecurrenceId, SeriesRefusal};
use crate::appointment::{Appointment, Status};
use crate::time::LocalDateTime;
use crate::{AppointmentId, Refusal};

/// An occurrence that was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Occurrence {
    pub recurrence_id: RecurrenceId,
    /// The appointment that it is.
    pub appointment_id: AppointmentId,
}

/// An occurrence that was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MovedOccurrence {
    pub recurrence_id: RecurrenceId,
    /// When it starts now.
    #[serde(rename = "start_at")]
    pub start: DateTime<Utc>,
    /// The local time that it was moved to, where clocks skip that and show another: from there it moves on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<LocalDateTime>,
}

/// An occurrence that was refused, where others were not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RefusedOccurrence {
    pub recurrence_id: RecurrenceId,
    pub refusal: Refusal,
}

/// An occurrence that a change does not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeftOccurrence {
    pub recurrence_id: RecurrenceId,
    pub because: LeftBecause,
}

/// Why a change does not reach an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LeftBecause {
    /// It has begun, whatever became of it.
    Begun,
    /// It is no longer booked: the client is here already, or it was cancelled.
    NotBooked,
}

impl LeftBecause {
    /// Whether a change of the series leaves this appointment alone at `now`.
    #[must_use]
    pub fn of(appointment: &Appointment, now: DateTime<Utc>) -> Option<Self> {
        let Appointment::Made { details, state, .. } = appointment else {
            return Some(Self::NotBooked);
        };
        if state.status() != Status::Booked {
            return Some(Self::NotBooked);
        }
        (details.slot.during.start() <= now).then_some(Self::Begun)
    }
}

/// What became of one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It was booked or changed.
    Done(T),
    /// The change does not reach it.
    Left(LeftBecause),
    /// It was refused.
    Refused(Refusal),
}

/// What became of each occurrence that was asked for, as far as it was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdicts<T>(Vec<(RecurrenceId, Verdict<T>)>);

impl<T> Default for Verdicts<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Verdicts<T> {
    /// Adds one. Whether the next is to be tried: after a refusal, only if as many are wanted as can be.
    pub fn add(&mut self, id: RecurrenceId, verdict: Verdict<T>, mode: Mode) -> bool {
        let goes_on = mode == Mode::BestEffort || !matches!(verdict, Verdict::Refused(_));
        self.0.push((id, verdict));
        goes_on
    }

    /// By what became of them, each in the order of the series.
    pub(super) fn sorted(mut self) -> Sorted<T> {
        self.0.sort_by_key(|(id, _)| *id);
        let mut sorted = Sorted { done: Vec::new(), left: Vec::new(), refused: Vec::new() };
        for (recurrence_id, verdict) in self.0 {
            match verdict {
                Verdict::Done(done) => sorted.done.push((recurrence_id, done)),
                Verdict::Left(because) => {
                    sorted.left.push(LeftOccurrence { recurrence_id, because });
                }
                Verdict::Refused(refusal) => {
                    sorted.refused.push(RefusedOccurrence { recurrence_id, refusal });
                }
            }
        }
        sorted
    }
}

/// What became of the occurrences, by that.
pub(super) struct Sorted<T> {
    pub(super) done: Vec<(RecurrenceId, T)>,
    pub(super) left: Vec<LeftOccurrence>,
    pub(super) refused: Vec<RefusedOccurrence>,
}

impl<T> Sorted<T> {
    /// Refuses all for the first that was refused, if all were wanted.
    pub(super) fn by(self, mode: Mode) -> Result<Self, SeriesRefusal> {
        match (mode, self.refused.first().cloned()) {
            (Mode::AllOrNothing, Some(RefusedOccurrence { recurrence_id, refusal })) => {
                let refusal = Box::new(refusal);
                Err(SeriesRefusal::OccurrenceRefused { recurrence_id, refusal })
            }
            _ => Ok(self),
        }
    }
}
