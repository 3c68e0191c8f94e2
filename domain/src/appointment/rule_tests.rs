//! The rules of a service, and who may break them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::testing::{a_booking, after, at, facts, now, resource, terms};
use super::{
    Appointment, AppointmentCommand as C, AppointmentEvent, AppointmentRefusal as R, CancelledBy,
    MovedBy, Overridden, When,
};
use crate::resource::Resource;
use crate::service::rules::{Broken, Rule};
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::time::{Duration, Interval};
use crate::{Facts, Reason};

/// A day after [`now`], and 10:00 in Oslo.
const TOMORROW: &str = "2026-11-24T09:00:00Z";

fn terms_with(rules: &str) -> ServiceTerms {
    let price = serde_json::from_str(r#"{"amount_minor":45000,"currency":"NOK"}"#).unwrap();
    ServiceTerms { rules: serde_json::from_str(rules).unwrap(), price: Some(price), ..terms() }
}

/// The facts of a service with these rules.
fn under(rules: &str) -> Facts {
    Facts { service: Arc::new(Service::Offered(terms_with(rules))), ..facts() }
}

fn book(start: &str) -> C {
    C::BookAppointment(a_booking(start))
}

fn decided(given: &Appointment, command: C, facts: &Facts) -> Result<AppointmentEvent, R> {
    given.decide(command, facts)
}

/// A booking of tomorrow, made under these facts.
fn booked(facts: &Facts) -> Appointment {
    let mut appointment = Appointment::default();
    appointment.evolve(appointment.decide(book(TOMORROW), facts).unwrap());
    appointment
}

fn because(reason: &str) -> Reason {
    Reason::new(reason).unwrap()
}

fn cancel(by: CancelledBy, overriding: Option<Reason>) -> C {
    C::CancelAppointment { reason: None, by, overriding }
}

fn move_to(start: &str, by: MovedBy, overriding: Option<Reason>) -> C {
    C::RescheduleAppointment { start: at(start), resource_ids: None, by, overriding }
}

#[track_caller]
fn is_broken<T: std::fmt::Debug>(decided: Result<T, R>, rule: Rule) -> Broken {
    match decided {
        Err(R::RuleBroken(broken)) if broken.rule() == rule => broken,
        other => panic!("{rule:?} is not broken: {other:?}"),
    }
}

#[test]
fn a_booking_is_as_long_as_it_chose_and_no_other_length_is_offered() {
    let facts =
        under(r#"{"durations":[{"minutes":60,"price":{"amount_minor":80000,"currency":"NOK"}}]}"#);
    let lasting = |minutes| {
        let duration = Duration::from_minutes(minutes).unwrap();
        let when = When::Lasting { start: at(TOMORROW), duration };
        let booking = super::Booking { when, ..a_booking(TOMORROW) };
        decided(&Appointment::default(), C::BookAppointment(booking), &facts)
    };
    let Ok(AppointmentEvent::AppointmentBooked(details)) = lasting(60) else { panic!("refused") };
    assert_eq!(details.slot.during.end(), at("2026-11-24T10:00:00Z"));
    assert_eq!(details.agreed.price.unwrap().amount_minor.get(), 80_000);
    is_broken(lasting(45), Rule::OfferedDuration);
}

#[test]
fn a_booking_and_a_move_meet_the_rules_about_when_it_is() {
    let facts =
        under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":120,"booking_horizon_days":7}"#);
    let appointment = booked(&facts);
    for (start, rule) in [
        ("2026-11-24T09:10:00Z", Rule::StartGrid),
        ("2026-11-23T08:30:00Z", Rule::MinimumNotice),
        ("2026-12-01T09:00:00Z", Rule::BookingHorizon),
    ] {
        is_broken(decided(&Appointment::default(), book(start), &facts), rule);
        let hold = C::HoldAppointment {
            booking: a_booking(start),
            expires_at: at(TOMORROW),
            holds_per_client: HoldLimit::default(),
        };
        is_broken(decided(&Appointment::default(), hold, &facts), rule);
        for by in [MovedBy::Client, MovedBy::Staff] {
            is_broken(decided(&appointment, move_to(start, by, None), &facts), rule);
        }
    }
    assert!(decided(&Appointment::default(), book("2026-11-23T09:00:00Z"), &facts).is_ok());
    assert!(decided(&Appointment::default(), book("2026-11-30T09:00:00Z"), &facts).is_ok());
}

#[test]
fn a_retired_services_rules_still_hold_for_moves() {
    let facts = under(r#"{"slot_step_minutes":30}"#);
    let appointment = booked(&facts);
    let retired = Service::Retired(facts.service.terms().unwrap().clone());
    let facts = Facts { service: Arc::new(retired), ..facts };
    let moved = |start| decided(&appointment, move_to(start, MovedBy::Client, None), &facts);
    is_broken(moved("2026-11-25T09:10:00Z"), Rule::StartGrid);
    assert!(moved("2026-11-25T09:30:00Z").is_ok());
}

#[test]
fn an_imported_booking_was_agreed_by_other_rules() {
    let facts = under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":120}"#);
    let during = Interval::new(at("2026-11-20T09:07:00Z"), at("2026-11-20T09:50:00Z")).unwrap();
    let booking = super::Booking { when: When::Imported(during), ..a_booking(TOMORROW) };
    let event = decided(&Appointment::default(), C::BookAppointment(booking), &facts).unwrap();
    let AppointmentEvent::AppointmentBooked(details) = event else { panic!("{event:?}") };
    assert!(details.agreed.is_empty());
}

#[test]
fn a_client_cancels_and_moves_until_the_window_closes_and_staff_until_it_begins() {
    let facts = under(r#"{"cancellation_window_minutes":1440,"rescheduling_window_minutes":120}"#);
    let appointment = booked(&facts);
    let cancelled = |by, now: &str| {
        decided(&appointment, cancel(by, None), &Facts { now: at(now), ..facts.clone() })
    };
    assert!(cancelled(CancelledBy::Client, "2026-11-23T09:00:00Z").is_ok());
    is_broken(
        cancelled(CancelledBy::Client, "2026-11-23T09:00:00.000001Z"),
        Rule::CancellationWindow,
    );
    assert!(cancelled(CancelledBy::Staff, "2026-11-24T08:59:00Z").is_ok());
    let moved = |by, now: &str| {
        let command = move_to("2026-11-25T09:00:00Z", by, None);
        decided(&appointment, command, &Facts { now: at(now), ..facts.clone() })
    };
    assert!(moved(MovedBy::Client, "2026-11-24T07:00:00Z").is_ok());
    let broken = moved(MovedBy::Client, "2026-11-24T07:00:01Z");
    is_broken(broken, Rule::ReschedulingWindow);
    assert!(moved(MovedBy::Staff, "2026-11-24T08:59:00Z").is_ok());
}

#[test]
fn a_client_lets_go_of_a_hold_when_it_likes() {
    let facts =
        under(r#"{"cancellation_window_minutes":20160,"rescheduling_window_minutes":20160}"#);
    let mut held = Appointment::default();
    let expires_at = at("2026-11-23T07:10:00Z");
    let holds_per_client = HoldLimit::default();
    let command = C::HoldAppointment { booking: a_booking(TOMORROW), expires_at, holds_per_client };
    held.evolve(held.decide(command, &facts).unwrap());
    assert!(decided(&held, cancel(CancelledBy::Client, None), &facts).is_ok());
    let command = move_to("2026-11-25T09:00:00Z", MovedBy::Client, None);
    assert!(decided(&held, command, &facts).is_ok());
}

#[test]
fn what_was_agreed_stands_when_the_service_is_revised() {
    let appointment = booked(&under(r#"{"cancellation_window_minutes":60}"#));
    let stricter = under(r#"{"cancellation_window_minutes":2880}"#);
    assert!(decided(&appointment, cancel(CancelledBy::Client, None), &stricter).is_ok());
    assert_eq!(appointment.details().unwrap().agreed.price.unwrap().amount_minor.get(), 45_000);
}

#[test]
fn an_override_names_every_rule_that_it_broke() {
    let facts = under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":2880}"#);
    // 18:10 in Oslo; the room closes at 17:00.
    let booking = super::Booking {
        overriding: Some(because("she flies tomorrow")),
        ..a_booking("2026-11-23T17:10:00Z")
    };
    let event = decided(&Appointment::default(), C::BookAppointment(booking), &facts).unwrap();
    let AppointmentEvent::AppointmentBooked(details) = event else { panic!("{event:?}") };
    let rules = BTreeSet::from([Rule::StartGrid, Rule::MinimumNotice, Rule::OpeningHours]);
    let reason = because("she flies tomorrow");
    let closed = Some(BTreeSet::from([resource(1)]));
    assert_eq!(details.overridden, Some(Overridden { reason, rules, closed }));
}

#[test]
fn an_override_that_was_not_needed_is_recorded_all_the_same() {
    let booking = super::Booking { overriding: Some(because("to be safe")), ..a_booking(TOMORROW) };
    let appointment = after(vec![C::BookAppointment(booking)]);
    let overridden = appointment.details().unwrap().overridden.as_ref().unwrap();
    assert!(overridden.rules.is_empty());
}

#[test]
fn a_move_within_the_rules_ends_an_override() {
    let booking =
        super::Booking { overriding: Some(because("urgent")), ..a_booking("2026-11-23T17:10:00Z") };
    let mut appointment = after(vec![C::BookAppointment(booking)]);
    let moved = appointment.decide(move_to(TOMORROW, MovedBy::Staff, None), &facts()).unwrap();
    appointment.evolve(moved);
    assert_eq!(appointment.details().unwrap().overridden, None);
    let back = move_to("2026-11-23T17:10:00Z", MovedBy::Staff, Some(because("urgent again")));
    appointment.evolve(appointment.decide(back, &facts()).unwrap());
    let overridden = appointment.details().unwrap().overridden.clone().unwrap();
    assert_eq!(overridden.rules, BTreeSet::from([Rule::OpeningHours]));
}

#[test]
fn an_override_cancels_for_a_client_who_is_late() {
    let facts = under(r#"{"cancellation_window_minutes":2880}"#);
    let appointment = booked(&facts);
    let late = cancel(CancelledBy::Client, Some(because("ill")));
    let event = decided(&appointment, late, &facts).unwrap();
    let AppointmentEvent::AppointmentCancelled(cancelled) = event else { panic!("{event:?}") };
    let rules = BTreeSet::from([Rule::CancellationWindow]);
    assert_eq!(cancelled.overridden.unwrap().rules, rules);
}

#[test]
fn an_override_does_not_reach_the_past_nor_what_is_unknown_or_retired() {
    let with = |start: &str, facts: &Facts| {
        let booking = super::Booking { overriding: Some(because("anyway")), ..a_booking(start) };
        decided(&Appointment::default(), C::BookAppointment(booking), facts).unwrap_err()
    };
    let past = "2026-11-23T06:59:00Z";
    assert_eq!(with(past, &facts()), R::InThePast { start: at(past) });
    let mut unknown = facts();
    unknown.resources[0].1 = Arc::new(Resource::Unregistered);
    assert_eq!(with(TOMORROW, &unknown), R::UnknownResource { resource_id: resource(1) });
    let unoffered = Facts { service: Arc::default(), ..facts() };
    assert!(matches!(with(TOMORROW, &unoffered), R::UnknownService { .. }));
    assert!(now() < at(TOMORROW));
}

/// The log is for ever: what was written before rules were known is read, and what needs none of
/// them is written as it was.
#[test]
fn a_booking_without_rules_is_stored_as_it_always_was() {
    let stored = r#"{"type":"AppointmentBooked","service_id":"00000000-0000-0000-0000-000000000064","client_id":"00000000-0000-0000-0000-0000000000c8","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10},"title":"Check-up","category":"care","tags":["adult"]}"#;
    let event = decided(&Appointment::default(), book(TOMORROW), &facts()).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    assert_eq!(serde_json::from_str::<AppointmentEvent>(stored).unwrap(), event);
    for stored in [
        r#"{"type":"AppointmentCancelled","by":"client"}"#,
        r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start":"2026-11-24T09:00:00Z","end":"2026-11-24T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10}}"#,
    ] {
        let event: AppointmentEvent = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }
}

#[test]
fn what_was_agreed_and_overridden_is_stored_under_its_names() {
    let facts = under(
        r#"{"minimum_notice_minutes":2880,"rescheduling_window_minutes":60,"cancellation_window_minutes":120}"#,
    );
    let booking = super::Booking { overriding: Some(because("ill")), ..a_booking(TOMORROW) };
    let event = decided(&Appointment::default(), C::BookAppointment(booking), &facts).unwrap();
    let stored = serde_json::to_value(&event).unwrap();
    let agreed = serde_json::json!({
        "price": {"amount_minor": 45000, "currency": "NOK"},
        "rescheduling_window_minutes": 60, "cancellation_window_minutes": 120,
    });
    assert_eq!(stored["agreed"], agreed);
    let overridden = serde_json::json!({"reason": "ill", "rules": ["minimum-notice"]});
    assert_eq!(stored["overridden"], overridden);
    assert_eq!(serde_json::from_value::<AppointmentEvent>(stored).unwrap(), event);
}

#[test]
fn a_broken_rule_is_kept_as_an_answer_and_read_again() {
    let facts =
        under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":120,"booking_horizon_days":7}"#);
    for start in ["2026-11-24T09:10:00Z", "2026-11-23T08:30:00Z", "2026-12-01T09:00:00Z"] {
        let refusal = decided(&Appointment::default(), book(start), &facts).unwrap_err();
        let refusal = crate::Refusal::from(refusal);
        let kept = serde_json::to_string(&refusal).unwrap();
        assert_eq!(serde_json::from_str::<crate::Refusal>(&kept).unwrap(), refusal, "{kept}");
    }
}
