//! The rules of an appointment, a sentence each.

use std::sync::Arc;

use super::{
    Appointment, AppointmentCheckedIn, AppointmentCommand as C, AppointmentCompleted,
    AppointmentConfirmed, AppointmentEvent, AppointmentHoldExpired, AppointmentRefusal as R,
    AppointmentRescheduled, AppointmentTagged, CancelledBy, Copied, Details, MovedBy, Slot, Status,
    Wanted, When,
};
use crate::claim::Claims;
use crate::client::Client;
use crate::resource::Resource;
use crate::service::{HoldLimit, Service};
use crate::testing::{
    Given, a_booking, at, booked, details, facts, given, now, profile, resource, tags, terms,
};
use crate::time::Interval;
use crate::{Category, Decide as _, Facts, FreeTitle, Tags, Title, Titles};

const TEN: &str = "2026-11-23T09:00:00Z";

fn book() -> C {
    C::BookAppointment(a_booking(TEN))
}

fn hold() -> C {
    C::HoldAppointment {
        booking: a_booking(TEN),
        expires_at: at("2026-11-23T07:10:00Z"),
        holds_per_client: HoldLimit::default(),
    }
}

fn cancel() -> C {
    C::CancelAppointment { reason: None, by: CancelledBy::Client, overriding: None }
}

fn move_to(start: &str) -> C {
    C::RescheduleAppointment {
        start: at(start),
        resource_ids: None,
        by: MovedBy::Client,
        overriding: None,
    }
}

fn nothing() -> Given<Appointment> {
    given([])
}

fn a_booked_appointment() -> Given<Appointment> {
    given([booked(TEN)])
}

fn a_held_appointment() -> Given<Appointment> {
    nothing().when(hold()).and()
}

#[test]
fn a_booking_takes_title_category_tags_and_length_from_its_service() {
    nothing().when(book()).then(booked(TEN));
}

#[test]
fn a_title_that_is_given_is_as_titles_are_and_the_name_of_a_service_is_public() {
    let title = FreeTitle::from(Title::new("Fitting").unwrap());
    let given =
        || C::BookAppointment(super::Booking { title: Some(title.clone()), ..a_booking(TEN) });
    for titles in Titles::ALL {
        let facts = Facts { titles, ..facts() };
        let details = Details { title: title.clone().given_where(titles), ..details(TEN) };
        let event = AppointmentEvent::AppointmentBooked(details);
        nothing().knowing(&facts).when(given()).then(event);
        nothing().knowing(&facts).when(book()).then(booked(TEN));
    }
    assert!(Appointment::gives_title(&given()) && !Appointment::gives_title(&book()));
}

#[test]
fn a_booking_can_have_a_category_and_tags_of_its_own() {
    let category = Category::new("follow-up").unwrap();
    let booking = super::Booking {
        category: Some(category.clone()),
        tags: Some(Tags::default()),
        ..a_booking(TEN)
    };
    let details = Details { category, tags: Tags::default(), ..details(TEN) };
    nothing().when(C::BookAppointment(booking)).then(AppointmentEvent::AppointmentBooked(details));
}

#[test]
fn a_booking_claims_its_time_with_the_buffers() {
    let claims = booked(TEN).claims_after().unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].during.start(), at(TEN));
    assert_eq!(claims[0].during.end(), at("2026-11-23T09:40:00Z"));
    assert_eq!(claims[0].expires_at, None);
}

#[test]
fn nothing_is_booked_in_the_past() {
    let start = "2026-11-20T09:00:00Z";
    let refusal = || R::InThePast { start: at(start) };
    nothing().when(C::BookAppointment(a_booking(start))).then_refused(refusal());
    a_booked_appointment().when(move_to(start)).then_refused(refusal());
}

#[test]
fn an_imported_booking_may_lie_in_the_past_and_has_its_own_length() {
    let during = Interval::new(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:35:00Z")).unwrap();
    let when = When::Imported(Copied::exclusive(during));
    let booking = super::Booking { when, ..a_booking(TEN) };
    let slot = Slot { during, ..details(TEN).slot };
    let details = Details { slot, imported: true, ..details(TEN) };
    nothing().when(C::BookAppointment(booking)).then(AppointmentEvent::AppointmentBooked(details));
}

#[test]
fn nothing_is_booked_outside_opening_hours() {
    // 16:40 in Oslo; the room closes at 17:00, the appointment takes half an hour.
    let start = "2026-11-23T15:40:00Z";
    let during = Interval::new(at(start), at("2026-11-23T16:10:00Z")).unwrap();
    nothing()
        .when(C::BookAppointment(a_booking(start)))
        .then_refused(R::OutsideOpeningHours { resource_id: resource(1), during });
    // The buffer after it may lie outside: 16:30 to 17:00, and ten minutes to clean up.
    let last = "2026-11-23T15:30:00Z";
    nothing().when(C::BookAppointment(a_booking(last))).then(booked(last));
}

#[test]
fn what_is_unknown_or_retired_is_not_booked() {
    let booking = a_booking(TEN);
    let (service_id, client_id) = (booking.service_id, booking.client_id);
    let resource_id = resource(1);
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        nothing().knowing(&facts).when(book()).refusal()
    };
    assert_eq!(with(|f| f.service = Arc::default()), R::UnknownService { service_id });
    assert_eq!(
        with(|f| f.service = Arc::new(Service::Retired(terms()))),
        R::RetiredService { service_id }
    );
    assert_eq!(with(|f| f.resources[0].1 = Arc::default()), R::UnknownResource { resource_id });
    assert_eq!(
        with(|f| f.resources[0].1 = Arc::new(Resource::Retired(profile()))),
        R::RetiredResource { resource_id }
    );
    assert_eq!(with(|f| f.client = Arc::new(Client::Unregistered)), R::UnknownClient { client_id });
}

#[test]
fn a_hold_can_be_changed_until_it_lapses_and_not_after() {
    let slot = details(TEN).slot;
    a_held_appointment()
        .when(C::ConfirmAppointment)
        .then(AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }));
    let expired_at = at("2026-11-23T07:10:00Z");
    for command in [C::ConfirmAppointment, cancel(), move_to("2026-11-23T10:00:00Z")] {
        a_held_appointment()
            .at(expired_at)
            .when(command)
            .then_refused(R::HoldExpired { expired_at });
    }
}

#[test]
fn a_hold_expires_only_when_its_time_has_come() {
    let expires_at = at("2026-11-23T07:10:00Z");
    a_held_appointment().when(C::ExpireHold).then_refused(R::HoldStillRuns { expires_at });
    let expired = AppointmentEvent::AppointmentHoldExpired(AppointmentHoldExpired {});
    a_held_appointment().at(expires_at).when(C::ExpireHold).then(expired.clone());
    assert_eq!(expired.claims_after(), Some(vec![]));
}

#[test]
fn a_moved_hold_is_still_a_hold() {
    let moved = a_held_appointment().when(move_to("2026-11-23T10:00:00Z")).event();
    let claims = moved.claims_after().unwrap();
    assert_eq!(claims[0].expires_at, Some(at("2026-11-23T07:10:00Z")));
    assert_eq!(claims[0].during.start(), at("2026-11-23T10:00:00Z"));
}

#[test]
fn moving_keeps_the_length() {
    let start = "2026-11-24T10:00:00Z";
    let moved = AppointmentRescheduled {
        slot: details(start).slot,
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    };
    a_booked_appointment()
        .when(move_to(start))
        .then(AppointmentEvent::AppointmentRescheduled(moved));
}

#[test]
fn cancelling_and_not_coming_free_the_time() {
    for command in [cancel(), C::MarkNoShow] {
        let event = a_booked_appointment().when(command).event();
        assert_eq!(event.claims_after(), Some(vec![]));
    }
}

#[test]
fn the_booked_time_is_that_of_every_booking_but_cancelled_ones() {
    let after = |command| a_booked_appointment().when(command).and().state();
    let slot = details(TEN).slot;
    for booked in [
        a_booked_appointment().state(),
        after(C::CheckInAppointment),
        after(C::CompleteAppointment),
        after(C::MarkNoShow),
    ] {
        assert_eq!(booked.booked_slot(), Some(&slot), "{booked:?}");
    }
    for other in [a_held_appointment().state(), after(cancel()), Appointment::default()] {
        assert_eq!(other.booked_slot(), None, "{other:?}");
    }
}

#[test]
fn an_appointment_goes_from_booked_to_checked_in_to_fulfilled() {
    let fulfilled = a_booked_appointment()
        .when(C::CheckInAppointment)
        .then(AppointmentEvent::AppointmentCheckedIn(AppointmentCheckedIn {}))
        .when(C::CompleteAppointment)
        .then(AppointmentEvent::AppointmentCompleted(AppointmentCompleted {}));
    assert_eq!(fulfilled.state().status(), Some(Status::Fulfilled));
}

#[test]
fn tags_change_in_any_status_and_nothing_else_does() {
    let tag = C::TagAppointment { category: None, tags: Some(tags(&["late"])) };
    let (category, tags) = (terms().category, tags(&["late"]));
    let cancelled = a_booked_appointment().when(cancel()).and();
    let tagged = cancelled
        .when(tag)
        .then(AppointmentEvent::AppointmentTagged(AppointmentTagged { category, tags }));
    assert_eq!(tagged.state().status(), Some(Status::Cancelled));
}

/// What the log has of before there were places and limits.
#[test]
fn a_slot_of_before_there_were_places_reads_as_the_first_place_and_is_written_as_it_was() {
    let stored = r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002"],"during":{"start_at":"2026-11-23T09:00:00Z","end_at":"2026-11-23T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10}}"#;
    let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
    let claims = event.claims_after().unwrap();
    assert_eq!(claims.iter().map(|claim| claim.seat).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

/// What the log has of places and limits. It is for ever.
#[test]
fn a_slot_says_which_places_it_has_and_what_it_counts_towards() {
    let stored = r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002"],"during":{"start_at":"2026-11-23T09:00:00Z","end_at":"2026-11-23T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10,"seats":[0,3],"counted":[{"rule":"client-day","of":"00000000-0000-0000-0000-000000000003","number":1,"at_most":2,"during":{"start_at":"2026-11-23T00:00:00Z","end_at":"2026-11-24T00:00:00Z"}}]}}"#;
    let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
    let claims = event.claims_after().unwrap();
    let places: Vec<_> = claims.iter().map(|claim| (claim.resource, claim.seat)).collect();
    assert_eq!(places, [(resource(1), 0), (resource(2), 3), (resource(3), 1)]);
    assert_eq!(claims[2].during.length(), chrono::TimeDelta::days(1));
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

#[test]
fn an_appointment_is_made_once() {
    for command in [book(), hold()] {
        a_booked_appointment().when(command).then_refused(R::AppointmentExists);
    }
}

#[test]
fn nothing_can_be_done_with_what_was_never_made() {
    for command in [C::ConfirmAppointment, cancel(), C::CheckInAppointment, C::MarkNoShow] {
        nothing().when(command).then_refused(R::AppointmentNotFound);
    }
}

/// Each status against each command: the table in `docs/domain.md`.
#[test]
fn each_status_allows_its_commands_and_refuses_the_others() {
    let after = |command| a_booked_appointment().when(command).and();
    let reach: [(Status, Given<Appointment>); 6] = [
        (Status::Held, a_held_appointment()),
        (Status::Booked, a_booked_appointment()),
        (Status::CheckedIn, after(C::CheckInAppointment)),
        (Status::Fulfilled, after(C::CompleteAppointment)),
        (Status::Cancelled, after(cancel())),
        (Status::NoShow, after(C::MarkNoShow)),
    ];
    let commands: [(Wanted, C, &[Status]); 7] = [
        (Wanted::Confirmed, C::ConfirmAppointment, &[Status::Held]),
        (Wanted::Rescheduled, move_to(TEN), &[Status::Held, Status::Booked]),
        (Wanted::Cancelled, cancel(), &[Status::Held, Status::Booked]),
        (Wanted::Released, C::ReleaseHold, &[Status::Held]),
        (Wanted::CheckedIn, C::CheckInAppointment, &[Status::Booked]),
        (Wanted::Completed, C::CompleteAppointment, &[Status::Booked, Status::CheckedIn]),
        (Wanted::MarkedNoShow, C::MarkNoShow, &[Status::Booked]),
    ];
    for (status, given) in &reach {
        for (wanted, command, allowed) in &commands {
            let decided = given.clone().when(command.clone());
            if allowed.contains(status) {
                decided.and();
            } else {
                decided.then_refused(R::WrongStatus { status: *status, wanted: *wanted });
            }
        }
    }
    assert!(now() < at(TEN));
}
