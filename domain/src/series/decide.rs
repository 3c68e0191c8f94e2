//! What may be done with a series. Each of its appointments has been decided by itself when this is
//! asked: what is left to decide is what that means for the whole.

use super::occurrence::Sorted;
use super::{
    Destination, Mode, MovedOccurrence, Occurrence, Recurrence, Series, SeriesBooked,
    SeriesCancelled, SeriesEvent, SeriesRefusal, SeriesRescheduled, Shift, Verdicts, Which,
};
use uuid::Uuid;

use crate::appointment::{CancelledBy, MovedBy, NewResources};
use crate::rights::Placed;
use crate::{AppointmentId, ClientId, Decide, Facts, Personal, Reason, ServiceId};

/// What can be asked of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesCommand {
    /// Book it.
    BookSeries {
        /// When it recurs.
        recurrence: Recurrence,
        /// Whether all must be booked.
        mode: Mode,
        service_id: ServiceId,
        client_id: ClientId,
        /// What became of the bookings.
        verdicts: Verdicts<AppointmentId>,
    },
    /// Move occurrences.
    RescheduleSeries {
        moving: SeriesMove,
        /// What became of the moves: where each is now.
        verdicts: Verdicts<Destination>,
    },
    /// Cancel occurrences.
    CancelSeries {
        /// Which, and why.
        cancelling: SeriesCancel,
        /// What became of the cancellations.
        verdicts: Verdicts<()>,
    },
}

/// How occurrences are to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesMove {
    pub which: Which,
    pub shift: Shift,
    /// To which resources; chosen are they for each by itself. `None`: each keeps its own.
    pub resource_ids: Option<NewResources>,
    /// Whether all must be moved.
    pub mode: Mode,
    pub by: MovedBy,
    /// Why rules may be broken. `None`: they may not.
    pub overriding: Option<Personal<Reason>>,
}

/// Which occurrences are to be cancelled, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesCancel {
    pub which: Which,
    /// Whether all must be cancelled.
    pub mode: Mode,
    /// Why, in the words of who cancels.
    pub reason: Option<Personal<Reason>>,
    pub by: CancelledBy,
    /// Why rules may be broken. `None`: they may not.
    pub overriding: Option<Personal<Reason>>,
}

impl Decide for Series {
    fn decide(&self, command: SeriesCommand, _facts: &Facts) -> Result<SeriesEvent, SeriesRefusal> {
        use SeriesCommand::{BookSeries, CancelSeries, RescheduleSeries};
        match (self, command) {
            (Self::Unmade, BookSeries { recurrence, mode, service_id, client_id, verdicts }) => {
                let Sorted { done, left: _, refused } = verdicts.sorted().by(mode)?;
                if done.is_empty() {
                    return Err(SeriesRefusal::NoneBooked { refused });
                }
                let booked = done.into_iter().map(|(recurrence_id, appointment_id)| Occurrence {
                    recurrence_id,
                    appointment_id,
                });
                let occurrences = booked.collect();
                Ok(SeriesEvent::SeriesBooked(SeriesBooked {
                    recurrence,
                    mode,
                    service_id,
                    client_id,
                    occurrences,
                    refused,
                }))
            }
            (Self::Made { .. }, RescheduleSeries { moving, verdicts }) => {
                let Sorted { done, left, refused } = changed(verdicts, moving.mode)?;
                let (resource_ids, choose_resources) = match moving.resource_ids {
                    Some(NewResources::Named(named)) => (Some(named), false),
                    Some(NewResources::Chosen) => (None, true),
                    None => (None, false),
                };
                let moved = done.into_iter();
                let moved = moved.map(|(recurrence_id, Destination { start, skipped })| {
                    MovedOccurrence { recurrence_id, start, skipped }
                });
                Ok(SeriesEvent::SeriesRescheduled(SeriesRescheduled {
                    which: moving.which,
                    shift: moving.shift,
                    resource_ids,
                    choose_resources,
                    mode: moving.mode,
                    by: moving.by,
                    moved: moved.collect(),
                    left,
                    refused,
                }))
            }
            (Self::Made { .. }, CancelSeries { cancelling, verdicts }) => {
                let Sorted { done, left, refused } = changed(verdicts, cancelling.mode)?;
                Ok(SeriesEvent::SeriesCancelled(SeriesCancelled {
                    which: cancelling.which,
                    mode: cancelling.mode,
                    reason: cancelling.reason,
                    by: cancelling.by,
                    cancelled: done.into_iter().map(|(recurrence_id, ())| recurrence_id).collect(),
                    left,
                    refused,
                }))
            }
            (Self::Made { .. }, BookSeries { .. }) => Err(SeriesRefusal::SeriesExists),
            (Self::Unmade, RescheduleSeries { .. } | CancelSeries { .. }) => {
                Err(SeriesRefusal::SeriesNotFound)
            }
        }
    }

    fn placed(&self, _: Uuid) -> Placed<'_> {
        match self {
            Self::Unmade => Placed::Nowhere,
            Self::Made { booked, .. } => Placed::Series(booked.client_id),
        }
    }
}

/// A change that changes nothing is refused, whatever kept it from that.
fn changed<T>(verdicts: Verdicts<T>, mode: Mode) -> Result<Sorted<T>, SeriesRefusal> {
    let sorted = verdicts.sorted().by(mode)?;
    match (sorted.done.is_empty(), sorted.refused.is_empty()) {
        (false, _) => Ok(sorted),
        (true, true) => Err(SeriesRefusal::NothingToChange),
        (true, false) => Err(SeriesRefusal::NoneChanged { refused: sorted.refused }),
    }
}
