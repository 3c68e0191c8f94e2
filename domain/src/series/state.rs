//! What a series is.

use serde::{Deserialize, Serialize};

use super::{
    Occurrence, SeriesBooked, SeriesCancelled, SeriesEvent, SeriesRefusal, SeriesRescheduled, Which,
};

/// A series. What has become of its appointments is theirs to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "every series is made; a box costs all of them")]
pub enum Series {
    /// Not booked (yet).
    #[default]
    Unmade,
    /// Booked once, whatever became of it.
    Made {
        /// As it was booked.
        booked: SeriesBooked,
        /// What was changed last, where anything was.
        latest: Option<SeriesChange>,
    },
}

/// A change of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeriesChange {
    /// Occurrences were moved.
    Rescheduled(SeriesRescheduled),
    /// Occurrences were cancelled.
    Cancelled(SeriesCancelled),
}

impl Series {
    /// The occurrences that a change is for, in order; one at least.
    ///
    /// # Errors
    /// When there is no such series, or no such occurrence.
    pub fn affected(&self, which: Which) -> Result<Vec<Occurrence>, SeriesRefusal> {
        let Self::Made { booked, .. } = self else { return Err(SeriesRefusal::SeriesNotFound) };
        if let Some(recurrence_id) = which.named()
            && booked.occurrences.iter().all(|one| one.recurrence_id != recurrence_id)
        {
            return Err(SeriesRefusal::UnknownOccurrence { recurrence_id });
        }
        let all = booked.occurrences.iter().copied();
        Ok(all.filter(|one| which.includes(one.recurrence_id)).collect())
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: SeriesEvent) {
        match (event, self) {
            (SeriesEvent::SeriesBooked(booked), this) => {
                *this = Self::Made { booked, latest: None };
            }
            (SeriesEvent::SeriesRescheduled(change), Self::Made { latest, .. }) => {
                *latest = Some(SeriesChange::Rescheduled(change));
            }
            (SeriesEvent::SeriesCancelled(change), Self::Made { latest, .. }) => {
                *latest = Some(SeriesChange::Cancelled(change));
            }
            // Nothing can happen to what was never made; `verify` reports such a log.
            (_, Self::Unmade) => {}
        }
    }
}
