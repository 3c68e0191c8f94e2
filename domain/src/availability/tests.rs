//! What is offered, against a model that asks minute by minute.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Blocker, Calendar, Effort, SlotQuery, any_of, on_each};
use crate::ResourceId;
use crate::claim::Claim;
use crate::service::rules::{BookingRules, Grid};
use crate::time::{Buffer, Duration, Interval, OpeningHours, Step, WeeklyHours};

mod lazily;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn resource(n: u128) -> ResourceId {
    Uuid::from_u128(n).into()
}

fn hours(windows: &str) -> OpeningHours {
    serde_json::from_str::<WeeklyHours>(windows).unwrap().into()
}

fn office() -> OpeningHours {
    hours(r#"[{"days":["mon","tue","wed","thu","fri"],"from":"09:00","to":"11:00"}]"#)
}

fn grid(minutes: u32) -> Grid {
    Grid::new(Step::from_minutes(minutes).unwrap(), 0).unwrap()
}

fn claim(seat: u16, start: DateTime<Utc>, minutes: i64) -> Claim {
    let during = Interval::new(start, start + TimeDelta::minutes(minutes)).unwrap();
    Claim { resource: resource(1), seat, during, expires_at: None }
}

/// Half an hour on Tuesday 2026-11-24, looked for on the day before.
fn query(rules: &BookingRules) -> SlotQuery<'_> {
    SlotQuery {
        length: Duration::from_minutes(30).unwrap(),
        buffer_before: Buffer::from_minutes(0).unwrap(),
        buffer_after: Buffer::from_minutes(10).unwrap(),
        rules,
        grid: grid(15),
        within: Interval::new(at("2026-11-23T23:00:00Z"), at("2026-11-24T23:00:00Z")).unwrap(),
        now: at("2026-11-23T07:00:00Z"),
    }
}

fn calendar<'a>(hours: &'a OpeningHours, claims: &'a [Claim], places: u16) -> Calendar<'a> {
    Calendar { resource: resource(1), zone: Tz::Europe__Oslo, hours, places, claims }
}

fn unlimited() -> Effort<'static> {
    Effort::new(u64::MAX, &|| true)
}

/// The starts on one resource.
fn on(calendar: &Calendar<'_>, query: &SlotQuery<'_>) -> Vec<DateTime<Utc>> {
    let each = on_each(std::slice::from_ref(calendar), query, usize::MAX, &mut unlimited());
    each.unwrap().remove(0).starts
}

fn shown(starts: &[DateTime<Utc>]) -> Vec<String> {
    starts.iter().map(|start| start.format("%H:%M").to_string()).collect()
}

#[test]
fn an_empty_day_is_offered_from_opening_until_the_last_that_ends_in_time() {
    let (rules, hours) = (BookingRules::default(), office());
    let starts = on(&calendar(&hours, &[], 1), &query(&rules));
    assert_eq!(shown(&starts), ["08:00", "08:15", "08:30", "08:45", "09:00", "09:15", "09:30"]);
}

#[test]
fn a_claim_takes_the_starts_whose_buffers_would_touch_it() {
    let (rules, hours) = (BookingRules::default(), office());
    // 09:30 to 10:10 in Oslo, with the buffer of the one who has it.
    let claims = [claim(0, at("2026-11-24T08:30:00Z"), 40)];
    let starts = on(&calendar(&hours, &claims, 1), &query(&rules));
    // At 08:00 the buffer would last until 08:40.
    assert_eq!(shown(&starts), ["09:15", "09:30"]);
}

#[test]
fn a_resource_with_places_is_offered_while_one_place_is_free_throughout() {
    let (rules, hours) = (BookingRules::default(), office());
    let first = claim(0, at("2026-11-24T08:00:00Z"), 60);
    let second = claim(1, at("2026-11-24T08:50:00Z"), 40);
    let both = [first, second];
    let starts = on(&calendar(&hours, &both, 2), &query(&rules));
    assert_eq!(shown(&starts), ["08:00", "09:00", "09:15", "09:30"]);
    // The second place is above the capacity of today, and no longer given.
    let starts = on(&calendar(&hours, &[second], 1), &query(&rules));
    assert_eq!(starts.len(), 7);
}

#[test]
fn rules_narrow_what_is_offered() {
    let rules: BookingRules = serde_json::from_str(
        r#"{"slot_step_minutes":20,"minimum_notice_minutes":1510,"booking_horizon_days":1}"#,
    )
    .unwrap();
    let hours = office();
    let within = Interval::new(at("2026-11-23T00:00:00Z"), at("2026-11-30T00:00:00Z")).unwrap();
    let query = SlotQuery { within, ..query(&rules) };
    // A day and 70 minutes after Monday 08:00 in Oslo; Wednesday is too far ahead.
    let starts = on(&calendar(&hours, &[], 1), &query);
    assert_eq!(shown(&starts), ["08:20", "08:40", "09:00", "09:20"]);
}

#[test]
fn a_moment_that_is_not_offered_has_its_reasons() {
    let rules: BookingRules =
        serde_json::from_str(r#"{"slot_step_minutes":30,"booking_horizon_days":3}"#).unwrap();
    let hours = office();
    let claims = [claim(0, at("2026-11-24T08:30:00Z"), 40)];
    let calendar = calendar(&hours, &claims, 1);
    let query = query(&rules);
    let why = |start: &str| calendar.blockers(at(start), &query);
    assert_eq!(why("2026-11-24T09:30:00Z"), []);
    let (resource, during) = (resource(1), claims[0].during);
    assert_eq!(why("2026-11-24T08:00:00Z"), [Blocker::Claimed { resource, during }]);
    assert_eq!(why("2026-11-24T11:00:00Z"), [Blocker::Closed { resource }]);
    let both = why("2026-11-24T08:10:00Z");
    assert!(matches!(both[..], [Blocker::Rule(_), Blocker::Claimed { .. }]), "{both:?}");
    assert!(matches!(
        why("2026-11-23T06:30:00Z")[..],
        [Blocker::InThePast, Blocker::Closed { .. }]
    ));
    assert!(matches!(why("2026-11-27T08:00:00Z")[..], [Blocker::Rule(_)]));
}

#[test]
fn any_resource_will_do_and_a_start_is_named_once() {
    let (rules, hours) = (BookingRules::default(), office());
    let claims = [claim(0, at("2026-11-24T07:00:00Z"), 240)];
    let afternoon = self::hours(r#"[{"days":["tue"],"from":"10:00","to":"12:00"}]"#);
    let calendars =
        [calendar(&hours, &claims, 1), calendar(&hours, &[], 1), calendar(&afternoon, &[], 1)];
    let starts = any_of(&calendars, &query(&rules), usize::MAX, &mut unlimited()).unwrap().starts;
    let expected = on(&calendars[1], &query(&rules));
    let expected = expected.into_iter().chain(on(&calendars[2], &query(&rules)));
    let expected: std::collections::BTreeSet<_> = expected.collect();
    assert!(starts.iter().eq(&expected));
}

/// Zones whose clocks change at midnight, by half an hour, by a day, and not at all.
const ZONES: [Tz; 6] = [
    Tz::Europe__Oslo,
    Tz::America__Santiago,
    Tz::Africa__Cairo,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
    Tz::UTC,
];

prop_compose! {
    fn windows()(
        windows in prop::collection::vec((0_usize..7, 0_u16..24, 1_u16..24, any::<bool>()), 0..6),
    ) -> OpeningHours {
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let windows = windows.into_iter().map(|(day, from, length, half)| {
            let minute = if half { 30 } else { 0 };
            let to = (from + length) % 24;
            serde_json::json!({
                "days": [days[day], days[(day + 3) % 7]],
                "from": format!("{from:02}:{minute:02}"),
                "to": format!("{to:02}:{minute:02}"),
            })
        });
        hours(&serde_json::Value::Array(windows.collect()).to_string())
    }
}

/// As a booking is decided: all of it open, and some place free of it and its buffers.
fn can_be_booked(calendar: &Calendar<'_>, query: &SlotQuery<'_>, start: DateTime<Utc>) -> bool {
    let during = Interval::lasting(start, query.length);
    let claim = during.widened(query.buffer_before.delta(), query.buffer_after.delta());
    let minutes = (0..).map(|n| start + TimeDelta::minutes(n));
    let open = minutes
        .take_while(|minute| *minute < during.end())
        .all(|minute| calendar.hours.cover(calendar.zone, &Interval::lasting(minute, MINUTE)));
    let free = |place: u16| {
        let of_place = calendar.claims.iter().filter(|claim| claim.seat == place);
        of_place.into_iter().all(|claimed| !claimed.during.overlaps(&claim))
    };
    open && start >= query.now && (0..calendar.places).any(free)
}

const MINUTE: Duration = match Duration::from_minutes(1) {
    Ok(minute) => minute,
    Err(_) => panic!("a minute is a duration"),
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_minute_that_can_be_booked_is_offered_and_no_other(
        zone in prop::sample::select(&ZONES[..]),
        hours in windows(),
        day in 0_i64..14_000,
        claims in prop::collection::vec((0_u16..3, 0_i64..1_800, 1_i64..300), 0..12),
        places in 1_u16..4,
        (length, before, after) in (1_u32..180, 0_u32..40, 0_u32..40),
        now in 0_i64..600,
    ) {
        let begin = at("2000-01-01T00:00:00Z") + TimeDelta::days(day);
        let minute = |n: i64| begin + TimeDelta::minutes(n);
        let claims: Vec<Claim> = claims
            .into_iter()
            .map(|(seat, from, minutes)| claim(seat, minute(from), minutes))
            .collect();
        let rules = BookingRules::default();
        let query = SlotQuery {
            length: Duration::from_minutes(length).unwrap(),
            buffer_before: Buffer::from_minutes(before).unwrap(),
            buffer_after: Buffer::from_minutes(after).unwrap(),
            rules: &rules,
            grid: grid(1),
            within: Interval::new(begin, minute(1_440)).unwrap(),
            now: minute(now) + TimeDelta::seconds(1),
        };
        let calendar = Calendar { zone, hours: &hours, ..calendar(&hours, &claims, places) };
        let offered = on(&calendar, &query);
        let expected: Vec<_> =
            (0..1_440).map(minute).filter(|start| can_be_booked(&calendar, &query, *start)).collect();
        prop_assert_eq!(&offered, &expected);
        for start in [minute(0), minute(333), minute(900)] {
            let reasons = calendar.blockers(start, &query);
            prop_assert_eq!(reasons.is_empty(), expected.contains(&start), "{:?}", reasons);
        }
    }
}
