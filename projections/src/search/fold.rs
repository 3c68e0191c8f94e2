//! What events make of the rows: in memory, without a database.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use daybook_domain::AppointmentId;
use daybook_domain::appointment::{AppointmentEvent, Details, Status};
use daybook_store::{AnyEvent, RecordedEvent};

use super::row::{FoundAppointment, in_microseconds};
use crate::ApplyError;

pub(super) type Rows = HashMap<AppointmentId, FoundAppointment>;

/// The rows after the events.
pub(super) fn fold(mut rows: Rows, events: &[RecordedEvent]) -> Result<Rows, ApplyError> {
    for recorded in events {
        if let AnyEvent::Appointment(id, event) = &recorded.event {
            let after = after(rows.remove(id), *id, event, recorded)?;
            rows.insert(*id, after);
        }
    }
    Ok(rows)
}

/// An appointment after one of its events.
pub(crate) fn after(
    before: Option<FoundAppointment>,
    id: AppointmentId,
    event: &AppointmentEvent,
    recorded: &RecordedEvent,
) -> Result<FoundAppointment, ApplyError> {
    use AppointmentEvent as E;
    match event {
        E::AppointmentBooked(details) => {
            return Ok(made(id, details, Status::Booked, None, recorded));
        }
        E::AppointmentHeld(held) => {
            let lapses = Some(held.expires_at);
            return Ok(made(id, &held.details, Status::Held, lapses, recorded));
        }
        _ => {}
    }
    let Some(mut row) = before else {
        let reason = format!("appointment {id} was neither held nor booked before");
        return Err(ApplyError::Event { position: recorded.position, reason });
    };
    row.version = recorded.sequence;
    row.position = recorded.position;
    match event {
        E::AppointmentBooked(_) | E::AppointmentHeld(_) | E::AppointmentConflictAccepted(_) => {}
        E::AppointmentConfirmed(confirmed) => {
            row.move_to(&confirmed.slot);
            becomes(&mut row, Status::Booked);
        }
        E::AppointmentRescheduled(moved) => row.move_to(&moved.slot),
        E::AppointmentReassigned(other) => row.move_to(&other.slot),
        E::AppointmentCancelled(_) | E::AppointmentHoldExpired(_) => {
            becomes(&mut row, Status::Cancelled);
        }
        E::AppointmentCheckedIn(_) => becomes(&mut row, Status::CheckedIn),
        E::AppointmentCompleted(_) => becomes(&mut row, Status::Fulfilled),
        E::AppointmentMarkedNoShow(_) => becomes(&mut row, Status::NoShow),
        E::AppointmentTagged(tagged) => {
            row.category = tagged.category.clone();
            row.tags = tagged.tags.clone();
        }
    }
    Ok(row)
}

fn becomes(row: &mut FoundAppointment, status: Status) {
    row.status = status;
    row.hold_expires_at = None;
}

fn made(
    appointment_id: AppointmentId,
    details: &Details,
    status: Status,
    lapses: Option<DateTime<Utc>>,
    recorded: &RecordedEvent,
) -> FoundAppointment {
    FoundAppointment {
        appointment_id,
        during: in_microseconds(&details.slot.during),
        status,
        hold_expires_at: lapses.map(|lapses| lapses.trunc_subsecs(6)),
        category: details.category.clone(),
        tags: details.tags.clone(),
        service_id: details.service_id,
        resource_ids: details.slot.resource_ids.clone(),
        client_id: details.client_id,
        title: details.title.clone(),
        version: recorded.sequence,
        position: recorded.position,
    }
}
