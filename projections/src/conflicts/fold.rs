//! What the events of a batch make of the appointments.

use std::collections::BTreeMap;

use daybook_domain::AppointmentId;
use daybook_domain::appointment::AppointmentEvent;
use daybook_store::{AnyEvent, RecordedEvent};

use super::row::Standing;

/// The appointments that a batch touches; `None`: it is neither held nor booked (any longer).
pub(super) type Touched = BTreeMap<AppointmentId, Option<Standing>>;

/// The appointments after the events; `stored` are those that were needed and are there.
pub(super) fn fold(
    mut stored: BTreeMap<AppointmentId, Standing>,
    events: &[RecordedEvent],
) -> Touched {
    let mut touched = Touched::new();
    for recorded in events {
        if let AnyEvent::Appointment(id, event) = &recorded.event {
            let row = touched.entry(*id).or_insert_with(|| stored.remove(id));
            apply(row, *id, event, recorded);
        }
    }
    touched
}

fn apply(
    row: &mut Option<Standing>,
    id: AppointmentId,
    event: &AppointmentEvent,
    recorded: &RecordedEvent,
) {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => *row = Some(Standing::made(id, details, None, recorded)),
        E::AppointmentHeld(held) => {
            *row = Some(Standing::made(id, &held.details, Some(held.expires_at), recorded));
        }
        E::AppointmentCancelled(_)
        | E::AppointmentHoldExpired(_)
        | E::AppointmentCheckedIn(_)
        | E::AppointmentCompleted(_)
        | E::AppointmentMarkedNoShow(_) => *row = None,
        E::AppointmentConfirmed(_)
        | E::AppointmentRescheduled(_)
        | E::AppointmentReassigned(_)
        | E::AppointmentConflictAccepted(_)
        | E::AppointmentTagged(_) => {}
    }
    // What no longer stands is in nobody's way, whatever becomes of it.
    let Some(row) = row else { return };
    row.version = recorded.sequence;
    row.position = recorded.position;
    row.excused.evolve(event);
    match event {
        E::AppointmentConfirmed(confirmed) => {
            row.hold_expires_at = None;
            row.uses_as_before(&confirmed.slot, recorded.position);
        }
        E::AppointmentRescheduled(moved) => row.uses_anew(&moved.slot, recorded.position),
        E::AppointmentReassigned(other) => row.uses_as_before(&other.slot, recorded.position),
        E::AppointmentConflictAccepted(_) => {
            let excused = row.excused.clone();
            for (resource_id, used) in &mut row.uses {
                used.conflict = excused.unexcused(*resource_id, used.conflict);
            }
        }
        _ => {}
    }
}
