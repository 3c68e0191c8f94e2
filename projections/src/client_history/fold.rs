//! What events make of the rows: in memory, without a database.

use std::collections::BTreeMap;

use daybook_domain::AppointmentId;
use daybook_domain::appointment::{AppointmentEvent, CancelledBy, Status};
use daybook_store::{AnyEvent, RecordedEvent};

use super::row::{CalledOff, PastAppointment};
use crate::ApplyError;

pub(super) type Rows = BTreeMap<AppointmentId, PastAppointment>;

/// The rows that the events touch, after them; `stored` are those that are touched but not made by them.
pub(super) fn fold(stored: Rows, events: &[RecordedEvent]) -> Result<Rows, ApplyError> {
    let mut rows = stored;
    for recorded in events {
        let AnyEvent::Appointment(id, event) = &recorded.event else { continue };
        let Some(row) = after(rows.remove(id), *id, event, recorded) else {
            let reason = format!("appointment {id} was neither held nor booked before");
            return Err(ApplyError::Event { position: recorded.position, reason });
        };
        rows.insert(*id, row);
    }
    Ok(rows)
}

/// The row after an event of its own; `None`: it was never made.
fn after(
    before: Option<PastAppointment>,
    id: AppointmentId,
    event: &AppointmentEvent,
    recorded: &RecordedEvent,
) -> Option<PastAppointment> {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => return Some(PastAppointment::made(id, details, recorded)),
        E::AppointmentHeld(held) => {
            let made = PastAppointment::made(id, &held.details, recorded);
            return Some(made.held(held.expires_at));
        }
        _ => {}
    }
    let mut row = before?;
    row.version = recorded.sequence;
    row.position = recorded.position;
    let at = recorded.recorded_at;
    match event {
        E::AppointmentBooked(_) | E::AppointmentHeld(_) | E::AppointmentConflictAccepted(_) => {}
        E::AppointmentConfirmed(confirmed) => {
            row.is_now(&confirmed.slot);
            row.becomes(Status::Booked);
            row.booked_at = Some(at);
        }
        E::AppointmentRescheduled(moved) => {
            row.is_now(&moved.slot);
            row.times_moved += 1;
        }
        E::AppointmentReassigned(other) => row.is_now(&other.slot),
        E::AppointmentCancelled(cancelled) => {
            row.becomes(Status::Cancelled);
            let late = cancelled.is_late();
            row.cancelled = Some(CalledOff { by: cancelled.by, at, late });
        }
        E::AppointmentHoldExpired(_) => {
            row.becomes(Status::Cancelled);
            row.cancelled = Some(CalledOff { by: CancelledBy::System, at, late: false });
        }
        E::AppointmentCheckedIn(_) => row.becomes(Status::CheckedIn),
        E::AppointmentCompleted(_) => row.becomes(Status::Fulfilled),
        E::AppointmentMarkedNoShow(_) => row.becomes(Status::NoShow),
        E::AppointmentTagged(tagged) => row.category = tagged.category.clone(),
    }
    Some(row)
}
