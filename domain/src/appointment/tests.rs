//! The rules of an appointment, a sentence each.

use std::sync::Arc;

use super::testing::{a_booking, after, at, facts, now, profile, resource, tags, terms};
use super::{
    Appointment, AppointmentCommand as C, AppointmentEvent, AppointmentRefusal as R, CancelledBy,
    MovedBy, State, Status, Wanted, When,
};
use crate::claim::Claims;
use crate::client::Client;
use crate::resource::Resource;
use crate::service::{HoldLimit, Service};
use crate::time::Interval;
use crate::{Category, Facts, Tags};

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

fn decided(given: Vec<C>, command: C) -> Result<AppointmentEvent, R> {
    after(given).decide(command, &facts())
}

fn refused_with(facts: &Facts, command: C) -> R {
    Appointment::default().decide(command, facts).unwrap_err()
}

#[test]
fn a_booking_takes_title_category_tags_and_length_from_its_service() {
    let appointment = after(vec![book()]);
    let details = appointment.details().unwrap();
    assert_eq!(details.title.as_str(), "Check-up");
    assert_eq!(details.category, terms().category);
    assert_eq!(details.tags, terms().tags);
    assert_eq!(details.slot.during.end(), at("2026-11-23T09:30:00Z"));
}

#[test]
fn a_booking_can_have_a_category_and_tags_of_its_own() {
    let mut booking = a_booking(TEN);
    booking.category = Some(Category::new("follow-up").unwrap());
    booking.tags = Some(Tags::default());
    let appointment = after(vec![C::BookAppointment(booking)]);
    let details = appointment.details().unwrap();
    assert_eq!((details.category.as_str(), &details.tags), ("follow-up", &Tags::default()));
}

#[test]
fn a_booking_claims_its_time_with_the_buffers() {
    let event = decided(vec![], book()).unwrap();
    let claims = event.claims_after().unwrap();
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].during.start(), at(TEN));
    assert_eq!(claims[0].during.end(), at("2026-11-23T09:40:00Z"));
    assert_eq!(claims[0].expires_at, None);
}

#[test]
fn nothing_is_booked_in_the_past() {
    let start = "2026-11-20T09:00:00Z";
    let refusal = refused_with(&facts(), C::BookAppointment(a_booking(start)));
    assert_eq!(refusal, R::InThePast { start: at(start) });
    assert_eq!(decided(vec![book()], move_to(start)), Err(R::InThePast { start: at(start) }));
}

#[test]
fn an_imported_booking_may_lie_in_the_past_and_has_its_own_length() {
    let mut booking = a_booking("2026-11-20T09:00:00Z");
    let during = Interval::new(at("2026-11-20T09:00:00Z"), at("2026-11-20T10:35:00Z")).unwrap();
    booking.when = When::Imported(during);
    let appointment = after(vec![C::BookAppointment(booking)]);
    let slot = &appointment.details().unwrap().slot;
    assert_eq!(slot.during.end(), at("2026-11-20T10:35:00Z"));
}

#[test]
fn nothing_is_booked_outside_opening_hours() {
    // 16:40 in Oslo; the room closes at 17:00, the appointment takes half an hour.
    let start = "2026-11-23T15:40:00Z";
    let during = Interval::new(at(start), at("2026-11-23T16:10:00Z")).unwrap();
    let refusal = refused_with(&facts(), C::BookAppointment(a_booking(start)));
    assert_eq!(refusal, R::OutsideOpeningHours { resource_id: resource(1), during });
    // The buffer after it may lie outside: 16:30 to 17:00, and ten minutes to clean up.
    assert!(decided(vec![], C::BookAppointment(a_booking("2026-11-23T15:30:00Z"))).is_ok());
}

#[test]
fn what_is_unknown_or_retired_is_not_booked() {
    let booking = a_booking(TEN);
    let (service_id, client_id) = (booking.service_id, booking.client_id);
    let resource_id = resource(1);
    let with = |change: fn(&mut Facts)| {
        let mut facts = facts();
        change(&mut facts);
        refused_with(&facts, book())
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
    let confirmed = decided(vec![hold()], C::ConfirmAppointment).unwrap();
    assert!(confirmed.claims_after().unwrap().iter().all(|claim| claim.expires_at.is_none()));
    let late = Facts { now: at("2026-11-23T07:10:00Z"), ..facts() };
    for command in [C::ConfirmAppointment, cancel(), move_to("2026-11-23T10:00:00Z")] {
        let refusal = after(vec![hold()]).decide(command, &late);
        assert_eq!(refusal, Err(R::HoldExpired { expired_at: late.now }));
    }
}

#[test]
fn a_hold_expires_only_when_its_time_has_come() {
    let expires_at = at("2026-11-23T07:10:00Z");
    let refusal = decided(vec![hold()], C::ExpireHold);
    assert_eq!(refusal, Err(R::HoldStillRuns { expires_at }));
    let late = Facts { now: expires_at, ..facts() };
    let expired = after(vec![hold()]).decide(C::ExpireHold, &late).unwrap();
    assert_eq!(expired.claims_after(), Some(vec![]));
}

#[test]
fn a_moved_hold_is_still_a_hold() {
    let moved = decided(vec![hold()], move_to("2026-11-23T10:00:00Z")).unwrap();
    let claims = moved.claims_after().unwrap();
    assert_eq!(claims[0].expires_at, Some(at("2026-11-23T07:10:00Z")));
    assert_eq!(claims[0].during.start(), at("2026-11-23T10:00:00Z"));
}

#[test]
fn moving_keeps_the_length() {
    let appointment = after(vec![book(), move_to("2026-11-24T10:00:00Z")]);
    let slot = &appointment.details().unwrap().slot;
    assert_eq!(slot.during.end(), at("2026-11-24T10:30:00Z"));
}

#[test]
fn cancelling_and_not_coming_free_the_time() {
    for command in [cancel(), C::MarkNoShow] {
        let event = decided(vec![book()], command).unwrap();
        assert_eq!(event.claims_after(), Some(vec![]));
    }
}

#[test]
fn an_appointment_goes_from_booked_to_checked_in_to_fulfilled() {
    let appointment = after(vec![book(), C::CheckInAppointment, C::CompleteAppointment]);
    assert!(matches!(appointment, Appointment::Made { state: State::Fulfilled, .. }));
}

#[test]
fn tags_change_in_any_status_and_nothing_else_does() {
    let tag = C::TagAppointment { category: None, tags: Some(tags(&["late"])) };
    let appointment = after(vec![book(), cancel(), tag]);
    let details = appointment.details().unwrap();
    assert_eq!((&details.category, &details.tags), (&terms().category, &tags(&["late"])));
    assert!(matches!(appointment, Appointment::Made { state: State::Cancelled(_), .. }));
}

/// What the log has of before there were places and limits.
#[test]
fn a_slot_of_before_there_were_places_reads_as_the_first_place_and_is_written_as_it_was() {
    let stored = r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002"],"during":{"start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10}}"#;
    let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
    let claims = event.claims_after().unwrap();
    assert_eq!(claims.iter().map(|claim| claim.seat).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

/// What the log has of places and limits. It is for ever.
#[test]
fn a_slot_says_which_places_it_has_and_what_it_counts_towards() {
    let stored = r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001","00000000-0000-0000-0000-000000000002"],"during":{"start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10,"seats":[0,3],"counted":[{"rule":"client-day","of":"00000000-0000-0000-0000-000000000003","number":1,"at_most":2,"during":{"start":"2026-11-23T00:00:00Z","end":"2026-11-24T00:00:00Z"}}]}}"#;
    let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
    let claims = event.claims_after().unwrap();
    let places: Vec<_> = claims.iter().map(|claim| (claim.resource, claim.seat)).collect();
    assert_eq!(places, [(resource(1), 0), (resource(2), 3), (resource(3), 1)]);
    assert_eq!(claims[2].during.length(), chrono::TimeDelta::days(1));
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

#[test]
fn an_appointment_is_made_once() {
    assert_eq!(decided(vec![book()], book()), Err(R::AppointmentExists));
    assert_eq!(decided(vec![book()], hold()), Err(R::AppointmentExists));
}

#[test]
fn nothing_can_be_done_with_what_was_never_made() {
    for command in [C::ConfirmAppointment, cancel(), C::CheckInAppointment, C::MarkNoShow] {
        assert_eq!(decided(vec![], command), Err(R::AppointmentNotFound));
    }
}

/// Each status against each command: the table in `docs/domain.md`.
#[test]
fn each_status_allows_its_commands_and_refuses_the_others() {
    let reach: [(Status, Vec<C>); 6] = [
        (Status::Held, vec![hold()]),
        (Status::Booked, vec![book()]),
        (Status::CheckedIn, vec![book(), C::CheckInAppointment]),
        (Status::Fulfilled, vec![book(), C::CompleteAppointment]),
        (Status::Cancelled, vec![book(), cancel()]),
        (Status::NoShow, vec![book(), C::MarkNoShow]),
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
            let result = decided(given.clone(), command.clone());
            if allowed.contains(status) {
                assert!(result.is_ok(), "{status} and {wanted}: {result:?}");
            } else {
                let refusal = R::WrongStatus { status: *status, wanted: *wanted };
                assert_eq!(result, Err(refusal));
            }
        }
    }
    assert!(now() < at(TEN));
}
