//! What an appointment takes, event by event.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::ResourceId;
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentConfirmed, AppointmentEvent, AppointmentHeld,
    AppointmentHoldExpired, AppointmentMarkedNoShow, AppointmentRescheduled, CancelledBy, Details,
    MovedBy,
};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use uuid::Uuid;

use super::super::booked::Booking;
use crate::change::AppointmentChanges;
use crate::tests::bookings::{appointment, details, slot};
use crate::tests::world::at;

/// Status, minutes and lead time in hours, of what is taken after these events; each is recorded an hour after
/// the one before it, from a day before the first slot on.
fn taken(events: &[AppointmentEvent]) -> Vec<(&'static str, i64, Option<i64>)> {
    let mut recorded_at: DateTime<Utc> = at("2027-01-03T09:00:00Z");
    let recorded = events.iter().zip(1_u64..).map(|(event, sequence)| {
        let event = AnyEvent::Appointment(appointment(1), event.clone());
        let position = Position::from_i64(sequence.cast_signed());
        let recorded = RecordedEvent { position, sequence, event, recorded_at, trace: None };
        recorded_at += TimeDelta::hours(1);
        recorded
    });
    let recorded: Vec<RecordedEvent> = recorded.collect();
    let changes = AppointmentChanges::of(&[], &recorded).unwrap();
    let booking = changes.streams().find_map(Booking::of_appointment);
    let zones: BTreeMap<ResourceId, Tz> =
        (1..6).map(|n| (Uuid::from_u128(n).into(), Tz::UTC)).collect();
    let taken = booking.map(|booking| booking.taken(&zones)).unwrap_or_default();
    taken
        .into_iter()
        .map(|it| (it.outcome.as_str(), it.minutes, it.lead_minutes.map(|it| it / 60)))
        .collect()
}

fn held() -> AppointmentEvent {
    let expires_at = at("2027-01-04T09:00:00Z");
    AppointmentEvent::AppointmentHeld(AppointmentHeld { details: details(0), expires_at })
}

fn moved_by_hours(hours: u128) -> AppointmentEvent {
    AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot: slot(hours),
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    })
}

fn cancelled() -> AppointmentEvent {
    let by = CancelledBy::Client;
    let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
    AppointmentEvent::AppointmentCancelled(cancelled)
}

#[test]
fn lead_time_goes_from_the_booking_to_where_it_starts_now() {
    let booked = || AppointmentEvent::AppointmentBooked(details(0));
    assert_eq!(taken(&[booked()]), [("booked", 30, Some(24))]);
    assert_eq!(taken(&[booked(), moved_by_hours(5)]), [("booked", 30, Some(29))]);
    let missed = AppointmentEvent::AppointmentMarkedNoShow(AppointmentMarkedNoShow {});
    assert_eq!(taken(&[booked(), missed]), [("no-show", 30, Some(24))]);
    assert_eq!(taken(&[booked(), cancelled()]), [("cancelled", 0, None)]);
    let imported = Details { imported: true, ..details(0) };
    let imported = AppointmentEvent::AppointmentBooked(imported);
    assert_eq!(taken(&[imported]), [("booked", 30, None)]);
}

#[test]
fn a_hold_takes_nothing_until_it_is_confirmed_and_is_booked_then() {
    let confirmed =
        || AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot: slot(0) });
    assert_eq!(taken(&[held()]), []);
    assert_eq!(taken(&[held(), moved_by_hours(3)]), []);
    assert_eq!(taken(&[held(), cancelled()]), []);
    let expired = AppointmentEvent::AppointmentHoldExpired(AppointmentHoldExpired {});
    assert_eq!(taken(&[held(), expired]), []);
    assert_eq!(taken(&[held(), confirmed()]), [("booked", 30, Some(23))]);
    assert_eq!(taken(&[held(), confirmed(), cancelled()]), [("cancelled", 0, None)]);
}
