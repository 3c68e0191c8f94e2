//! Sessions and the places in them, a sentence each.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::appointment::testing::{a_booking, at, contact, facts, now, resource, terms};
use crate::appointment::{
    Appointment, AppointmentCommand, AppointmentEvent, AppointmentRefusal as R, Booking, Details,
    MovedBy, When,
};
use crate::claim::{ClaimSnapshot, Claimed, Claims};
use crate::client::Client;
use crate::service::{DailyLimit, Service, ServiceTerms, SessionPlaces};
use crate::time::{Duration, Interval, LeadTime};
use crate::{AppointmentId, Reason, SessionId};

const TEN: &str = "2026-11-23T09:00:00Z";
const ELEVEN: &str = "2026-11-23T10:00:00Z";

fn places(n: u16) -> SessionPlaces {
    n.try_into().unwrap()
}

fn class() -> ServiceTerms {
    ServiceTerms { session_places: Some(places(2)), ..terms() }
}

fn world(
    terms: ServiceTerms,
    session: &Session,
    claims: &[(u128, Vec<crate::claim::Claim>)],
) -> Facts {
    let holder = |n: u128| AppointmentId::from(Uuid::from_u128(n));
    let claimed = claims.iter().flat_map(|(n, claims)| {
        claims.iter().map(|claim| Claimed { claim: *claim, holder: holder(*n) })
    });
    Facts {
        service: Arc::new(Service::Offered(terms)),
        client: Arc::new(Client::Registered(contact())),
        session: Arc::new(session.clone()),
        claims: ClaimSnapshot::at(now(), claimed),
        ..facts()
    }
}

fn id() -> SessionId {
    Uuid::from_u128(7).into()
}

fn scheduling(start: &str) -> Scheduling {
    Scheduling {
        service_id: Uuid::from_u128(100).into(),
        resource_ids: Some(vec![resource(1)].try_into().unwrap()),
        start: at(start),
        duration: None,
        places: None,
        title: None,
        category: None,
        tags: None,
    }
}

fn schedule(start: &str) -> SessionCommand {
    SessionCommand::ScheduleSession { scheduling: scheduling(start), overriding: None }
}

/// With whoever has the first place.
fn to(start: &str) -> SessionCommand {
    SessionCommand::RescheduleSession {
        session_id: id(),
        start: at(start),
        resource_ids: None,
        overriding: None,
        taken: [0].into(),
    }
}

/// With whoever has the first place.
fn cancel() -> SessionCommand {
    SessionCommand::CancelSession { session_id: id(), reason: None, taken: [0].into() }
}

fn a_session() -> Session {
    let mut session = Session::default();
    let event = session.decide(schedule(TEN), &world(class(), &session, &[])).unwrap();
    session.evolve(event);
    session
}

fn joining() -> Booking {
    Booking { resource_ids: None, when: When::InSession(id()), ..a_booking(TEN) }
}

fn joined(facts: &Facts) -> Result<Details, R> {
    match Appointment::default().decide(AppointmentCommand::BookAppointment(joining()), facts)? {
        AppointmentEvent::AppointmentBooked(details) => Ok(details),
        other => panic!("another event: {other:?}"),
    }
}

fn claims_of(details: &Details) -> Vec<crate::claim::Claim> {
    AppointmentEvent::AppointmentBooked(details.clone()).claims_after().unwrap()
}

fn refused(outcome: Result<SessionEvent, Refusal>) -> Refusal {
    outcome.unwrap_err()
}

#[test]
fn a_session_claims_its_resources_and_its_appointments_a_place_each() {
    let session = a_session();
    let plan = session.plan().unwrap().clone();
    let held = SessionEvent::SessionScheduled(plan.clone()).claims_after().unwrap();
    assert_eq!(held.iter().map(|claim| claim.resource).collect::<Vec<_>>(), [resource(1)]);
    let first = joined(&world(class(), &session, &[])).unwrap();
    let claims = claims_of(&first);
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].resource, claims[0].seat), (id().places(), 0));
    assert_eq!(first.slot.during, plan.slot.during);
    let second = joined(&world(class(), &session, &[(1, claims.clone())])).unwrap();
    assert_eq!(claims_of(&second)[0].seat, 1);
    let both = [(1, claims), (2, claims_of(&second))];
    let full = joined(&world(class(), &session, &both));
    assert_eq!(full, Err(R::SessionFull { session_id: id(), places: 2 }));
}

#[test]
fn a_service_is_given_in_sessions_or_to_one_client_at_a_time() {
    let alone = AppointmentCommand::BookAppointment(a_booking(TEN));
    let facts = world(class(), &Session::default(), &[]);
    let service_id = Uuid::from_u128(100).into();
    let refusal = Appointment::default().decide(alone, &facts).unwrap_err();
    assert_eq!(refusal, R::SessionsOnly { service_id });
    let facts = world(terms(), &Session::default(), &[]);
    let refusal = refused(Session::default().decide(schedule(TEN), &facts));
    assert_eq!(refusal, SessionRefusal::NotInSessions { service_id }.into());
}

#[test]
fn whoever_schedules_a_session_is_bound_by_opening_hours_unless_they_override_them() {
    let facts = world(class(), &Session::default(), &[]);
    let night = "2026-11-23T20:00:00Z";
    let refusal = refused(Session::default().decide(schedule(night), &facts));
    assert!(matches!(refusal, Refusal::Appointment(R::OutsideOpeningHours { .. })), "{refusal:?}");
    let overriding = Some(Reason::new("Moon class").unwrap());
    let command = SessionCommand::ScheduleSession { scheduling: scheduling(night), overriding };
    let mut session = Session::default();
    let event = session.decide(command, &facts).unwrap();
    session.evolve(event);
    // Whoever is in it is there by the same override.
    let details = joined(&world(class(), &session, &[])).unwrap();
    assert_eq!(details.overridden, session.plan().unwrap().overridden);
    assert!(details.overridden.is_some());
}

#[test]
fn a_session_is_as_long_as_its_service_is_offered_for() {
    let facts = world(class(), &Session::default(), &[]);
    let with = |minutes| {
        let duration = Some(Duration::from_minutes(minutes).unwrap());
        let scheduling = Scheduling { duration, ..scheduling(TEN) };
        let command = SessionCommand::ScheduleSession { scheduling, overriding: None };
        Session::default().decide(command, &facts)
    };
    assert!(with(30).is_ok());
    let refusal = refused(with(45));
    assert!(matches!(refusal, Refusal::Appointment(R::RuleBroken(_))), "{refusal:?}");
}

#[test]
fn a_place_is_booked_by_the_services_rules_about_when() {
    let mut terms = class();
    terms.rules.minimum_notice = Some(LeadTime::from_minutes(180).unwrap());
    let refusal = joined(&world(terms, &a_session(), &[])).unwrap_err();
    assert!(matches!(refusal, R::RuleBroken(_)), "{refusal:?}");
}

#[test]
fn a_limit_per_client_and_day_counts_places_in_sessions() {
    let terms = ServiceTerms {
        limit_per_client_per_day: Some(DailyLimit::try_from(1).unwrap()),
        ..class()
    };
    let session = a_session();
    let first = joined(&world(terms.clone(), &session, &[])).unwrap();
    assert_eq!(first.slot.counted.len(), 2);
    let again = joined(&world(terms, &session, &[(1, claims_of(&first))]));
    assert!(matches!(again, Err(R::ClientDayLimit { .. })), "{again:?}");
}

#[test]
fn nobody_joins_a_session_that_was_called_off_or_has_begun() {
    let mut session = a_session();
    let mut later = world(class(), &session, &[]);
    later.now = at(TEN) + chrono::TimeDelta::minutes(1);
    assert_eq!(joined(&later), Err(R::InThePast { start: at(TEN) }));
    let event = session.decide(cancel(), &world(class(), &session, &[])).unwrap();
    session.evolve(event);
    let refusal = joined(&world(class(), &session, &[]));
    assert_eq!(refusal, Err(R::SessionCancelled { session_id: id() }));
    let again = session.decide(cancel(), &world(class(), &session, &[]));
    assert_eq!(refused(again), SessionRefusal::SessionIsCancelled.into());
}

/// The claims of a place that is booked without knowing what becomes of the session.
fn a_late_claim(session: &Session, place: u16) -> crate::claim::Claim {
    let during = session.plan().unwrap().places_during;
    crate::claim::Claim { resource: id().places(), seat: place, during, expires_at: None }
}

#[test]
fn a_place_that_is_booked_while_the_session_moves_is_in_the_way_of_the_move() {
    let session = a_session();
    let in_it = joined(&world(class(), &session, &[])).unwrap();
    let late = a_late_claim(&session, 1);
    let facts = world(class(), &session, &[(1, claims_of(&in_it))]);
    let commands = ["2026-11-23T09:15:00Z", "2026-11-23T08:45:00Z", ELEVEN, TEN].map(to);
    for command in commands.into_iter().chain([cancel()]) {
        let event = session.decide(command, &facts).unwrap();
        let claims = event.claims_after().unwrap();
        let in_the_way = |other: &crate::claim::Claim| {
            claims.iter().any(|claim| {
                (claim.resource, claim.seat) == (other.resource, other.seat)
                    && claim.during.overlaps(&other.during)
            })
        };
        assert!(in_the_way(&late), "{event:?}");
        // Whoever is known to be in it is not.
        assert!(!claims_of(&in_it).iter().any(in_the_way), "{event:?}");
        let mut after = session.clone();
        after.evolve(event);
        if let Session::Made { plan, status: SessionStatus::Scheduled, .. } = &after {
            // Nor are those who come later.
            assert!(!in_the_way(&a_late_claim(&after, 1)), "{plan:?}");
        }
    }
}

fn follow(details: Details, session: &Session, facts: &Facts) -> Result<Details, R> {
    let mut appointment = Appointment::default();
    appointment.evolve(AppointmentEvent::AppointmentBooked(details));
    let plan = Box::new(session.plan().unwrap().clone());
    let event = appointment.decide(AppointmentCommand::FollowSession { plan }, facts)?;
    appointment.evolve(event);
    Ok(appointment.details().unwrap().clone())
}

#[test]
fn an_appointment_goes_where_its_session_goes_and_keeps_its_place() {
    let mut session = a_session();
    let details = joined(&world(class(), &session, &[])).unwrap();
    let facts = world(class(), &session, &[]);
    let event = session.decide(to(ELEVEN), &facts).unwrap();
    session.evolve(event);
    let moved = follow(details, &session, &facts).unwrap();
    assert_eq!(moved.slot.during.start(), at(ELEVEN));
    let claims = claims_of(&moved);
    assert_eq!(claims, [a_late_claim(&session, 0)]);
}

#[test]
fn an_appointment_in_a_session_is_not_moved_by_itself() {
    let details = joined(&world(class(), &a_session(), &[])).unwrap();
    let mut appointment = Appointment::default();
    appointment.evolve(AppointmentEvent::AppointmentBooked(details));
    let alone = AppointmentCommand::RescheduleAppointment {
        start: at(ELEVEN),
        resource_ids: None,
        by: MovedBy::Client,
        overriding: None,
    };
    let other = AppointmentCommand::ReassignAppointment {
        from: resource(1),
        to: resource(2),
        reason: None,
    };
    for command in [alone, other] {
        let refusal = appointment.decide(command, &facts()).unwrap_err();
        assert_eq!(refusal, R::InSession { session_id: id() });
    }
}

#[test]
fn a_client_who_has_enough_on_the_day_that_the_session_moves_to_keeps_the_place_uncounted() {
    let terms = ServiceTerms {
        limit_per_client_per_day: Some(DailyLimit::try_from(1).unwrap()),
        ..class()
    };
    let mut session = a_session();
    let details = joined(&world(terms.clone(), &session, &[])).unwrap();
    let tuesday = "2026-11-24T09:00:00Z";
    let event = session.decide(to(tuesday), &world(terms.clone(), &session, &[])).unwrap();
    session.evolve(event);
    let free = follow(details.clone(), &session, &world(terms.clone(), &session, &[])).unwrap();
    assert_eq!(free.slot.counted.len(), 2);
    // Somebody has the client's only place on that day.
    let taken = claims_of(&free).into_iter().filter(|claim| claim.resource != id().places());
    let facts = world(terms, &session, &[(9, taken.collect())]);
    let moved = follow(details, &session, &facts).unwrap();
    assert_eq!(moved.slot.counted.len(), 1);
}

#[test]
fn the_time_of_places_shrinks_with_each_move() {
    let mut session = a_session();
    let length = |session: &Session| session.plan().unwrap().places_during.length();
    let before: Interval = session.plan().unwrap().slot.during;
    let mut expected = before.length();
    for start in [ELEVEN, TEN, ELEVEN] {
        let event = session.decide(to(start), &world(class(), &session, &[])).unwrap();
        session.evolve(event);
        expected -= chrono::TimeDelta::microseconds(1);
        assert_eq!(length(&session), expected);
    }
    let start: DateTime<Utc> = session.plan().unwrap().slot.during.start();
    assert_eq!(start, at(ELEVEN));
}

#[test]
fn a_hold_that_its_session_has_left_behind_cannot_be_confirmed() {
    let mut session = a_session();
    let facts = world(class(), &session, &[]);
    let command = AppointmentCommand::HoldAppointment {
        booking: joining(),
        expires_at: now() + chrono::TimeDelta::minutes(10),
        holds_per_client: crate::service::HoldLimit::default(),
    };
    let mut hold = Appointment::default();
    hold.evolve(hold.decide(command, &facts).unwrap());
    let confirm = || AppointmentCommand::ConfirmAppointment;
    assert!(hold.decide(confirm(), &facts).is_ok());
    // Moved by somebody for whom it had lapsed, and back again.
    for start in [ELEVEN, TEN] {
        let event = session.decide(to(start), &facts).unwrap();
        session.evolve(event);
    }
    let refusal = hold.decide(confirm(), &world(class(), &session, &[])).unwrap_err();
    assert!(matches!(refusal, R::HoldExpired { .. }), "{refusal:?}");
}
