//! What has become free, and whom it is for.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::places::{claim_of, directory};
use super::*;
use crate::availability::Calendar;
use crate::claim::Claim;
use crate::service::rules::BookingRules;
use crate::time::Interval;
use crate::waiting::{Freed, Look, OpeningSearch};

fn entry(wishes: Wishes) -> Joined {
    Joined { client_id: client(), wishes, joined_at: now(), state: EntryState::Waiting }
}

fn look(freed: &Freed, wishes: Wishes, terms: ServiceTerms) -> Look {
    let id = Uuid::from_u128(400).into();
    freed.look((id, &entry(wishes)), &Service::Offered(terms), &directory())
}

/// Those starts at which there is a place, where it is looked for.
fn starts(wishes: &Wishes, look: &Look, claims: &[Claim]) -> Vec<DateTime<Utc>> {
    let directory = directory();
    let search = OpeningSearch::of(wishes, &Service::Offered(terms()), &directory).unwrap();
    let Some(search) = search.where_told(look) else { return Vec::new() };
    let calendars = search.resources.iter().map(|id| {
        let profile = directory.get(*id).unwrap();
        let (zone, hours) = (profile.time_zone, &profile.opening_hours);
        Calendar { resource: *id, zone, hours, places: 1, claims }
    });
    let calendars: Vec<_> = calendars.collect();
    search.openings(wishes, &calendars, now()).into_iter().map(|place| place.start).collect()
}

/// Minutes from the Monday's nine o'clock on, in which the resource is taken.
fn taken(times: &[(i64, i64)]) -> Vec<Claim> {
    let nine = at("2026-11-23T08:00:00Z");
    let claim = |(from, minutes): &(i64, i64)| {
        let start = nine + TimeDelta::minutes(*from);
        claim_of(resource(1), Interval::new(start, start + TimeDelta::minutes(*minutes)).unwrap())
    };
    let mut claims: Vec<Claim> = times.iter().map(claim).collect();
    claims.sort_by_key(|claim| claim.during.start());
    claims
}

proptest! {
    /// Nobody is forgotten: each start that was not there before is where one is told to look.
    #[test]
    fn whatever_comes_free_is_found_where_it_is_looked_for(
        times in prop::collection::vec((0_i64..3_000, 5_i64..300), 1..12),
        freed in 0_usize..12,
    ) {
        let before = taken(&times);
        let freed = before[freed % before.len()];
        let mut after = before.clone();
        after.retain(|claim| *claim != freed);
        let mut what = Freed::default();
        what.add_resource(freed.resource, Some(freed.during));
        let told = look(&what, wishes(), terms());
        let were = starts(&wishes(), &Look::Everywhere, &before);
        let are = starts(&wishes(), &Look::Everywhere, &after);
        let found = starts(&wishes(), &told, &after);
        for start in &are {
            prop_assert!(were.contains(start) || found.contains(start), "{start} is forgotten");
        }
        for start in &found {
            prop_assert!(are.contains(start), "{start} is not free");
        }
        prop_assert!(found.len() <= are.len());
    }
}

fn hour(from: &str) -> Interval {
    Interval::new(at(from), at(from) + TimeDelta::hours(1)).unwrap()
}

#[test]
fn only_those_are_looked_at_for_whom_it_can_be() {
    let of_resource = |n, time| {
        let mut freed = Freed::default();
        freed.add_resource(resource(n), time);
        look(&freed, wishes(), terms())
    };
    let monday = hour("2026-11-23T08:00:00Z");
    assert_eq!(of_resource(2, Some(monday)), Look::Nowhere, "another resource is wished for");
    assert_eq!(of_resource(1, Some(hour("2026-11-30T08:00:00Z"))), Look::Nowhere, "the week after");
    assert_eq!(of_resource(1, None), Look::Everywhere);
    let Look::Within(times) = of_resource(1, Some(monday)) else { panic!("it is told when") };
    let [time] = *times else { panic!("{times:?}") };
    assert!(time.contains(&monday) && time.length() < TimeDelta::hours(4), "{time:?}");

    let mut freed = Freed::default();
    freed.add_service(Uuid::from_u128(101).into(), None);
    assert_eq!(look(&freed, wishes(), terms()), Look::Nowhere, "another service");
    freed.add_service(wishes().service_id, Some(monday));
    assert_eq!(look(&freed, wishes(), terms()), Look::Within(vec![monday]));
    freed.add_client(Uuid::from_u128(201).into());
    assert_eq!(look(&freed, wishes(), terms()), Look::Within(vec![monday]), "another client");
    freed.add_client(client());
    assert_eq!(look(&freed, wishes(), terms()), Look::Everywhere);
    let mut joined = Freed::default();
    joined.add_entry(Uuid::from_u128(400).into());
    assert_eq!(look(&joined, wishes(), terms()), Look::Everywhere);
    assert_eq!(look(&Freed::anything(), wishes(), terms()), Look::Everywhere);
    assert!(Freed::default().is_nothing() && !joined.is_nothing());
}

#[test]
fn a_day_that_comes_within_the_horizon_is_looked_at_and_no_other() {
    let rules: BookingRules = serde_json::from_str(r#"{"booking_horizon_days":3}"#).unwrap();
    let limited = ServiceTerms { rules, ..terms() };
    let mut freed = Freed::default();
    freed.add_passed(at("2026-11-22T10:00:00Z"), at("2026-11-22T10:15:00Z"));
    assert_eq!(look(&freed, wishes(), terms()), Look::Nowhere, "without a horizon no day comes");
    let Look::Within(times) = look(&freed, wishes(), limited.clone()) else { panic!("looked at") };
    let [time] = *times else { panic!("{times:?}") };
    assert!(time.contains(&hour("2026-11-25T10:00:00Z")));
    assert!(time.start() >= at("2026-11-24T00:00:00Z") && time.end() <= at("2026-11-28T00:00:00Z"));
    let mut later = Freed::default();
    later.add_passed(at("2026-12-22T10:00:00Z"), at("2026-12-22T10:15:00Z"));
    assert_eq!(look(&later, wishes(), limited), Look::Nowhere);
}

#[test]
fn many_times_become_one_that_has_them_all() {
    let mut freed = Freed::default();
    let nine = at("2026-11-23T08:00:00Z");
    for n in 0..500 {
        let start = nine + TimeDelta::minutes(3 * n);
        freed.add_resource(resource(1), Interval::new(start, start + TimeDelta::minutes(1)).ok());
    }
    let Look::Within(times) = look(&freed, wishes(), terms()) else { panic!("looked at") };
    assert!(times.len() <= 64 && times[0].start() <= nine, "{times:?}");
    assert!(times.last().unwrap().end() >= nine + TimeDelta::minutes(1_498));
}
