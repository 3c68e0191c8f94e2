//! What events make of the rows.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentCheckedIn, AppointmentConfirmed, AppointmentEvent,
    AppointmentHeld, AppointmentRescheduled, AppointmentTagged, CancelledBy, MovedBy, Status,
};
use daybook_store::{AnyEvent, Position, RecordedEvent};

use super::version::{AppointmentVersion, Until, Versions};
use crate::ApplyError;
use crate::change::AppointmentChanges;
use crate::tests::bookings::{appointment, details, slot, tags};
use crate::tests::world::at;

/// Everything that was ever so, by position.
type All = BTreeMap<Position, AppointmentVersion>;

fn tagged(names: &[&str]) -> AppointmentEvent {
    let category = details(1).category;
    AppointmentEvent::AppointmentTagged(AppointmentTagged { category, tags: tags(names) })
}

fn moved(to: u128) -> AppointmentEvent {
    AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot: slot(to),
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    })
}

/// Two appointments, turn by turn.
fn events() -> Vec<RecordedEvent> {
    let expires_at = at("2026-11-23T08:00:00Z");
    let held = AppointmentHeld { details: details(2), expires_at };
    let by = CancelledBy::Staff;
    let cancelled = AppointmentCancelled { reason: None, by, overridden: None };
    let events = [
        (1, AppointmentEvent::AppointmentBooked(details(1))),
        (2, AppointmentEvent::AppointmentHeld(held)),
        (1, tagged(&["vip"])),
        (2, AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot: slot(2) })),
        (1, moved(5)),
        (1, AppointmentEvent::AppointmentCancelled(cancelled)),
        (2, AppointmentEvent::AppointmentCheckedIn(AppointmentCheckedIn {})),
    ];
    let mut sequences: HashMap<u128, u64> = HashMap::new();
    let recorded = events.into_iter().zip(1_u32..).map(|((id, event), n)| {
        let sequence = sequences.entry(id).or_default();
        *sequence += 1;
        RecordedEvent {
            position: Position::START.plus(n.into()),
            sequence: *sequence,
            event: AnyEvent::Appointment(appointment(id), event),
            recorded_at: at("2026-11-23T07:00:00Z") + TimeDelta::seconds(n.into()),
            trace: None,
        }
    });
    recorded.collect()
}

/// A batch after others: what there was, with what it ends and makes.
fn apply(all: &mut All, earlier: &[RecordedEvent], batch: &[RecordedEvent]) {
    // Only of those that the batch touches, as they are read from the log.
    let earlier: Vec<_> = earlier.iter().filter(|it| touches(batch, it)).cloned().collect();
    for stream in AppointmentChanges::of(&earlier, batch).unwrap().streams() {
        let Versions { ended, made } = Versions::of(stream).unwrap();
        if let Some(row) = ended {
            assert!(all.insert(row.appointment.position, row).is_some(), "what ends was there");
        }
        for row in made {
            assert!(all.insert(row.appointment.position, row).is_none(), "what is made was not");
        }
    }
}

fn touches(batch: &[RecordedEvent], earlier: &RecordedEvent) -> bool {
    let id = |recorded: &RecordedEvent| match &recorded.event {
        AnyEvent::Appointment(id, _) => *id,
        other => panic!("{other:?}"),
    };
    batch.iter().any(|recorded| id(recorded) == id(earlier))
}

#[test]
fn a_row_is_valid_from_its_event_to_the_next_of_its_appointment() {
    let mut all = All::new();
    apply(&mut all, &[], &events());
    let valid: Vec<_> = all
        .values()
        .map(|row| {
            let until = row.until.map(|until| until.position.get());
            (row.appointment.position.get(), until, row.appointment.status)
        })
        .collect();
    let expected = [
        (1, Some(3), Status::Booked),
        (2, Some(4), Status::Held),
        (3, Some(5), Status::Booked),
        (4, Some(7), Status::Booked),
        (5, Some(6), Status::Booked),
        (6, None, Status::Cancelled),
        (7, None, Status::CheckedIn),
    ];
    assert_eq!(valid, expected);
    let third = &all[&Position::START.plus(3)];
    assert_eq!(third.recorded_at, at("2026-11-23T07:00:03Z"));
    let until = Until { position: Position::START.plus(5), at: at("2026-11-23T07:00:05Z") };
    assert_eq!(third.until, Some(until));
    // It has not moved yet, and has its place where it was.
    assert_eq!(third.placed.busy, slot(1).claimed());
    assert_eq!(all[&Position::START.plus(6)].placed.busy, slot(5).claimed());
}

#[test]
fn however_the_events_are_cut_into_batches_the_rows_are_the_same() {
    let events = events();
    let mut whole = All::new();
    apply(&mut whole, &[], &events);
    for cuts in 0..1_u32 << (events.len() - 1) {
        let mut all = All::new();
        let mut begin = 0;
        for end in 1..=events.len() {
            if cuts & (1 << (end - 1)) != 0 || end == events.len() {
                apply(&mut all, &events[..begin], &events[begin..end]);
                begin = end;
            }
        }
        assert_eq!(all, whole, "{cuts:b}");
    }
}

#[test]
fn an_event_of_what_was_never_made_is_refused_at_its_position() {
    let events = events();
    let refused = AppointmentChanges::of(&[], &events[2..]).unwrap_err();
    let ApplyError::Event { position, .. } = refused else { panic!("{refused}") };
    assert_eq!(position, events[2].position);
}
