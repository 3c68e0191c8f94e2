//! Sessions and the places in them, a sentence each.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::appointment::{
    Appointment, AppointmentCommand, AppointmentEvent, AppointmentRefusal as R, Booking, Details,
    MovedBy, When,
};
use crate::claim::{ClaimSnapshot, Claimed, Claims};
use crate::client::Client;
use crate::service::{DailyLimit, Service, ServiceTerms, SessionPlaces};
use crate::testing::{Decided, Given, a_booking, at, contact, facts, given, now, resource, terms};
use crate::time::{Duration, Interval, LeadTime};
use crate::{AppointmentId, Decide as _, FreeTitle, Personal, Reason, SessionId, Title, Titles};

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
    session: &Given<Session>,
    claims: &[(u128, Vec<crate::claim::Claim>)],
) -> Facts {
    let holder = |n: u128| AppointmentId::from(Uuid::from_u128(n));
    let claimed = claims.iter().flat_map(|(n, claims)| {
        claims.iter().map(|claim| Claimed { claim: *claim, holder: holder(*n) })
    });
    Facts {
        service: Arc::new(Service::Offered(terms)),
        client: Arc::new(Client::Registered(contact().into())),
        session: Arc::new(session.state()),
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

/// With the appointment that has the first place.
fn to(start: &str) -> SessionCommand {
    SessionCommand::RescheduleSession {
        session_id: id(),
        start: at(start),
        resource_ids: None,
        overriding: None,
        taken: [0].into(),
    }
}

/// With the appointment that has the first place.
fn cancel() -> SessionCommand {
    SessionCommand::CancelSession { session_id: id(), reason: None, taken: [0].into() }
}

fn no_session() -> Given<Session> {
    given([])
}

/// Of a service that is given in sessions.
fn a_class(session: Given<Session>) -> Given<Session> {
    let facts = world(class(), &session, &[]);
    session.knowing(&facts)
}

fn a_session() -> Given<Session> {
    a_class(no_session()).when(schedule(TEN)).and()
}

fn plan(session: &Given<Session>) -> SessionScheduled {
    session.state().plan().unwrap().clone()
}

fn joining() -> Booking {
    Booking { resource_ids: None, when: When::InSession(id()), ..a_booking(TEN) }
}

/// What comes of booking a place in a session, in this world.
fn join(facts: &Facts) -> Decided<Appointment> {
    given([]).knowing(facts).when(AppointmentCommand::BookAppointment(joining()))
}

#[track_caller]
fn joined(facts: &Facts) -> Details {
    join(facts).and().state().details().unwrap().clone()
}

fn claims_of(details: &Details) -> Vec<crate::claim::Claim> {
    AppointmentEvent::AppointmentBooked(details.clone()).claims_after().unwrap()
}

#[test]
fn a_session_claims_its_resources_and_its_appointments_a_place_each() {
    let session = a_session();
    let plan = plan(&session);
    let held = SessionEvent::SessionScheduled(plan.clone()).claims_after().unwrap();
    assert_eq!(held.iter().map(|claim| claim.resource).collect::<Vec<_>>(), [resource(1)]);
    let first = joined(&world(class(), &session, &[]));
    let claims = claims_of(&first);
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].resource, claims[0].seat), (id().places(), 0));
    assert_eq!(first.slot.during, plan.slot.during);
    let second = joined(&world(class(), &session, &[(1, claims.clone())]));
    assert_eq!(claims_of(&second)[0].seat, 1);
    let both = [(1, claims), (2, claims_of(&second))];
    join(&world(class(), &session, &both))
        .then_refused(R::SessionFull { session_id: id(), places: 2 });
}

#[test]
fn a_place_is_called_as_its_session_is_and_as_personally() {
    let title = FreeTitle::from(Title::new("Of Tuesday").unwrap());
    let scheduling = Scheduling { title: Some(title.clone()), ..scheduling(TEN) };
    let schedule = SessionCommand::ScheduleSession { scheduling, overriding: None };
    assert!(Session::gives_title(&schedule) && !Session::gives_title(&self::schedule(TEN)));
    for titles in Titles::ALL {
        let facts = Facts { titles, ..world(class(), &no_session(), &[]) };
        let session = no_session().knowing(&facts).when(schedule.clone()).and();
        assert_eq!(plan(&session).title, title.clone().given_where(titles));
        // What titles are when the place is booked changes nothing: none is given.
        let place = joined(&world(class(), &session, &[]));
        assert_eq!(place.title, plan(&session).title);
    }
}

#[test]
fn the_booked_time_of_a_session_is_its_own_and_not_its_appointments() {
    let session = a_session();
    let details = joined(&world(class(), &session, &[]));
    let appointment = given::<Appointment>([AppointmentEvent::AppointmentBooked(details)]);
    assert_eq!(appointment.state().booked_slot(), None);
    assert_eq!(session.state().booked_slot(), Some(&plan(&session).slot));
    assert_eq!(session.when(cancel()).and().state().booked_slot(), None);
}

#[test]
fn a_service_is_given_in_sessions_or_to_one_client_at_a_time() {
    let alone = AppointmentCommand::BookAppointment(a_booking(TEN));
    let service_id = Uuid::from_u128(100).into();
    given::<Appointment>([])
        .knowing(&world(class(), &no_session(), &[]))
        .when(alone)
        .then_refused(R::SessionsOnly { service_id });
    no_session()
        .knowing(&world(terms(), &no_session(), &[]))
        .when(schedule(TEN))
        .then_refused(SessionRefusal::NotInSessions { service_id });
}

#[test]
fn a_session_is_bound_by_opening_hours_unless_they_are_overridden() {
    let night = "2026-11-23T20:00:00Z";
    let refusal = a_class(no_session()).when(schedule(night)).refusal();
    assert!(matches!(refusal, Refusal::Appointment(R::OutsideOpeningHours { .. })), "{refusal:?}");
    let overriding = Some(Personal::new(Reason::new("Moon class").unwrap()));
    let command = SessionCommand::ScheduleSession { scheduling: scheduling(night), overriding };
    let session = a_class(no_session()).when(command).and();
    // Its appointments are there by the same override.
    let details = joined(&world(class(), &session, &[]));
    assert_eq!(details.overridden, plan(&session).overridden);
    assert!(details.overridden.is_some());
}

#[test]
fn a_session_is_as_long_as_its_service_is_offered_for() {
    let with = |minutes| {
        let duration = Some(Duration::from_minutes(minutes).unwrap());
        let scheduling = Scheduling { duration, ..scheduling(TEN) };
        let command = SessionCommand::ScheduleSession { scheduling, overriding: None };
        a_class(no_session()).when(command)
    };
    with(30).and();
    let refusal = with(45).refusal();
    assert!(matches!(refusal, Refusal::Appointment(R::RuleBroken(_))), "{refusal:?}");
}

#[test]
fn a_place_is_booked_by_the_services_rules_about_when() {
    let mut terms = class();
    terms.rules.minimum_notice = Some(LeadTime::from_minutes(180).unwrap());
    let refusal = join(&world(terms, &a_session(), &[])).refusal();
    assert!(matches!(refusal, R::RuleBroken(_)), "{refusal:?}");
}

#[test]
fn a_place_is_booked_off_the_services_grid_if_its_session_is() {
    let rules = serde_json::from_str(r#"{"slot_step_minutes":60}"#).unwrap();
    let terms = ServiceTerms { rules, ..class() };
    let session = no_session()
        .knowing(&world(terms.clone(), &no_session(), &[]))
        .when(schedule("2026-11-23T09:10:00Z"))
        .and();
    joined(&world(terms, &session, &[]));
}

#[test]
fn a_limit_per_client_and_day_counts_places_in_sessions() {
    let terms = ServiceTerms {
        limit_per_client_per_day: Some(DailyLimit::try_from(1).unwrap()),
        ..class()
    };
    let session = a_session();
    let first = joined(&world(terms.clone(), &session, &[]));
    assert_eq!(first.slot.quota_slots.len(), 2);
    let refusal = join(&world(terms, &session, &[(1, claims_of(&first))])).refusal();
    assert!(matches!(refusal, R::ClientDayLimit { .. }), "{refusal:?}");
}

#[test]
fn nobody_joins_a_session_that_was_cancelled_or_has_begun() {
    let session = a_session();
    let mut later = world(class(), &session, &[]);
    later.now = at(TEN) + chrono::TimeDelta::minutes(1);
    join(&later).then_refused(R::InThePast { start: at(TEN) });
    let session = session.when(cancel()).and();
    join(&world(class(), &session, &[])).then_refused(R::SessionCancelled { session_id: id() });
    session.when(cancel()).then_refused(SessionRefusal::SessionIsCancelled);
}

/// The claims of a place that is booked without knowing what becomes of the session.
fn a_late_claim(session: &Given<Session>, place: u16) -> crate::claim::Claim {
    let during = plan(session).places_during;
    crate::claim::Claim { resource: id().places(), seat: place, during, expires_at: None }
}

#[test]
fn a_place_that_is_booked_while_the_session_moves_is_in_the_way_of_the_move() {
    let session = a_session();
    let in_it = joined(&world(class(), &session, &[]));
    let late = a_late_claim(&session, 1);
    let facts = world(class(), &session, &[(1, claims_of(&in_it))]);
    let commands = ["2026-11-23T09:15:00Z", "2026-11-23T08:45:00Z", ELEVEN, TEN].map(to);
    for command in commands.into_iter().chain([cancel()]) {
        let decided = session.clone().knowing(&facts).when(command);
        let event = decided.event();
        let claims = event.claims_after().unwrap();
        let in_the_way = |other: &crate::claim::Claim| {
            claims.iter().any(|claim| {
                (claim.resource, claim.seat) == (other.resource, other.seat)
                    && claim.during.overlaps(&other.during)
            })
        };
        assert!(in_the_way(&late), "{event:?}");
        // An appointment that is known to be in it is not.
        assert!(!claims_of(&in_it).iter().any(in_the_way), "{event:?}");
        let after = decided.and();
        if let Session::Made { plan, status: SessionStatus::Scheduled, .. } = after.state() {
            // Nor are those who come later.
            assert!(!in_the_way(&a_late_claim(&after, 1)), "{plan:?}");
        }
    }
}

#[track_caller]
fn followed(details: Details, session: &Given<Session>, facts: &Facts) -> Details {
    let plan = Box::new(plan(session));
    let moved = given::<Appointment>([AppointmentEvent::AppointmentBooked(details)])
        .knowing(facts)
        .when(AppointmentCommand::FollowSession { plan })
        .and();
    moved.state().details().unwrap().clone()
}

#[test]
fn an_appointment_goes_where_its_session_goes_and_keeps_its_place() {
    let session = a_session();
    let facts = world(class(), &session, &[]);
    let details = joined(&facts);
    let session = session.when(to(ELEVEN)).and();
    let moved = followed(details, &session, &facts);
    assert_eq!(moved.slot.during.start(), at(ELEVEN));
    let claims = claims_of(&moved);
    assert_eq!(claims, [a_late_claim(&session, 0)]);
}

#[test]
fn an_appointment_in_a_session_is_not_moved_by_itself() {
    let details = joined(&world(class(), &a_session(), &[]));
    let booked = AppointmentEvent::AppointmentBooked(details);
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
        given::<Appointment>([booked.clone()])
            .when(command)
            .then_refused(R::InSession { session_id: id() });
    }
}

#[test]
fn a_client_who_has_enough_on_the_day_that_the_session_moves_to_keeps_the_place_uncounted() {
    let terms = ServiceTerms {
        limit_per_client_per_day: Some(DailyLimit::try_from(1).unwrap()),
        ..class()
    };
    let session = a_session();
    let details = joined(&world(terms.clone(), &session, &[]));
    let session = session.when(to("2026-11-24T09:00:00Z")).and();
    let free = followed(details.clone(), &session, &world(terms.clone(), &session, &[]));
    assert_eq!(free.slot.quota_slots.len(), 2);
    // Somebody has the client's only place on that day.
    let taken = claims_of(&free).into_iter().filter(|claim| claim.resource != id().places());
    let facts = world(terms, &session, &[(9, taken.collect())]);
    let moved = followed(details, &session, &facts);
    assert_eq!(moved.slot.quota_slots.len(), 1);
}

#[test]
fn the_time_of_places_shrinks_with_each_move() {
    let mut session = a_session();
    let length = |session: &Given<Session>| plan(session).places_during.length();
    let before: Interval = plan(&session).slot.during;
    let mut expected = before.length();
    for start in [ELEVEN, TEN, ELEVEN] {
        session = session.when(to(start)).and();
        expected -= chrono::TimeDelta::microseconds(1);
        assert_eq!(length(&session), expected);
    }
    let start: DateTime<Utc> = plan(&session).slot.during.start();
    assert_eq!(start, at(ELEVEN));
}

#[test]
fn a_hold_that_its_session_has_left_behind_cannot_be_confirmed() {
    let session = a_session();
    let facts = world(class(), &session, &[]);
    let command = AppointmentCommand::HoldAppointment {
        booking: joining(),
        expires_at: now() + chrono::TimeDelta::minutes(10),
        holds_per_client: crate::service::HoldLimit::default(),
    };
    let hold = given::<Appointment>([]).knowing(&facts).when(command).and();
    hold.clone().when(AppointmentCommand::ConfirmAppointment).and();
    // Moved by somebody for whom it had lapsed, and back again.
    let session = session.when(to(ELEVEN)).and().when(to(TEN)).and();
    let refusal = hold
        .knowing(&world(class(), &session, &[]))
        .when(AppointmentCommand::ConfirmAppointment)
        .refusal();
    assert!(matches!(refusal, R::HoldExpired { .. }), "{refusal:?}");
}
