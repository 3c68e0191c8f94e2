//! Appointments and the resources that can no longer be had.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Appointment, AppointmentCommand as C, AppointmentConflictAccepted, AppointmentEvent,
    AppointmentRefusal as R, Booking, Conflict, ConflictReason, Excused, MovedBy, Status, Wanted,
};
use crate::claim::{Claim, ClaimSnapshot, Claimed, Claims};
use crate::resource::{Capacity, Resource, ResourceKind};
use crate::service::{HoldLimit, Service};
use crate::testing::{Given, a_booking, at, facts, given, now, profile, resource, terms};
use crate::time::{Interval, WeeklyHours};
use crate::{Decide as _, Facts, Needs, Personal, Reason, ResourceId, RoleName};

const TEN: &str = "2026-11-23T09:00:00Z";
/// The room of the tests is closed then.
const EVENING: &str = "2026-11-23T17:00:00Z";

fn because(reason: &str) -> Personal<Reason> {
    Personal::new(Reason::new(reason).unwrap())
}

fn open() -> Resource {
    Resource::Active(profile())
}

fn closed() -> Resource {
    let mut profile = profile();
    profile.opening_hours.weekly_hours = WeeklyHours::default();
    Resource::Active(profile)
}

fn retired() -> Resource {
    Resource::Retired(profile())
}

fn with(resources: impl IntoIterator<Item = (u128, Resource)>) -> Facts {
    let resources = resources.into_iter().map(|(n, it)| (resource(n), Arc::new(it)));
    Facts { resources: resources.collect(), ..facts() }
}

/// Of resources 1 and 2, both of which are open.
fn an_appointment() -> Given<Appointment> {
    booked(TEN, None, &with([(1, open()), (2, open())]))
}

fn booked(start: &str, overriding: Option<&str>, facts: &Facts) -> Given<Appointment> {
    let resource_ids = vec![resource(1), resource(2)].try_into().unwrap();
    let overriding = overriding.map(because);
    let booking = Booking { resource_ids: Some(resource_ids), overriding, ..a_booking(start) };
    given([]).knowing(facts).when(C::BookAppointment(booking)).and()
}

fn accept(reason: &str) -> C {
    C::AcceptConflict { reason: because(reason) }
}

fn reassign(from: u128, to: u128) -> C {
    C::ReassignAppointment { from: resource(from), to: resource(to), reason: None }
}

fn held_until(expires_at: DateTime<Utc>) -> Given<Appointment> {
    let holds_per_client = HoldLimit::default();
    let hold = C::HoldAppointment { booking: a_booking(TEN), expires_at, holds_per_client };
    given([]).when(hold).and()
}

fn outside(n: u128) -> Conflict {
    Conflict { resource_id: resource(n), reason: ConflictReason::OutsideOpeningHours }
}

fn retired_one(n: u128) -> Conflict {
    Conflict { resource_id: resource(n), reason: ConflictReason::ResourceRetired }
}

fn excused(appointment: &Given<Appointment>) -> Excused {
    appointment.state().excused().unwrap().clone()
}

fn excuses(appointment: &Given<Appointment>, conflict: Conflict) -> bool {
    excused(appointment).contains(&conflict)
}

#[test]
fn a_resource_is_in_the_way_of_an_appointment_when_closed_or_retired() {
    let during = Interval::new(at(TEN), at("2026-11-23T09:30:00Z")).unwrap();
    assert_eq!(ConflictReason::of(&open(), &during), None);
    assert_eq!(ConflictReason::of(&closed(), &during), Some(ConflictReason::OutsideOpeningHours));
    assert_eq!(ConflictReason::of(&retired(), &during), Some(ConflictReason::ResourceRetired));
}

#[test]
fn accepting_names_every_conflict_there_is() {
    let conflicts = BTreeSet::from([outside(1), retired_one(2)]);
    let reason = because("they bring a lamp");
    let accepted = AppointmentConflictAccepted { reason, conflicts };
    let accepted = AppointmentEvent::AppointmentConflictAccepted(accepted);
    an_appointment()
        .knowing(&with([(1, closed()), (2, retired())]))
        .when(accept("they bring a lamp"))
        .then(accepted.clone());
    assert_eq!(accepted.claims_after(), None);
}

#[test]
fn where_there_is_no_conflict_there_is_nothing_to_accept() {
    let all_open = with([(1, open()), (2, open())]);
    an_appointment().knowing(&all_open).when(accept("why not")).then_refused(R::NoConflict);
    let accepted =
        an_appointment().knowing(&with([(1, closed()), (2, open())])).when(accept("once")).and();
    accepted.when(accept("twice")).then_refused(R::NoConflict);
}

#[test]
fn what_is_accepted_is_what_was_seen_and_a_later_conflict_is_not() {
    let first = with([(1, closed()), (2, open())]);
    let appointment = an_appointment().knowing(&first).when(accept("once")).and();
    assert!(excuses(&appointment, outside(1)));
    assert!(!excuses(&appointment, outside(2)) && !excuses(&appointment, retired_one(1)));
    let later = with([(1, open()), (2, retired())]);
    let appointment = appointment.knowing(&later).when(accept("again")).and();
    assert!(excuses(&appointment, outside(1)) && excuses(&appointment, retired_one(2)));
}

#[test]
fn an_acceptance_ends_when_the_appointment_is_moved() {
    let start = at("2026-11-24T09:00:00Z");
    let (by, overriding) = (MovedBy::Staff, None);
    let moved = C::RescheduleAppointment { start, resource_ids: None, by, overriding };
    let appointment = an_appointment()
        .knowing(&with([(1, closed()), (2, open())]))
        .when(accept("once"))
        .and()
        .knowing(&with([(1, open()), (2, open())]))
        .when(moved)
        .and();
    assert_eq!(excused(&appointment), Excused::default());
}

#[test]
fn an_override_excuses_the_resources_that_were_closed_and_no_others() {
    let appointment = booked(EVENING, Some("urgent"), &with([(1, closed()), (2, open())]));
    // The other one is closed in the evening too.
    assert!(excuses(&appointment, outside(1)) && excuses(&appointment, outside(2)));
    let appointment = booked(TEN, Some("urgent"), &with([(1, closed()), (2, open())]));
    assert!(excuses(&appointment, outside(1)));
    assert!(!excuses(&appointment, outside(2)) && !excuses(&appointment, retired_one(1)));
    let appointment = booked(TEN, Some("to be safe"), &with([(1, open()), (2, open())]));
    assert!(excused(&appointment).is_empty());
}

#[test]
fn only_what_is_to_come_is_accepted_or_reassigned() {
    let facts = with([(1, closed()), (2, retired()), (3, open())]);
    for command in [accept("late"), reassign(1, 3)] {
        an_appointment()
            .knowing(&facts)
            .at(at("2026-11-23T09:00:01Z"))
            .when(command)
            .then_refused(R::InThePast { start: at(TEN) });
    }
    let checked_in = an_appointment().when(C::CheckInAppointment).and();
    for (command, wanted) in
        [(accept("x"), Wanted::AcceptedAsItIs), (reassign(1, 3), Wanted::Reassigned)]
    {
        let refusal = R::WrongStatus { status: Status::CheckedIn, wanted };
        checked_in.clone().when(command).then_refused(refusal);
    }
    let expires_at = at("2026-11-23T07:10:00Z");
    let lapsed = held_until(expires_at).knowing(&facts).at(expires_at);
    for command in [accept("x"), reassign(1, 3)] {
        lapsed.clone().when(command).then_refused(R::HoldExpired { expired_at: expires_at });
    }
}

#[test]
fn a_reassigned_appointment_claims_the_new_resource_at_the_same_time_and_no_longer_the_old() {
    let before = an_appointment().state().slot().unwrap().during;
    let reassigned = an_appointment().knowing(&with([(3, open())])).when(reassign(1, 3));
    let claimed: Vec<ResourceId> =
        reassigned.event().claims_after().unwrap().iter().map(|claim| claim.resource).collect();
    assert_eq!(claimed, [resource(3), resource(2)]);
    assert_eq!(reassigned.and().state().slot().unwrap().during, before);
}

#[test]
fn a_reassigned_hold_is_still_a_hold() {
    let expires_at = at("2026-11-23T07:10:00Z");
    let facts = with([(3, open())]);
    let event = held_until(expires_at).knowing(&facts).when(reassign(1, 3)).event();
    assert!(event.claims_after().unwrap().iter().all(|it| it.expires_at == Some(expires_at)));
}

#[test]
fn a_resource_is_replaced_by_one_that_can_be_had_and_is_another() {
    let during = an_appointment().state().slot().unwrap().during;
    let decided = |command, facts| an_appointment().knowing(&facts).when(command);
    let resource_id = resource(3);
    for (replacement, refusal) in [
        (closed(), R::OutsideOpeningHours { resource_id, during }),
        (retired(), R::RetiredResource { resource_id }),
        (Resource::Unregistered, R::UnknownResource { resource_id }),
    ] {
        decided(reassign(1, 3), with([(3, replacement)])).then_refused(refusal);
    }
    let not_used = R::ResourceNotUsed { resource_id };
    decided(reassign(3, 4), with([(4, open())])).then_refused(not_used);
    for to in [1, 2] {
        let used = R::ResourceUsedAlready { resource_id: resource(to) };
        decided(reassign(1, to), with([(to, open())])).then_refused(used);
    }
}

/// Resource 3 with two places, the first of which another appointment has.
fn half_taken() -> Facts {
    let capacity = Capacity::try_from(2).unwrap();
    let during = Interval::new(at("2026-11-23T08:30:00Z"), at("2026-11-23T09:10:00Z")).unwrap();
    let claim = Claim { resource: resource(3), seat: 0, during, expires_at: None };
    let holder = uuid::Uuid::from_u128(77).into();
    let facts =
        with([(3, Resource::Active(crate::resource::ResourceProfile { capacity, ..profile() }))]);
    Facts { claims: ClaimSnapshot::at(now(), [Claimed { claim, holder }]), ..facts }
}

#[test]
fn of_a_resource_with_places_it_takes_one_that_is_free_and_the_others_keep_theirs() {
    let appointment = an_appointment().knowing(&half_taken());
    let queries = appointment.claim_queries(&reassign(2, 3));
    assert_eq!(queries.iter().map(|query| query.resource).collect::<Vec<_>>(), [resource(3)]);
    let one_place = an_appointment().knowing(&with([(3, open())]));
    assert_eq!(one_place.claim_queries(&reassign(2, 3)), []);
    let claims = appointment.when(reassign(2, 3)).event().claims_after().unwrap();
    let places: Vec<_> = claims.iter().map(|claim| (claim.resource, claim.seat)).collect();
    assert_eq!(places, [(resource(1), 0), (resource(3), 1)]);
}

#[test]
fn a_resource_takes_over_only_a_role_that_it_fills() {
    let mut terms = terms();
    terms.needs = serde_json::from_str(
        r#"[{"role":"practitioner","kind":"staff"},{"role":"room","kind":"room"}]"#,
    )
    .unwrap();
    let service = Arc::new(Service::Offered(terms));
    let of_kind = |kind| Resource::Active(crate::resource::ResourceProfile { kind, ..profile() });
    let (doctor, room) = (of_kind(ResourceKind::Staff), of_kind(ResourceKind::Room));
    let decided = |from, resources: [(u128, Resource); 2]| {
        let facts = Facts { service: Arc::clone(&service), ..with(resources) };
        an_appointment().knowing(&facts).when(reassign(from, 3))
    };
    // Resource 1 is the doctor, and 2 the room.
    decided(1, [(3, doctor.clone()), (2, room.clone())]).and();
    decided(2, [(1, doctor.clone()), (3, room.clone())]).and();
    let role = RoleName::new("practitioner").unwrap();
    let unfit = R::UnfitResource { resource_id: resource(3), roles: vec![role] };
    decided(1, [(3, room.clone()), (2, room)]).then_refused(unfit);
    // What fills no role today keeps no role from the others.
    let machine = of_kind(ResourceKind::Equipment);
    decided(2, [(1, machine), (3, of_kind(ResourceKind::Room))]).and();
}

#[test]
fn a_reassignment_looks_at_the_service_and_at_all_that_will_be_used() {
    let service = Some(uuid::Uuid::from_u128(100).into());
    let resources = vec![resource(3), resource(2)];
    let needs = an_appointment().state().needs(&reassign(1, 3));
    assert_eq!(needs, Needs { service, resources, ..Needs::default() });
}

#[test]
fn what_is_excused_of_the_other_resources_outlives_a_reassignment() {
    let both_closed = with([(1, closed()), (2, closed())]);
    let accepted = an_appointment().knowing(&both_closed).when(accept("once")).and();
    let overridden = booked(TEN, Some("urgent"), &both_closed);
    let [_, overridden] = [accepted, overridden].map(|appointment| {
        let one = appointment.knowing(&with([(3, open())])).when(reassign(1, 3)).and();
        assert!(!excuses(&one, outside(1)) && excuses(&one, outside(2)));
        let both = one.knowing(&with([(4, open())])).when(reassign(2, 4)).and();
        assert!(excused(&both).is_empty());
        both.state()
    });
    let overridden = overridden.details().unwrap().overridden.as_ref().unwrap();
    assert!(overridden.rules.is_empty() && overridden.closed.is_none());
}

/// As events were written before it was recorded which resources were closed.
#[test]
fn an_older_override_of_opening_hours_excuses_all_resources() {
    let appointment = booked(TEN, Some("urgent"), &with([(1, closed()), (2, open())]));
    let details = appointment.state().details().unwrap().clone();
    let mut stored = serde_json::to_value(AppointmentEvent::AppointmentBooked(details)).unwrap();
    let overridden = stored["overridden"].as_object_mut().unwrap();
    overridden.remove("closed").unwrap();
    let event: AppointmentEvent = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    let read = given::<Appointment>([event]);
    assert!(excuses(&read, outside(1)) && excuses(&read, outside(2)));
    let read = read.knowing(&with([(3, open())])).when(reassign(1, 3)).and();
    assert!(!excuses(&read, outside(1)) && excuses(&read, outside(2)));
}
