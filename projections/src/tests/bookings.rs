//! Events of appointments.

use std::collections::HashSet;

use chrono::TimeDelta;
use daybook_domain::appointment::{
    Agreed, AppointmentCancelled, AppointmentCheckedIn, AppointmentConfirmed, AppointmentDescribed,
    AppointmentEvent, AppointmentHeld, AppointmentHoldExpired, AppointmentRescheduled,
    AppointmentTagged, CancelledBy, Details, MovedBy, Seats, Slot,
};
use daybook_domain::time::{Buffer, Duration, Interval};
use daybook_domain::{AppointmentId, Category, Location, Reference, ResourceId, Tag, Tags, Title};
use daybook_store::AnyEvent;
use uuid::Uuid;

use super::world::at;

pub(crate) fn appointment(n: u128) -> AppointmentId {
    Uuid::from_u128(n).into()
}

pub(crate) fn slot(n: u128) -> Slot {
    let hour = TimeDelta::hours(i64::try_from(n % 10_000).unwrap());
    Slot {
        resource_ids: vec![ResourceId::from(Uuid::from_u128(1 + n % 5))].try_into().unwrap(),
        during: Interval::lasting(
            at("2027-01-04T09:00:00.123456789Z") + hour,
            Duration::from_minutes(30).unwrap(),
        ),
        buffer_before: Buffer::NONE,
        buffer_after: Buffer::NONE,
        seats: Seats::default(),
        quota_slots: Vec::new(),
        session_id: None,
        transparent: false,
    }
}

pub(crate) fn tags(names: &[&str]) -> Tags {
    let set: std::collections::BTreeSet<Tag> =
        names.iter().map(|name| Tag::new(name).unwrap()).collect();
    Tags::try_from(set).unwrap()
}

pub(crate) fn details(n: u128) -> Details {
    Details {
        service_id: Uuid::from_u128(100 + n % 3).into(),
        client_id: Uuid::from_u128(200 + n % 7).into(),
        slot: slot(n),
        title: Title::new(&format!("Visit {n}, \"quoted\" {{braces}} \\ NULL")).unwrap().into(),
        category: Category::new("care").unwrap(),
        tags: tags(&["adult", "a\"b\\c,{}"]),
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

pub(crate) fn booked(n: u128) -> AnyEvent {
    AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentBooked(details(n)))
}

/// One of everything that can happen, whatever was before.
pub(crate) fn happening(n: u128, kind: u8, by: u128) -> AnyEvent {
    use AppointmentEvent as E;
    let expires_at = at("2026-11-23T07:10:00Z");
    let event = match kind % 9 {
        0 => E::AppointmentHeld(AppointmentHeld { details: details(n + by), expires_at }),
        1 => E::AppointmentConfirmed(AppointmentConfirmed { slot: slot(n + by) }),
        2 => E::AppointmentRescheduled(AppointmentRescheduled {
            slot: slot(n + by),
            hold_expires_at: None,
            by: MovedBy::Staff,
            with_calendar: false,
            overridden: None,
        }),
        3 => E::AppointmentCancelled(AppointmentCancelled {
            reason: None,
            by: CancelledBy::Staff,
            overridden: None,
        }),
        4 => E::AppointmentHoldExpired(AppointmentHoldExpired {}),
        5 => E::AppointmentCheckedIn(AppointmentCheckedIn {}),
        6 => E::AppointmentTagged(AppointmentTagged {
            category: Category::new("other").unwrap(),
            tags: tags(&["late"]),
        }),
        7 => E::AppointmentDescribed(AppointmentDescribed {
            title: Title::new("Renamed").unwrap().into(),
            note: None,
            private: by.is_multiple_of(2),
            location: by.is_multiple_of(2).then(|| Location::new("Harbour, \\,{}").unwrap()),
            reference: Some(Reference::new(&format!("R-{n}")).unwrap()),
            metadata: serde_json::from_str(r#"{"a \"key\"": "b\\c,{}"}"#).unwrap(),
        }),
        _ => E::AppointmentBooked(details(n + by)),
    };
    AnyEvent::Appointment(appointment(n), event)
}

/// Leaves out what would make an appointment that has been made: no log says that.
pub(crate) fn once_made(events: &mut Vec<AnyEvent>) {
    let mut made = HashSet::new();
    events.retain(|event| match event {
        AnyEvent::Appointment(id, event) if event.details().is_some() => made.insert(*id),
        _ => true,
    });
}
