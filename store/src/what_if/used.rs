//! How much of each resource is booked: what appointments and sessions that stand take, without buffers.

use std::collections::{BTreeMap, HashMap};

use daybook_domain::appointment::{AppointmentEvent, Slot};
use daybook_domain::session::SessionEvent;
use daybook_domain::{ResourceId, ResourceIds};
use uuid::Uuid;

use crate::AnyEvent;

/// What stands so far. It holds less than 200 bytes for each appointment that has not ended.
#[derive(Debug, Default)]
pub(super) struct Used {
    standing: HashMap<Uuid, (ResourceIds, i64)>,
    /// Of what was served or kept free in vain: it stays.
    settled: BTreeMap<ResourceId, i64>,
}

/// What an event makes of what its aggregate takes.
enum Change<'a> {
    Takes(&'a Slot),
    Frees,
    Settles,
}

impl Used {
    /// Takes note of an event.
    pub(super) fn note(&mut self, event: &AnyEvent) {
        let (id, change) = match event {
            AnyEvent::Appointment(id, event) => (id.uuid(), of_appointment(event)),
            AnyEvent::Session(id, event) => (id.uuid(), Some(of_session(event))),
            _ => return,
        };
        match change {
            // In a session, the session has the resources.
            Some(Change::Takes(Slot { session_id: Some(_), .. })) | None => {}
            Some(Change::Takes(slot)) => {
                let minutes = slot.during.length().num_minutes();
                self.standing.insert(id, (slot.resource_ids.clone(), minutes));
            }
            Some(Change::Frees) => {
                self.standing.remove(&id);
            }
            Some(Change::Settles) => {
                if let Some(used) = self.standing.remove(&id) {
                    add(&mut self.settled, &used);
                }
            }
        }
    }

    /// The minutes that are booked of each resource.
    pub(super) fn minutes(self) -> BTreeMap<ResourceId, i64> {
        let Self { standing, settled: mut minutes } = self;
        for used in standing.values() {
            add(&mut minutes, used);
        }
        minutes
    }
}

fn add(minutes: &mut BTreeMap<ResourceId, i64>, (resources, more): &(ResourceIds, i64)) {
    for resource in resources.iter() {
        *minutes.entry(resource).or_default() += more;
    }
}

fn of_appointment(event: &AppointmentEvent) -> Option<Change<'_>> {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => Some(Change::Takes(&details.slot)),
        E::AppointmentConfirmed(confirmed) => Some(Change::Takes(&confirmed.slot)),
        // A hold is not booked, wherever it goes.
        E::AppointmentRescheduled(moved) if moved.hold_expires_at.is_none() => {
            Some(Change::Takes(&moved.slot))
        }
        E::AppointmentReassigned(other) if other.hold_expires_at.is_none() => {
            Some(Change::Takes(&other.slot))
        }
        E::AppointmentCancelled(_) | E::AppointmentHoldExpired(_) => Some(Change::Frees),
        // What was kept free for a client who did not come was booked.
        E::AppointmentCompleted(_) | E::AppointmentMarkedNoShow(_) => Some(Change::Settles),
        E::AppointmentHeld(_)
        | E::AppointmentRescheduled(_)
        | E::AppointmentReassigned(_)
        | E::AppointmentCheckedIn(_)
        | E::AppointmentTagged(_)
        | E::AppointmentConflictAccepted(_) => None,
    }
}

fn of_session(event: &SessionEvent) -> Change<'_> {
    match event {
        SessionEvent::SessionScheduled(plan) => Change::Takes(&plan.slot),
        SessionEvent::SessionRescheduled(moved) => Change::Takes(&moved.slot),
        SessionEvent::SessionCancelled(_) => Change::Frees,
    }
}
