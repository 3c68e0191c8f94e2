//! Places, roles and limits, a sentence each.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::testing::{a_booking, after, at, facts, profile, resource, tags, terms};
use super::super::{
    Appointment, AppointmentCommand as C, AppointmentEvent, AppointmentRefusal as R, Booking,
    CountedRule, Details, MovedBy, Slot,
};
use crate::claim::{Busy, Claim, Claimed, Claims};
use crate::resource::{
    Capacity, Resource, ResourceEvent, ResourceKind, ResourceProfile, ResourceRegistered,
};
use crate::service::{Choose, HoldLimit, Service, ServiceTerms};
use crate::time::{Interval, OpeningHours, WeeklyHours};
use crate::{AppointmentId, Decide as _, Directory, Facts, Name, ResourceId, ResourceIds};

const TEN: &str = "2026-11-23T09:00:00Z";
const END: &str = "2026-11-23T09:40:00Z";

fn ids(ids: &[u128]) -> ResourceIds {
    ids.iter().copied().map(resource).collect::<Vec<_>>().try_into().unwrap()
}

fn booking(named: &[u128]) -> Booking {
    Booking { resource_ids: (!named.is_empty()).then(|| ids(named)), ..a_booking(TEN) }
}

fn to(start: DateTime<Utc>, resource_ids: Option<ResourceIds>) -> C {
    C::RescheduleAppointment { start, resource_ids, by: MovedBy::Client, overriding: None }
}

fn doctor(name: &str) -> ResourceProfile {
    ResourceProfile { name: Name::new(name).unwrap(), kind: ResourceKind::Staff, ..profile() }
}

fn directory(profiles: &[(u128, ResourceProfile)]) -> Arc<Directory> {
    let mut directory = Directory::default();
    for (n, profile) in profiles {
        let profile = profile.clone();
        let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
        directory.take_note(resource(*n), event, 1);
    }
    Arc::new(directory)
}

/// Doctors 1 (Cy), 2 (Al) and 3 (Bo), and the x-ray room 9.
fn clinic() -> Arc<Directory> {
    let room = ResourceProfile { tags: tags(&["x-ray"]), ..profile() };
    directory(&[(1, doctor("Cy")), (2, doctor("Al")), (3, doctor("Bo")), (9, room)])
}

const DOCTOR: &str = r#"[{"role":"practitioner","kind":"staff"}]"#;
const DOCTOR_AND_ROOM: &str =
    r#"[{"role":"practitioner","kind":"staff"},{"role":"room","tags":["x-ray"]}]"#;

fn terms_with(needs: &str, choose: Choose) -> ServiceTerms {
    ServiceTerms { needs: serde_json::from_str(needs).unwrap(), choose, ..terms() }
}

/// A clinic in which these resources are named, and this is claimed.
fn world(terms: ServiceTerms, named: &[u128], claims: &[(u128, &Claim)]) -> Facts {
    let directory = clinic();
    let profile = |n: &u128| directory.get(resource(*n)).unwrap().clone();
    let each = |n: &u128| (resource(*n), Arc::new(Resource::Active(profile(n))));
    let claimed = claims.iter().map(|(holder, claim)| Claimed {
        claim: **claim,
        holder: uuid::Uuid::from_u128(*holder).into(),
    });
    Facts {
        service: Arc::new(Service::Offered(terms)),
        resources: named.iter().map(each).collect(),
        busy: Busy::at(facts().now, claimed),
        directory: Arc::clone(&directory),
        ..facts()
    }
}

fn claim(n: u128, seat: u16, from: &str, to: &str) -> Claim {
    let during = Interval::new(at(from), at(to)).unwrap();
    Claim { resource: resource(n), seat, during, expires_at: None }
}

fn taken(n: u128) -> Claim {
    claim(n, 0, TEN, END)
}

fn booked(facts: &Facts, named: &[u128]) -> Result<Details, R> {
    match Appointment::default().decide(C::BookAppointment(booking(named)), facts)? {
        AppointmentEvent::AppointmentBooked(details) => Ok(details),
        other => panic!("another event: {other:?}"),
    }
}

fn on(facts: &Facts, named: &[u128]) -> Result<ResourceIds, R> {
    booked(facts, named).map(|details| details.slot.resource_ids)
}

mod places {
    use super::*;

    fn with_places(places: u16, claims: &[(u128, &Claim)]) -> Facts {
        let mut facts = world(terms(), &[1], claims);
        let capacity = Capacity::try_from(places).unwrap();
        let profile = ResourceProfile { capacity, ..doctor("Cy") };
        facts.resources[0].1 = Arc::new(Resource::Active(profile));
        facts
    }

    #[test]
    fn an_appointment_has_the_first_place_that_is_free() {
        let slot = |facts: &Facts| booked(facts, &[1]).unwrap().slot;
        assert_eq!(slot(&with_places(3, &[])).seats.of(0), 0);
        let one = (7, &claim(1, 0, TEN, END));
        assert_eq!(slot(&with_places(3, &[one])).seats.of(0), 1);
        let claims = slot(&with_places(3, &[one])).claims(None);
        assert_eq!((claims[0].resource, claims[0].seat), (resource(1), 1));
    }

    #[test]
    fn when_all_places_are_taken_it_is_told_which_is_free_first() {
        let long = claim(1, 0, TEN, "2026-11-23T11:00:00Z");
        let short = claim(1, 1, "2026-11-23T08:30:00Z", "2026-11-23T09:05:00Z");
        let refusal = booked(&with_places(2, &[(7, &long), (8, &short)]), &[1]).unwrap_err();
        assert_eq!(refusal, R::SlotTaken { resource_id: resource(1), during: short.during });
    }

    #[test]
    fn who_has_lost_a_race_passes_free_places_over() {
        let mut facts = with_places(3, &[(7, &claim(1, 1, TEN, END))]);
        for (pass_over, seat) in [(0, 0), (1, 2), (2, 0)] {
            facts.pass_over = pass_over;
            assert_eq!(booked(&facts, &[1]).unwrap().slot.seats.of(0), seat);
        }
    }

    #[test]
    fn where_there_is_nothing_to_choose_nothing_is_looked_at() {
        let command = C::BookAppointment(booking(&[1]));
        let unmade = Appointment::default();
        assert!(unmade.looks(&command, &with_places(1, &[])).is_empty());
        assert!(unmade.is_settled_by_claims(&command, &[]));
        let looks = unmade.looks(&command, &with_places(2, &[]));
        assert_eq!(looks.len(), 1);
        assert_eq!((looks[0].resource, looks[0].during), (resource(1), taken(1).during));
    }

    #[test]
    fn a_moved_appointment_has_a_place_that_is_free_then() {
        let appointment = after(vec![C::BookAppointment(booking(&[1]))]);
        let start = at("2026-11-23T10:00:00Z");
        let there = claim(1, 0, "2026-11-23T10:00:00Z", "2026-11-23T10:30:00Z");
        let command = to(start, None);
        let moved = appointment.decide(command, &with_places(2, &[(7, &there)])).unwrap();
        assert_eq!(moved.claims_after().unwrap()[0].seat, 1);
    }
}

mod roles {
    use super::*;

    #[test]
    fn the_first_that_is_free_is_chosen_by_name() {
        let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
        assert_eq!(on(&world(terms(), &[], &[]), &[]), Ok(ids(&[2, 9])));
        assert_eq!(on(&world(terms(), &[], &[(7, &taken(2))]), &[]), Ok(ids(&[3, 9])));
    }

    #[test]
    fn a_role_that_lists_resources_prefers_them_in_that_order() {
        let among = |n: u128| format!(r#""{}""#, resource(n));
        let needs = format!(r#"[{{"role":"practitioner","among":[{},{}]}}]"#, among(3), among(2));
        let terms = || terms_with(&needs, Choose::FirstFree);
        assert_eq!(on(&world(terms(), &[], &[]), &[]), Ok(ids(&[3])));
        assert_eq!(on(&world(terms(), &[], &[(7, &taken(3))]), &[]), Ok(ids(&[2])));
    }

    #[test]
    fn the_least_booked_of_the_day_is_chosen() {
        let terms = || terms_with(DOCTOR, Choose::LeastBooked);
        let hour = claim(2, 0, "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z");
        let half = claim(3, 0, "2026-11-23T12:00:00Z", "2026-11-23T12:30:00Z");
        let whole = claim(1, 0, "2026-11-23T12:00:00Z", "2026-11-23T15:00:00Z");
        let claims = [(4, &hour), (5, &half), (6, &whole)];
        assert_eq!(on(&world(terms(), &[], &claims), &[]), Ok(ids(&[3])));
        // What is on another day does not count.
        let tomorrow = claim(3, 0, "2026-11-24T08:00:00Z", "2026-11-24T15:00:00Z");
        let claims = [(4, &hour), (5, &half), (6, &whole), (7, &tomorrow)];
        assert_eq!(on(&world(terms(), &[], &claims), &[]), Ok(ids(&[3])));
    }

    #[test]
    fn each_has_a_turn_and_the_first_of_the_day_is_another_each_day() {
        let terms = || terms_with(DOCTOR, Choose::RoundRobin);
        let lunch = |n| claim(n, 0, "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z");
        let (one, two, three) = (lunch(1), lunch(2), lunch(3));
        // Made in the order 2, 3, 1.
        let claims = [(10, &two), (11, &three), (12, &one)];
        assert_eq!(on(&world(terms(), &[], &claims), &[]), Ok(ids(&[2])));
        let firsts: std::collections::BTreeSet<ResourceId> = (23..26)
            .map(|day| {
                let booking = Booking {
                    resource_ids: None,
                    ..a_booking(&format!("2026-11-{day}T09:00:00Z"))
                };
                let event = Appointment::default()
                    .decide(C::BookAppointment(booking), &world(terms(), &[], &[]))
                    .unwrap();
                event.claims_after().unwrap()[0].resource
            })
            .collect();
        assert_eq!(firsts.len(), 3);
    }

    #[test]
    fn what_is_named_stays_and_the_rest_is_chosen() {
        let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
        assert_eq!(on(&world(terms(), &[1], &[]), &[1]), Ok(ids(&[1, 9])));
        assert_eq!(on(&world(terms(), &[9], &[]), &[9]), Ok(ids(&[9, 2])));
        assert_eq!(on(&world(terms(), &[9, 3], &[]), &[9, 3]), Ok(ids(&[9, 3])));
    }

    #[test]
    fn what_is_named_and_fills_no_role_is_refused_with_the_roles_that_are_left() {
        let facts = world(terms_with(DOCTOR_AND_ROOM, Choose::FirstFree), &[1, 3], &[]);
        let R::UnfitResource { resource_id, roles } = on(&facts, &[1, 3]).unwrap_err() else {
            panic!("another refusal")
        };
        assert_eq!(resource_id, resource(3));
        assert_eq!(roles.iter().map(crate::RoleName::as_str).collect::<Vec<_>>(), ["room"]);
    }

    #[test]
    fn a_role_for_which_there_are_too_few_is_named() {
        let needs = r#"[{"role":"practitioner","kind":"staff"},
                        {"role":"scanner","kind":"equipment","count":2}]"#;
        let refusal = on(&world(terms_with(needs, Choose::FirstFree), &[], &[]), &[]).unwrap_err();
        let role = crate::RoleName::new("scanner").unwrap();
        assert_eq!(refusal, R::RoleUnfilled { role, required: 2, found: 0 });
    }

    #[test]
    fn who_is_closed_cannot_fill_a_role() {
        let mut facts = world(terms_with(DOCTOR, Choose::FirstFree), &[], &[]);
        let closed = ResourceProfile { opening_hours: OpeningHours::default(), ..doctor("Al") };
        facts.directory = directory(&[(1, closed), (2, doctor("Bo"))]);
        assert_eq!(on(&facts, &[]), Ok(ids(&[2])));
    }

    #[test]
    fn a_role_of_which_nobody_is_free_is_named_with_the_time() {
        let terms = terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
        let refusal = on(&world(terms, &[], &[(7, &taken(9))]), &[]).unwrap_err();
        let role = crate::RoleName::new("room").unwrap();
        let during = taken(9).during;
        assert_eq!(refusal, R::RoleTaken { role, required: 1, found: 0, during });
    }

    #[test]
    fn a_service_without_roles_needs_a_resource_to_be_named() {
        assert_eq!(on(&world(terms(), &[], &[]), &[]), Err(R::NoResources));
    }

    /// Both doctors are open around the clock, in Oslo and half an hour ahead of UTC's hours.
    fn on_the_hour(override_: bool) -> Result<Details, R> {
        let rules = serde_json::from_str(r#"{"slot_step_minutes":60}"#).unwrap();
        let terms = ServiceTerms { rules, ..terms_with(DOCTOR, Choose::FirstFree) };
        let mut facts = world(terms, &[], &[]);
        let always: WeeklyHours = serde_json::from_str(
            r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#,
        )
        .unwrap();
        let in_zone = |name: &str, time_zone| ResourceProfile {
            time_zone,
            opening_hours: always.clone().into(),
            ..doctor(name)
        };
        let half = in_zone("Al", chrono_tz::Tz::Asia__Kolkata);
        let mut known = vec![(1, half)];
        if !override_ {
            known.push((2, in_zone("Bo", chrono_tz::Tz::Europe__Oslo)));
        }
        facts.directory = directory(&known);
        let overriding = override_.then(|| crate::Reason::new("By phone").unwrap());
        let booking = Booking { overriding, ..booking(&[]) };
        let event = Appointment::default().decide(C::BookAppointment(booking), &facts)?;
        let AppointmentEvent::AppointmentBooked(details) = event else { panic!("{event:?}") };
        Ok(details)
    }

    #[test]
    fn who_is_where_the_rules_do_not_allow_it_is_not_chosen() {
        assert_eq!(on_the_hour(false).unwrap().slot.resource_ids, ids(&[2]));
    }

    #[test]
    fn where_rules_are_overridden_whoever_is_open_is_chosen_and_the_rule_is_named() {
        let details = on_the_hour(true).unwrap();
        assert_eq!(details.slot.resource_ids, ids(&[1]));
        let rules = details.overridden.unwrap().rules;
        assert_eq!(rules, [crate::service::rules::Rule::StartGrid].into());
    }

    #[test]
    fn where_nobody_can_be_chosen_because_of_a_rule_the_rule_is_the_refusal() {
        let rules = serde_json::from_str(r#"{"slot_step_minutes":60,"slot_offset_minutes":30}"#);
        let terms = ServiceTerms { rules: rules.unwrap(), ..terms_with(DOCTOR, Choose::FirstFree) };
        let refusal = on(&world(terms, &[], &[]), &[]).unwrap_err();
        let R::RuleBroken(broken) = refusal else { panic!("another refusal: {refusal:?}") };
        assert_eq!(broken.rule(), crate::service::rules::Rule::StartGrid);
    }

    #[test]
    fn only_where_a_role_is_left_is_the_directory_needed() {
        let facts = world(terms_with(DOCTOR_AND_ROOM, Choose::FirstFree), &[], &[]);
        for (named, chooses) in [(&[][..], true), (&[1], true), (&[1, 9], false)] {
            let command = C::BookAppointment(booking(named));
            assert_eq!(Appointment::default().chooses(&command, &facts), chooses, "{named:?}");
        }
    }

    #[test]
    fn new_resources_of_a_move_fill_the_roles_too() {
        let terms = || terms_with(DOCTOR_AND_ROOM, Choose::FirstFree);
        let mut appointment = Appointment::default();
        let event = appointment
            .decide(C::BookAppointment(booking(&[])), &world(terms(), &[], &[]))
            .unwrap();
        appointment.evolve(event);
        let start = at("2026-11-23T10:00:00Z");
        let moved = |named: &[u128]| {
            let command = to(start, Some(ids(named)));
            let event = appointment.decide(command, &world(terms(), named, &[]))?;
            Ok(event.claims_after().unwrap()[0].resource)
        };
        assert_eq!(moved(&[1]), Ok(resource(1)));
        assert!(matches!(moved(&[1, 2]), Err(R::UnfitResource { .. })));
    }
}

mod limits {
    use super::*;

    fn a_day(most: u16) -> ServiceTerms {
        ServiceTerms { limit_per_client_per_day: Some(most.try_into().unwrap()), ..terms() }
    }

    fn counted(slot: &Slot, rule: CountedRule) -> Vec<Claim> {
        let of: Vec<_> =
            slot.counted.iter().filter(|one| one.rule == rule).map(|one| one.of).collect();
        slot.claims(None).into_iter().filter(|claim| of.contains(&claim.resource)).collect()
    }

    #[test]
    fn an_appointment_takes_one_of_the_numbered_places_of_the_day() {
        let first = booked(&world(a_day(2), &[1], &[]), &[1]).unwrap().slot;
        let place = counted(&first, CountedRule::ClientDay);
        assert_eq!((place.len(), place[0].seat), (1, 0));
        let second = booked(&world(a_day(2), &[1], &[(7, &place[0])]), &[1]).unwrap().slot;
        let other = counted(&second, CountedRule::ClientDay);
        assert_eq!((other[0].resource, other[0].seat), (place[0].resource, 1));
        let both = [(7, &place[0]), (8, &other[0])];
        let R::ClientDayLimit { date, required, found, .. } =
            booked(&world(a_day(2), &[1], &both), &[1]).unwrap_err()
        else {
            panic!("another refusal")
        };
        assert_eq!((date.to_string().as_str(), required, found), ("2026-11-23", 2, 2));
    }

    #[test]
    fn a_day_is_the_local_day_of_the_first_resource() {
        let place = |start: &str, zone: chrono_tz::Tz| {
            let mut facts = world(a_day(1), &[1], &[]);
            let always = serde_json::from_str(
                r#"[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00"}]"#,
            );
            let opening_hours = WeeklyHours::into(always.unwrap());
            let profile = ResourceProfile { time_zone: zone, opening_hours, ..doctor("Cy") };
            facts.resources[0].1 = Arc::new(Resource::Active(profile));
            let booking = Booking { resource_ids: Some(ids(&[1])), ..a_booking(start) };
            let event = Appointment::default().decide(C::BookAppointment(booking), &facts);
            event.unwrap().claims_after().unwrap()[1]
        };
        let oslo = chrono_tz::Tz::Europe__Oslo;
        // 23:30 in UTC is half past midnight of the next day in Oslo.
        let late = "2026-11-23T23:30:00Z";
        assert_ne!(place(TEN, oslo).resource, place(late, oslo).resource);
        assert_eq!(place(TEN, oslo), place(late, chrono_tz::Tz::UTC));
        assert_eq!(place(late, oslo), place("2026-11-24T09:00:00Z", chrono_tz::Tz::Pacific__Apia));
    }

    fn hold(expires_at: &str) -> C {
        let holds_per_client = HoldLimit::try_from(2).unwrap();
        C::HoldAppointment { booking: booking(&[1]), expires_at: at(expires_at), holds_per_client }
    }

    fn held(facts: &Facts) -> Result<Vec<Claim>, R> {
        let event = Appointment::default().decide(hold("2026-11-23T07:10:00Z"), facts)?;
        Ok(event.claims_after().unwrap())
    }

    #[test]
    fn a_client_holds_no_more_at_once_than_so_many() {
        let nothing = world(terms(), &[1], &[]);
        let first = held(&nothing).unwrap()[1];
        assert_eq!(
            (first.during.start(), first.during.end()),
            (nothing.now, at("2026-11-23T07:10:00Z"))
        );
        assert_eq!(first.expires_at, Some(at("2026-11-23T07:10:00Z")));
        let second = held(&world(terms(), &[1], &[(7, &first)])).unwrap()[1];
        assert_eq!((first.seat, second.seat), (0, 1));
        let mut full = world(terms(), &[1], &[(7, &first), (8, &second)]);
        assert!(matches!(held(&full), Err(R::ClientHoldLimit { required: 2, found: 2, .. })));
        // When they have lapsed, recorded or not, the client can hold again.
        full.now = at("2026-11-23T07:10:00Z");
        full.busy = Busy::at(
            full.now,
            [first, second]
                .map(|claim| Claimed { claim, holder: AppointmentId::from(uuid::Uuid::nil()) }),
        );
        assert!(Appointment::default().decide(hold("2026-11-23T07:20:00Z"), &full).is_ok());
    }

    #[test]
    fn what_is_confirmed_no_longer_counts_as_a_hold_and_goes_on_counting_for_its_day() {
        let facts = world(a_day(1), &[1], &[]);
        let mut appointment = Appointment::default();
        let event = appointment.decide(hold("2026-11-23T07:10:00Z"), &facts).unwrap();
        assert_eq!(event.claims_after().unwrap().len(), 3);
        appointment.evolve(event);
        let confirmed = appointment.decide(C::ConfirmAppointment, &facts).unwrap();
        let claims = confirmed.claims_after().unwrap();
        assert_eq!(claims.len(), 2);
        assert!(claims.iter().all(|claim| claim.expires_at.is_none()));
        appointment.evolve(confirmed);
        let start = at("2026-11-23T10:00:00Z");
        let command = to(start, None);
        let moved = appointment.decide(command, &facts).unwrap();
        assert_eq!(moved.claims_after().unwrap().len(), 2, "nor when it moves");
        assert!(!appointment.is_settled_by_claims(&C::ConfirmAppointment, &[]));
    }

    #[test]
    fn a_moved_hold_counts_as_the_hold_that_it_was_and_for_its_new_day() {
        let facts = world(a_day(1), &[1], &[]);
        let mut appointment = Appointment::default();
        let event = appointment.decide(hold("2026-11-23T07:10:00Z"), &facts).unwrap();
        let before = event.claims_after().unwrap();
        appointment.evolve(event);
        let start = at("2026-11-24T09:00:00Z");
        let command = to(start, None);
        let after = appointment.decide(command, &facts).unwrap().claims_after().unwrap();
        assert!(after.contains(&before[2]), "the hold");
        assert!(!after.contains(&before[1]) && after.len() == 3, "the day");
    }

    #[test]
    fn a_hold_that_would_have_lapsed_is_not_made() {
        let facts = world(terms(), &[1], &[]);
        let expired_at = facts.now;
        let refusal = Appointment::default().decide(hold(&expired_at.to_rfc3339()), &facts);
        assert_eq!(refusal, Err(R::HoldExpired { expired_at }));
    }
}
