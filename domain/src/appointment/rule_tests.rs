//! The rules of a service, and who may break them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Appointment, AppointmentCommand as C, AppointmentEvent, AppointmentRefusal as R, CancelledBy,
    Copied, MovedBy, Overridden, When,
};
use crate::resource::Resource;
use crate::service::rules::Rule;
use crate::service::{HoldLimit, Service, ServiceTerms};
use crate::testing::{Decided, Given, a_booking, at, facts, given, now, resource, terms};
use crate::time::{Duration, Interval};
use crate::{Facts, Personal, Reason};

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

/// No appointment yet, of a service with these rules.
fn nothing(facts: &Facts) -> Given<Appointment> {
    given([]).knowing(facts)
}

/// A booking of tomorrow, made under these facts.
fn booked(facts: &Facts) -> Given<Appointment> {
    nothing(facts).when(book(TOMORROW)).and()
}

fn because(reason: &str) -> Personal<Reason> {
    Personal::new(Reason::new(reason).unwrap())
}

fn cancel(by: CancelledBy, overriding: Option<Personal<Reason>>) -> C {
    C::CancelAppointment { reason: None, by, overriding }
}

fn move_to(start: &str, by: MovedBy, overriding: Option<Personal<Reason>>) -> C {
    C::RescheduleAppointment { start: at(start), resource_ids: None, by, overriding }
}

#[track_caller]
fn is_broken(decided: Decided<Appointment>, rule: Rule) {
    match decided.refusal() {
        R::RuleBroken(broken) if broken.rule() == rule => {}
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
        nothing(&facts).when(C::BookAppointment(booking))
    };
    let appointment = lasting(60).and().state();
    let details = appointment.details().unwrap();
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
        is_broken(nothing(&facts).when(book(start)), rule);
        let hold = C::HoldAppointment {
            booking: a_booking(start),
            expires_at: at(TOMORROW),
            holds_per_client: HoldLimit::default(),
        };
        is_broken(nothing(&facts).when(hold), rule);
        for by in [MovedBy::Client, MovedBy::Staff] {
            is_broken(appointment.clone().when(move_to(start, by, None)), rule);
        }
    }
    for start in ["2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z"] {
        nothing(&facts).when(book(start)).and();
    }
}

#[test]
fn a_retired_services_rules_still_hold_for_moves() {
    let facts = under(r#"{"slot_step_minutes":30}"#);
    let appointment = booked(&facts);
    let retired = Service::Retired(facts.service.terms().unwrap().clone());
    let appointment = appointment.knowing(&Facts { service: Arc::new(retired), ..facts });
    let moved = |start| appointment.clone().when(move_to(start, MovedBy::Client, None));
    is_broken(moved("2026-11-25T09:10:00Z"), Rule::StartGrid);
    moved("2026-11-25T09:30:00Z").and();
}

#[test]
fn an_imported_booking_was_agreed_by_other_rules() {
    let facts = under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":120}"#);
    let during = Interval::new(at("2026-11-20T09:07:00Z"), at("2026-11-20T09:50:00Z")).unwrap();
    let when = When::Imported(Copied::exclusive(during));
    let booking = super::Booking { when, ..a_booking(TOMORROW) };
    let appointment = nothing(&facts).when(C::BookAppointment(booking)).and().state();
    assert!(appointment.details().unwrap().agreed.is_empty());
}

#[test]
fn a_client_cancels_and_moves_until_the_window_closes_and_staff_until_it_begins() {
    let facts = under(r#"{"cancellation_window_minutes":1440,"rescheduling_window_minutes":120}"#);
    let appointment = booked(&facts);
    let cancelled = |by, now: &str| appointment.clone().at(at(now)).when(cancel(by, None));
    cancelled(CancelledBy::Client, "2026-11-23T09:00:00Z").and();
    is_broken(
        cancelled(CancelledBy::Client, "2026-11-23T09:00:00.000001Z"),
        Rule::CancellationWindow,
    );
    cancelled(CancelledBy::Staff, "2026-11-24T08:59:00Z").and();
    let moved = |by, now: &str| {
        let command = move_to("2026-11-25T09:00:00Z", by, None);
        appointment.clone().at(at(now)).when(command)
    };
    moved(MovedBy::Client, "2026-11-24T07:00:00Z").and();
    let broken = moved(MovedBy::Client, "2026-11-24T07:00:01Z");
    is_broken(broken, Rule::ReschedulingWindow);
    moved(MovedBy::Staff, "2026-11-24T08:59:00Z").and();
}

#[test]
fn a_client_lets_go_of_a_hold_when_it_likes() {
    let facts =
        under(r#"{"cancellation_window_minutes":20160,"rescheduling_window_minutes":20160}"#);
    let expires_at = at("2026-11-23T07:10:00Z");
    let holds_per_client = HoldLimit::default();
    let command = C::HoldAppointment { booking: a_booking(TOMORROW), expires_at, holds_per_client };
    let held = nothing(&facts).when(command).and();
    held.clone().when(cancel(CancelledBy::Client, None)).and();
    held.when(move_to("2026-11-25T09:00:00Z", MovedBy::Client, None)).and();
}

#[test]
fn agreed_terms_are_kept_when_the_service_is_revised() {
    let appointment = booked(&under(r#"{"cancellation_window_minutes":60}"#));
    let price = appointment.state().details().unwrap().agreed.price.unwrap();
    assert_eq!(price.amount_minor.get(), 45_000);
    let stricter = under(r#"{"cancellation_window_minutes":2880}"#);
    appointment.knowing(&stricter).when(cancel(CancelledBy::Client, None)).and();
}

#[test]
fn an_override_names_every_rule_that_it_broke() {
    let facts = under(r#"{"slot_step_minutes":30,"minimum_notice_minutes":2880}"#);
    // 18:10 in Oslo; the room closes at 17:00.
    let booking = super::Booking {
        overriding: Some(because("she flies tomorrow")),
        ..a_booking("2026-11-23T17:10:00Z")
    };
    let appointment = nothing(&facts).when(C::BookAppointment(booking)).and().state();
    let rules = BTreeSet::from([Rule::StartGrid, Rule::MinimumNotice, Rule::OpeningHours]);
    let reason = because("she flies tomorrow");
    let closed = Some(BTreeSet::from([resource(1)]));
    let overridden = &appointment.details().unwrap().overridden;
    assert_eq!(*overridden, Some(Overridden { reason, rules, closed }));
}

#[test]
fn an_override_that_was_not_needed_is_recorded_all_the_same() {
    let booking = super::Booking { overriding: Some(because("to be safe")), ..a_booking(TOMORROW) };
    let appointment = nothing(&facts()).when(C::BookAppointment(booking)).and().state();
    let overridden = appointment.details().unwrap().overridden.as_ref().unwrap();
    assert!(overridden.rules.is_empty());
}

#[test]
fn a_move_within_the_rules_ends_an_override() {
    let booking =
        super::Booking { overriding: Some(because("urgent")), ..a_booking("2026-11-23T17:10:00Z") };
    let overridden = |appointment: &Given<Appointment>| {
        appointment.state().details().unwrap().overridden.clone()
    };
    let moved = nothing(&facts())
        .when(C::BookAppointment(booking))
        .and()
        .when(move_to(TOMORROW, MovedBy::Staff, None))
        .and();
    assert_eq!(overridden(&moved), None);
    let back = move_to("2026-11-23T17:10:00Z", MovedBy::Staff, Some(because("urgent again")));
    let moved_back = moved.when(back).and();
    assert_eq!(overridden(&moved_back).unwrap().rules, BTreeSet::from([Rule::OpeningHours]));
}

#[test]
fn an_override_cancels_for_a_client_who_is_late() {
    let facts = under(r#"{"cancellation_window_minutes":2880}"#);
    let late = cancel(CancelledBy::Client, Some(because("ill")));
    let cancelled = booked(&facts).when(late).and().state();
    let cancellation = cancelled.cancellation().unwrap();
    let rules = BTreeSet::from([Rule::CancellationWindow]);
    assert_eq!(cancellation.overridden.as_ref().unwrap().rules, rules);
    assert!(cancellation.is_late());
}

#[test]
fn an_override_does_not_reach_the_past_nor_what_is_unknown_or_retired() {
    let with = |start: &str, facts: &Facts| {
        let booking = super::Booking { overriding: Some(because("anyway")), ..a_booking(start) };
        nothing(facts).when(C::BookAppointment(booking)).refusal()
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
    let stored = r#"{"type":"AppointmentBooked","service_id":"00000000-0000-0000-0000-000000000064","client_id":"00000000-0000-0000-0000-0000000000c8","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start_at":"2026-11-24T09:00:00Z","end_at":"2026-11-24T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10},"title":"Check-up","category":"care","tags":["adult"]}"#;
    let event = nothing(&facts()).when(book(TOMORROW)).event();
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    assert_eq!(serde_json::from_str::<AppointmentEvent>(stored).unwrap(), event);
    for stored in [
        r#"{"type":"AppointmentCancelled","by":"client"}"#,
        r#"{"type":"AppointmentRescheduled","slot":{"resource_ids":["00000000-0000-0000-0000-000000000001"],"during":{"start_at":"2026-11-24T09:00:00Z","end_at":"2026-11-24T09:30:00Z"},"buffer_before_minutes":0,"buffer_after_minutes":10}}"#,
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
    let event = nothing(&facts).when(C::BookAppointment(booking)).event();
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
        let refusal = crate::Refusal::from(nothing(&facts).when(book(start)).refusal());
        let kept = serde_json::to_string(&refusal).unwrap();
        assert_eq!(serde_json::from_str::<crate::Refusal>(&kept).unwrap(), refusal, "{kept}");
    }
}
