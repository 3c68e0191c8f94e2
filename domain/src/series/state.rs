//! What a series is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Destination, Occurrence, RecurrenceId, SeriesBooked, SeriesCancelled, SeriesEvent,
    SeriesRefusal, SeriesRescheduled, Shift, Which,
};
use crate::AppointmentId;
use crate::time::{LocalDateTime, resolve_local};

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
        /// The local times of occurrences that were moved to one that clocks skip.
        skipped: BTreeMap<RecurrenceId, LocalDateTime>,
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

impl SeriesChange {
    /// What it was of these occurrences; `None`: it was of others.
    fn of(mut self, seen: &BTreeSet<RecurrenceId>) -> Option<Self> {
        let (which, left, refused) = match &mut self {
            Self::Rescheduled(change) => {
                change.moved.retain(|one| seen.contains(&one.recurrence_id));
                (change.which, &mut change.left, &mut change.refused)
            }
            Self::Cancelled(change) => {
                change.cancelled.retain(|id| seen.contains(id));
                (change.which, &mut change.left, &mut change.refused)
            }
        };
        left.retain(|one| seen.contains(&one.recurrence_id));
        refused.retain(|one| seen.contains(&one.recurrence_id));
        seen.iter().any(|id| which.includes(*id)).then_some(self)
    }
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

    /// The appointments that were booked, in order.
    pub fn appointment_ids(&self) -> impl Iterator<Item = AppointmentId> + '_ {
        let booked = match self {
            Self::Unmade => &[][..],
            Self::Made { booked, .. } => &booked.occurrences,
        };
        booked.iter().map(|one| one.appointment_id)
    }

    /// A series as it is to somebody who sees only these of its appointments: the others, and what became of them, are not
    /// there. `None`: neither is it.
    #[must_use]
    pub fn seen(self, is_there: impl Fn(AppointmentId) -> bool) -> Option<Self> {
        let Self::Made { mut booked, latest, skipped } = self else { return None };
        booked.occurrences.retain(|one| is_there(one.appointment_id));
        let seen: BTreeSet<RecurrenceId> =
            booked.occurrences.iter().map(|one| one.recurrence_id).collect();
        let latest = latest.and_then(|change| change.of(&seen));
        (!seen.is_empty()).then_some(Self::Made { booked, latest, skipped })
    }

    /// Where a shift takes an occurrence that starts at `start`.
    ///
    /// It is from its local time that it moves. Where it is as the rule or a move has put it, that is the time which
    /// these have named, also on the day on which clocks show another; where it was moved by itself, what clocks show.
    ///
    /// # Errors
    /// When there is no such series, or the calendar does not go so far.
    pub fn shifted(
        &self,
        shift: &Shift,
        id: RecurrenceId,
        start: DateTime<Utc>,
    ) -> Result<Destination, SeriesRefusal> {
        let Self::Made { booked, skipped, .. } = self else {
            return Err(SeriesRefusal::SeriesNotFound);
        };
        let zone = booked.recurrence.time_zone;
        let named = skipped.get(&id).copied().into_iter().chain([id.local()]);
        let mut named = named.map(LocalDateTime::date_time);
        let local = named.find(|local| resolve_local(zone, *local) == start);
        shift.of(zone, local.unwrap_or_else(|| start.with_timezone(&zone).naive_local()))
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: SeriesEvent) {
        match (event, self) {
            (SeriesEvent::SeriesBooked(booked), this) => {
                *this = Self::Made { booked, latest: None, skipped: BTreeMap::new() };
            }
            (SeriesEvent::SeriesRescheduled(change), Self::Made { latest, skipped, .. }) => {
                for moved in &change.moved {
                    match moved.skipped {
                        Some(local) => skipped.insert(moved.recurrence_id, local),
                        None => skipped.remove(&moved.recurrence_id),
                    };
                }
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
