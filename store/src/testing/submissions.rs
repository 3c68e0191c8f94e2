//! What a decision hands to the log, written by hand.

use daybook_domain::appointment::{
    Agreed, Appointment, AppointmentEvent, AppointmentHeld, AppointmentRescheduled, Details,
    MovedBy, Seats, Slot,
};
use daybook_domain::claim::Claims;
use daybook_domain::time::{Buffer, Interval};
use daybook_domain::{Category, ResourceId, Tags, TenantId, Title};
use uuid::Uuid;

use super::{minute, noon, resource, uuid};
use crate::CommandKey;
use crate::log::{Append, Decision, NewEvent, OnConflict, StreamId, Submission};

/// Booked on these resources, from one minute to another.
pub(crate) fn a_booking(resources: &[u128], from: i64, to: i64) -> AppointmentEvent {
    AppointmentEvent::AppointmentBooked(details(resources, from, to))
}

/// The same, held until a minute.
pub(crate) fn a_hold(resources: &[u128], from: i64, to: i64, until: i64) -> AppointmentEvent {
    let details = details(resources, from, to);
    AppointmentEvent::AppointmentHeld(AppointmentHeld { details, expires_at: minute(until) })
}

/// Moved to these resources and minutes.
pub(crate) fn a_move(resources: &[u128], from: i64, to: i64) -> AppointmentEvent {
    AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot: details(resources, from, to).slot,
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    })
}

fn details(resources: &[u128], from: i64, to: i64) -> Details {
    let ids: Vec<ResourceId> = resources.iter().copied().map(resource).collect();
    Details {
        service_id: uuid(100).into(),
        client_id: uuid(200).into(),
        slot: Slot {
            resource_ids: ids.try_into().unwrap(),
            during: Interval::new(minute(from), minute(to)).unwrap(),
            buffer_before: Buffer::NONE,
            buffer_after: Buffer::NONE,
            seats: Seats::default(),
            quota_slots: Vec::new(),
            session_id: None,
            transparent: false,
        },
        title: Title::new("Check-up").unwrap().into(),
        category: Category::new("care").unwrap(),
        tags: Tags::default(),
        note: None,
        location: None,
        reference: None,
        metadata: daybook_domain::Metadata::default(),
        private: false,
        imported: false,
        notices: false,
        agreed: Agreed::default(),
        overridden: None,
        series: None,
    }
}

/// Appends the event to an appointment that is at version `after`.
pub(crate) fn submission(
    tenant: &TenantId,
    id: Uuid,
    after: u64,
    event: &AppointmentEvent,
) -> Submission {
    let claims = event.claims_after().map(|claims| (id.into(), claims));
    Submission {
        decision: Decision::Accept {
            read_set: Vec::new(),
            appends: vec![Append {
                stream: of_stream(tenant, id),
                after,
                events: vec![NewEvent::of(event).unwrap()],
            }],
            claims: claims.into_iter().collect(),
            on_conflict: OnConflict::Refuse,
        },
        tenant: tenant.clone(),
        key: None,
        decided_at: noon(),
    }
}

/// An appointment's stream.
pub(crate) fn of_stream(tenant: &TenantId, id: Uuid) -> StreamId {
    StreamId::of::<Appointment>(tenant, id)
}

/// A key for a request whose fingerprint is all this byte.
pub(crate) fn key(name: &str, request: u8) -> CommandKey {
    CommandKey { key: name.to_owned(), fingerprint: [request; 32] }
}
