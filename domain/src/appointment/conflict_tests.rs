//! Appointments and the resources that can no longer be had.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::testing::{a_booking, after, at, facts, now, profile, resource, terms};
use super::{
    Appointment, AppointmentCommand as C, AppointmentConflictAccepted, AppointmentEvent,
    AppointmentRefusal as R, Booking, Conflict, ConflictReason, Excused, MovedBy, Status, Wanted,
};
use crate::claim::{Claim, ClaimSnapshot, Claimed, Claims};
use crate::resource::{Capacity, Resource, ResourceKind};
use crate::service::{HoldLimit, Service};
use crate::time::{Interval, WeeklyHours};
use crate::{Decide as _, Facts, Needs, Reason, ResourceId, RoleName};

const TEN: &str = "2026-11-23T09:00:00Z";
/// The room of the tests is closed then.
const EVENING: &str = "2026-11-23T17:00:00Z";

fn because(reason: &str) -> Reason {
    Reason::new(reason).unwrap()
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
fn an_appointment() -> Appointment {
    booked(TEN, None, &with([(1, open()), (2, open())]))
}

fn booked(start: &str, overriding: Option<&str>, facts: &Facts) -> Appointment {
    let resource_ids = vec![resource(1), resource(2)].try_into().unwrap();
    let overriding = overriding.map(because);
    let booking = Booking { resource_ids: Some(resource_ids), overriding, ..a_booking(start) };
    let mut appointment = Appointment::default();
    appointment.evolve(appointment.decide(C::BookAppointment(booking), facts).unwrap());
    appointment
}

fn accept(reason: &str) -> C {
    C::AcceptConflict { reason: because(reason) }
}

fn reassign(from: u128, to: u128) -> C {
    C::ReassignAppointment { from: resource(from), to: resource(to), reason: None }
}

fn hold_until(expires_at: DateTime<Utc>) -> C {
    let holds_per_client = HoldLimit::default();
    C::HoldAppointment { booking: a_booking(TEN), expires_at, holds_per_client }
}

fn outside(n: u128) -> Conflict {
    Conflict { resource_id: resource(n), reason: ConflictReason::OutsideOpeningHours }
}

fn retired_one(n: u128) -> Conflict {
    Conflict { resource_id: resource(n), reason: ConflictReason::ResourceRetired }
}

fn excuses(appointment: &Appointment, conflict: Conflict) -> bool {
    appointment.excused().unwrap().contains(&conflict)
}

fn done(appointment: &mut Appointment, command: C, facts: &Facts) {
    appointment.evolve(appointment.decide(command, facts).unwrap());
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
    let appointment = an_appointment();
    let facts = with([(1, closed()), (2, retired())]);
    let event = appointment.decide(accept("they bring a lamp"), &facts).unwrap();
    let conflicts = BTreeSet::from([outside(1), retired_one(2)]);
    let reason = because("they bring a lamp");
    let accepted = AppointmentConflictAccepted { reason, conflicts };
    assert_eq!(event, AppointmentEvent::AppointmentConflictAccepted(accepted));
    assert_eq!(event.claims_after(), None);
}

#[test]
fn where_there_is_no_conflict_there_is_nothing_to_accept() {
    let mut appointment = an_appointment();
    let all_open = with([(1, open()), (2, open())]);
    assert_eq!(appointment.decide(accept("why not"), &all_open), Err(R::NoConflict));
    let one_closed = with([(1, closed()), (2, open())]);
    done(&mut appointment, accept("once"), &one_closed);
    assert_eq!(appointment.decide(accept("twice"), &one_closed), Err(R::NoConflict));
}

#[test]
fn what_is_accepted_is_what_was_seen_and_a_later_conflict_is_not() {
    let mut appointment = an_appointment();
    done(&mut appointment, accept("once"), &with([(1, closed()), (2, open())]));
    assert!(excuses(&appointment, outside(1)));
    assert!(!excuses(&appointment, outside(2)) && !excuses(&appointment, retired_one(1)));
    done(&mut appointment, accept("again"), &with([(1, open()), (2, retired())]));
    assert!(excuses(&appointment, outside(1)) && excuses(&appointment, retired_one(2)));
}

#[test]
fn an_acceptance_ends_when_the_appointment_is_moved() {
    let mut appointment = an_appointment();
    done(&mut appointment, accept("once"), &with([(1, closed()), (2, open())]));
    let start = at("2026-11-24T09:00:00Z");
    let (by, overriding) = (MovedBy::Staff, None);
    let moved = C::RescheduleAppointment { start, resource_ids: None, by, overriding };
    done(&mut appointment, moved, &with([(1, open()), (2, open())]));
    assert_eq!(appointment.excused(), Some(&Excused::default()));
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
    assert!(appointment.excused().unwrap().is_empty());
}

#[test]
fn only_what_is_to_come_is_accepted_or_reassigned() {
    let facts = with([(1, closed()), (2, retired()), (3, open())]);
    let late = Facts { now: at("2026-11-23T09:00:01Z"), ..facts.clone() };
    for command in [accept("late"), reassign(1, 3)] {
        assert_eq!(an_appointment().decide(command, &late), Err(R::InThePast { start: at(TEN) }));
    }
    let checked_in = after(vec![C::BookAppointment(a_booking(TEN)), C::CheckInAppointment]);
    for (command, wanted) in
        [(accept("x"), Wanted::AcceptedAsItIs), (reassign(1, 3), Wanted::Reassigned)]
    {
        let refusal = R::WrongStatus { status: Status::CheckedIn, wanted };
        assert_eq!(checked_in.decide(command, &facts), Err(refusal));
    }
    let expires_at = at("2026-11-23T07:10:00Z");
    let held = after(vec![hold_until(expires_at)]);
    let lapsed = Facts { now: expires_at, ..facts };
    for command in [accept("x"), reassign(1, 3)] {
        let refusal = R::HoldExpired { expired_at: expires_at };
        assert_eq!(held.decide(command, &lapsed), Err(refusal));
    }
}

#[test]
fn a_reassigned_appointment_claims_the_new_resource_at_the_same_time_and_no_longer_the_old() {
    let mut appointment = an_appointment();
    let before = appointment.details().unwrap().slot.clone();
    let event = appointment.decide(reassign(1, 3), &with([(3, open())])).unwrap();
    let claimed: Vec<ResourceId> =
        event.claims_after().unwrap().iter().map(|claim| claim.resource).collect();
    assert_eq!(claimed, [resource(3), resource(2)]);
    appointment.evolve(event);
    assert_eq!(appointment.details().unwrap().slot.during, before.during);
}

#[test]
fn a_reassigned_hold_is_still_a_hold() {
    let expires_at = at("2026-11-23T07:10:00Z");
    let held = after(vec![hold_until(expires_at)]);
    let event = held.decide(reassign(1, 3), &with([(3, open())])).unwrap();
    assert!(event.claims_after().unwrap().iter().all(|it| it.expires_at == Some(expires_at)));
}

#[test]
fn a_resource_is_replaced_by_one_that_can_be_had_and_is_another() {
    let appointment = an_appointment();
    let during = appointment.details().unwrap().slot.during;
    let decided = |command, facts| appointment.decide(command, &facts).unwrap_err();
    let resource_id = resource(3);
    for (replacement, refusal) in [
        (closed(), R::OutsideOpeningHours { resource_id, during }),
        (retired(), R::RetiredResource { resource_id }),
        (Resource::Unregistered, R::UnknownResource { resource_id }),
    ] {
        assert_eq!(decided(reassign(1, 3), with([(3, replacement)])), refusal);
    }
    let not_used = R::ResourceNotUsed { resource_id };
    assert_eq!(decided(reassign(3, 4), with([(4, open())])), not_used);
    for to in [1, 2] {
        let used = R::ResourceUsedAlready { resource_id: resource(to) };
        assert_eq!(decided(reassign(1, to), with([(to, open())])), used);
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
    let appointment = an_appointment();
    let facts = half_taken();
    let queries = appointment.claim_queries(&reassign(2, 3), &facts);
    assert_eq!(queries.iter().map(|query| query.resource).collect::<Vec<_>>(), [resource(3)]);
    assert_eq!(appointment.claim_queries(&reassign(2, 3), &with([(3, open())])), []);
    let claims = appointment.decide(reassign(2, 3), &facts).unwrap().claims_after().unwrap();
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
    let appointment = an_appointment();
    let decided = |from, resources: [(u128, Resource); 2]| {
        let facts = Facts { service: Arc::clone(&service), ..with(resources) };
        appointment.decide(reassign(from, 3), &facts)
    };
    // Resource 1 is the doctor, and 2 the room.
    assert!(decided(1, [(3, doctor.clone()), (2, room.clone())]).is_ok());
    assert!(decided(2, [(1, doctor.clone()), (3, room.clone())]).is_ok());
    let role = RoleName::new("practitioner").unwrap();
    let unfit = R::UnfitResource { resource_id: resource(3), roles: vec![role] };
    assert_eq!(decided(1, [(3, room.clone()), (2, room)]), Err(unfit));
    // What fills no role today does not stand in the way of those who come.
    let machine = of_kind(ResourceKind::Equipment);
    assert!(decided(2, [(1, machine), (3, of_kind(ResourceKind::Room))]).is_ok());
}

#[test]
fn a_reassignment_looks_at_the_service_and_at_all_that_will_be_used() {
    let service = Some(uuid::Uuid::from_u128(100).into());
    let resources = vec![resource(3), resource(2)];
    let needs = an_appointment().needs(&reassign(1, 3));
    assert_eq!(needs, Needs { service, resources, ..Needs::default() });
}

#[test]
fn what_is_excused_of_the_other_resources_outlives_a_reassignment() {
    let mut accepted = an_appointment();
    done(&mut accepted, accept("once"), &with([(1, closed()), (2, closed())]));
    let mut overridden = booked(TEN, Some("urgent"), &with([(1, closed()), (2, closed())]));
    for appointment in [&mut accepted, &mut overridden] {
        done(appointment, reassign(1, 3), &with([(3, open())]));
        assert!(!excuses(appointment, outside(1)) && excuses(appointment, outside(2)));
        done(appointment, reassign(2, 4), &with([(4, open())]));
        assert!(appointment.excused().unwrap().is_empty());
    }
    let overridden = overridden.details().unwrap().overridden.as_ref().unwrap();
    assert!(overridden.rules.is_empty() && overridden.closed.is_none());
}

/// As events were written before it was recorded which resources were closed.
#[test]
fn an_older_override_of_opening_hours_excuses_all_resources() {
    let appointment = booked(TEN, Some("urgent"), &with([(1, closed()), (2, open())]));
    let details = appointment.details().unwrap().clone();
    let mut stored = serde_json::to_value(AppointmentEvent::AppointmentBooked(details)).unwrap();
    let overridden = stored["overridden"].as_object_mut().unwrap();
    overridden.remove("closed").unwrap();
    let mut read = Appointment::default();
    let event: AppointmentEvent = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    read.evolve(event);
    assert!(excuses(&read, outside(1)) && excuses(&read, outside(2)));
    done(&mut read, reassign(1, 3), &with([(3, open())]));
    assert!(!excuses(&read, outside(1)) && excuses(&read, outside(2)));
}

#[test]
fn what_is_stored_of_a_conflict_and_a_reassignment_is_read_as_it_was() {
    let id = resource(1);
    let slot = serde_json::json!({"resource_ids": [resource(3)], "buffer_before_minutes": 0,
        "buffer_after_minutes": 10,
        "during": {"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T09:30:00Z"}});
    for stored in [
        serde_json::json!({"type": "AppointmentConflictAccepted", "reason": "once",
            "conflicts": [{"resource_id": id, "reason": "outside-opening-hours"},
                          {"resource_id": id, "reason": "resource-retired"}]}),
        serde_json::json!({"type": "AppointmentReassigned", "slot": slot, "from": id,
            "to": resource(3), "reason": "ill"}),
        serde_json::json!({"type": "AppointmentReassigned", "slot": slot, "from": id,
            "to": resource(3), "hold_expires_at": "2026-11-23T07:10:00Z"}),
    ] {
        let event: AppointmentEvent = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    }
    assert!(now() < at(TEN));
}
