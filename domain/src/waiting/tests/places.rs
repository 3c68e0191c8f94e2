//! The places that fit a wish.

use super::*;
use crate::availability::Calendar;
use crate::claim::Claim;
use crate::resource::{ResourceEvent, ResourceRegistered};
use crate::time::Interval;
use crate::waiting::OpeningSearch;
use crate::{Directory, ResourceId};

/// Resources 1 and 2, open on weekdays from 9 to 17, Oslo time.
pub(super) fn directory() -> Directory {
    let mut directory = Directory::default();
    for n in [1, 2] {
        let profile = crate::testing::profile();
        let event = ResourceEvent::ResourceRegistered(ResourceRegistered { profile });
        directory.take_note(resource(n), event, 1);
    }
    directory
}

pub(super) fn claim_of(resource: ResourceId, during: Interval) -> Claim {
    Claim { resource, seat: 0, during, expires_at: None }
}

fn claim(resource: ResourceId, from: &str, to: &str) -> Claim {
    claim_of(resource, Interval::new(at(from), at(to)).unwrap())
}

/// The first start that fits, and on which of the wished resources.
fn first(
    wishes: &Wishes,
    terms: ServiceTerms,
    claims: &[Claim],
) -> Option<(String, Option<Vec<ResourceId>>)> {
    let directory = directory();
    let search = OpeningSearch::of(wishes, &Service::Offered(terms), &directory)?;
    let of = |id: ResourceId| -> Vec<Claim> {
        claims.iter().filter(|claim| claim.resource == id).copied().collect()
    };
    let claims: Vec<Vec<Claim>> = search.resources.iter().map(|id| of(*id)).collect();
    let calendars = search.resources.iter().zip(&claims).map(|(id, claims)| {
        let profile = directory.get(*id).unwrap();
        Calendar {
            resource: *id,
            zone: profile.time_zone,
            hours: &profile.opening_hours,
            places: 1,
            claims,
        }
    });
    let places = search.openings(wishes, &calendars.collect::<Vec<_>>(), now());
    let place = places.into_iter().next()?;
    Some((place.start.to_rfc3339(), place.resource_ids.map(Into::into)))
}

#[test]
fn the_first_free_start_fits_where_any_time_is_wished_for() {
    let (start, on) = first(&wishes(), terms(), &[]).unwrap();
    assert_eq!((&*start, on), ("2026-11-23T08:00:00+00:00", Some(vec![resource(1)])));
    let taken = claim(resource(1), "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z");
    let (start, _) = first(&wishes(), terms(), &[taken]).unwrap();
    assert_eq!(start, "2026-11-23T12:00:00+00:00");
}

#[test]
fn all_of_the_appointment_lies_in_the_wished_times() {
    let times = |times: &str| Wishes { times: serde_json::from_str(times).unwrap(), ..wishes() };
    let wishes = times(r#"[{"days": ["tue", "wed"], "from": "10:00", "to": "10:45"}]"#);
    let (start, _) = first(&wishes, terms(), &[]).unwrap();
    assert_eq!(start, "2026-11-24T09:00:00+00:00");
    // With the buffer of another before it, what is left on Tuesday is too short.
    let taken = claim(resource(1), "2026-11-24T09:00:00Z", "2026-11-24T09:16:00Z");
    let (start, _) = first(&wishes, terms(), &[taken]).unwrap();
    assert_eq!(start, "2026-11-25T09:00:00+00:00");
    let short = times(r#"[{"days": ["tue"], "from": "10:00", "to": "10:29"}]"#);
    assert_eq!(first(&short, terms(), &[]), None);
    let weekend = times(r#"[{"days": ["sat"], "from": "10:00", "to": "12:00"}]"#);
    assert_eq!(first(&weekend, terms(), &[]), None);
}

/// Against all that is free, looked through one by one.
#[test]
fn every_start_that_fits_is_found_once_and_in_order_on_the_first_dates() {
    let directory = directory();
    let taken = [claim(resource(1), "2026-11-25T08:00:00Z", "2026-11-25T13:00:00Z")];
    let of = |id: ResourceId| if id == resource(1) { &taken[..] } else { &[] };
    let windows = [
        "[]",
        r#"[{"days": ["wed", "fri"], "from": "12:00", "to": "14:00"}]"#,
        r#"[{"days": ["mon"], "from": "16:00", "to": "09:30"}]"#,
    ];
    for (times, to) in
        windows.into_iter().flat_map(|times| [(times, "2026-12-20"), (times, "2027-02-22")])
    {
        let times: WeeklyHours = serde_json::from_str(times).unwrap();
        let wishes = Wishes { times, days: days("2026-11-23", to), ..wishes() };
        let search = OpeningSearch::of(&wishes, &Service::Offered(terms()), &directory).unwrap();
        let calendars = search.resources.iter().map(|id| {
            let profile = directory.get(*id).unwrap();
            let (zone, hours) = (profile.time_zone, &profile.opening_hours);
            Calendar { resource: *id, zone, hours, places: 1, claims: of(*id) }
        });
        let calendars: Vec<_> = calendars.collect();
        let within = wishes.days.bounds().unwrap();
        let (rules, length) = (BookingRules::default(), terms().duration);
        let wanted = crate::availability::SlotQuery {
            length,
            buffer_before: terms().buffer_before,
            buffer_after: terms().buffer_after,
            rules: &rules,
            grid: crate::service::rules::Grid::default(),
            within,
            now: now(),
        };
        let has_time = wishes.has_time();
        let fits = |start: &DateTime<Utc>| {
            let during = Interval::lasting(*start, length);
            has_time.iter().any(|time| time.contains(&during))
        };
        let mut model = crate::availability::any_of(
            &calendars,
            &wanted,
            usize::MAX,
            &mut crate::availability::Effort::new(u64::MAX, &|| true),
        )
        .unwrap()
        .starts;
        model.retain(fits);
        let mut dates: Vec<_> = model.iter().map(DateTime::date_naive).collect();
        dates.dedup();
        dates.truncate(OpeningSearch::MAX_DATES);
        model.retain(|start| dates.contains(&start.date_naive()));
        let places = search.openings(&wishes, &calendars, now());
        assert_eq!(places.iter().map(|place| place.start).collect::<Vec<_>>(), model);
        assert!(!model.is_empty());
    }
}

#[test]
fn of_several_wished_resources_one_that_is_free_is_named() {
    let ids = vec![resource(1), resource(2)];
    let wishes = Wishes { resource_ids: Some(ids.try_into().unwrap()), ..wishes() };
    let taken = claim(resource(1), "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z");
    let (start, on) = first(&wishes, terms(), &[taken]).unwrap();
    assert_eq!((&*start, on), ("2026-11-23T08:00:00+00:00", Some(vec![resource(2)])));
}

#[test]
fn where_no_resource_is_wished_for_none_is_named() {
    let needs: crate::service::Roles =
        serde_json::from_value(json!([{"role": "room", "kind": "room"}])).unwrap();
    let terms = ServiceTerms { needs, ..terms() };
    let anybody = Wishes { resource_ids: None, ..wishes() };
    let taken = claim(resource(1), "2026-11-23T08:00:00Z", "2026-11-23T12:00:00Z");
    let (start, on) = first(&anybody, terms.clone(), &[taken]).unwrap();
    assert_eq!((&*start, on), ("2026-11-23T08:00:00+00:00", None));
    // Only the first would do.
    let (start, on) = first(&wishes(), terms, &[taken]).unwrap();
    assert_eq!((&*start, on), ("2026-11-23T12:00:00+00:00", Some(vec![resource(1)])));
}

#[test]
fn nothing_fits_when_no_wished_resource_is_left() {
    let gone = Wishes { resource_ids: Some(vec![resource(9)].try_into().unwrap()), ..wishes() };
    assert_eq!(first(&gone, terms(), &[]), None);
    let retired = Service::Retired(terms());
    assert!(OpeningSearch::of(&wishes(), &retired, &directory()).is_none());
}
