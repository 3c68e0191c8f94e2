//! Each rule at its boundary, and the grid on the days on which clocks are changed.

use chrono::{DateTime, Offset, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::{BookingRules, Broken, Grid, Minutes, Proposal, Rule};
use crate::service::ServiceTerms;
use crate::testing::{at, now, terms};
use crate::time::{Duration, Interval, LeadTime, Step};

fn rules(json: &str) -> BookingRules {
    serde_json::from_str(json).unwrap()
}

fn minutes(minutes: u32) -> Duration {
    Duration::from_minutes(minutes).unwrap()
}

fn grid(step: u32, offset: u32) -> Grid {
    Grid::new(Step::from_minutes(step).unwrap(), offset).unwrap()
}

/// What half an hour from `start` breaks, wished for at [`now`].
fn broken_in(rules: &BookingRules, start: &str, zones: &[Tz]) -> Vec<Broken> {
    let during = Interval::lasting(at(start), minutes(30));
    rules.broken_by(&Proposal { during, now: now(), zones }).collect()
}

fn broken(rules: &BookingRules, start: &str) -> Vec<Rule> {
    broken_in(rules, start, &[Tz::Europe__Oslo]).iter().map(Broken::rule).collect()
}

#[test]
fn a_service_without_rules_refuses_nothing() {
    assert_eq!(broken(&BookingRules::default(), "2036-11-23T07:00:00.5Z"), []);
}

#[test]
fn a_wish_is_told_every_rule_that_it_breaks() {
    let rules =
        rules(r#"{"slot_step_minutes":15,"minimum_notice_minutes":120,"booking_horizon_days":0}"#);
    let all = broken(&rules, "2026-11-23T08:01:00Z");
    assert_eq!(all, [Rule::StartGrid, Rule::MinimumNotice]);
    assert_eq!(broken(&rules, "2026-11-24T08:01:00Z"), [Rule::StartGrid, Rule::BookingHorizon]);
}

#[test]
fn minimum_notice_is_kept_until_its_last_instant() {
    let rules = rules(r#"{"minimum_notice_minutes":120}"#);
    // It is 07:00.
    assert_eq!(broken(&rules, "2026-11-23T09:00:00Z"), []);
    let notice = broken_in(&rules, "2026-11-23T08:59:59.999999Z", &[]);
    let required = Minutes { minutes: LeadTime::from_minutes(120).unwrap() };
    assert_eq!(notice, [Broken::MinimumNotice { required, found: Minutes { minutes: 119 } }]);
}

#[test]
fn the_last_day_of_the_horizon_can_be_booked_to_its_end() {
    let rules = rules(r#"{"booking_horizon_days":7}"#);
    // Today is the 23rd, and midnight in Oslo is at 23:00.
    assert_eq!(broken(&rules, "2026-11-30T22:59:59Z"), []);
    assert_eq!(broken(&rules, "2026-11-30T23:00:00Z"), [Rule::BookingHorizon]);
    let Some(Broken::BookingHorizon { required, found }) =
        broken_in(&rules, "2026-11-30T23:00:00Z", &[Tz::Europe__Oslo]).pop()
    else {
        panic!("another rule")
    };
    assert_eq!(required.date.to_string(), "2026-11-30");
    assert_eq!(found.date.to_string(), "2026-12-01");
}

#[test]
fn rules_about_local_time_hold_in_the_zone_of_each_resource() {
    let rules = rules(r#"{"slot_step_minutes":60}"#);
    let start = "2026-11-23T10:00:00Z";
    assert_eq!(broken_in(&rules, start, &[Tz::Europe__Oslo, Tz::UTC]), []);
    // Kathmandu is at +05:45.
    let broken = broken_in(&rules, start, &[Tz::UTC, Tz::Asia__Kathmandu]);
    let [Broken::StartGrid { required, found }] = &*broken else { panic!("{broken:?}") };
    assert_eq!(required.time_zone, Tz::Asia__Kathmandu);
    assert_eq!(found.local_time.to_string(), "15:45:00");
}

#[test]
fn a_booking_chooses_from_the_durations_and_the_services_own() {
    let terms = ServiceTerms {
        rules: rules(r#"{"durations":[{"minutes":60},{"minutes":45}]}"#),
        ..terms()
    };
    let broken = |length: u32| {
        let during = Interval::lasting(now(), minutes(length));
        let proposal = Proposal { during, now: now(), zones: &[] };
        terms.broken_by(&proposal, minutes(length)).collect::<Vec<_>>()
    };
    for offered in [30, 45, 60] {
        assert_eq!(broken(offered), [], "{offered}");
    }
    let required = Minutes { minutes: [30, 45, 60].map(minutes).to_vec() };
    let found = Minutes { minutes: minutes(50) };
    assert_eq!(broken(50), [Broken::OfferedDuration { required, found }]);
}

#[test]
fn a_longer_appointment_can_have_a_price_of_its_own() {
    let price = |amount| {
        let json = format!(r#"{{"amount_minor":{amount},"currency":"NOK"}}"#);
        serde_json::from_str(&json).unwrap()
    };
    let rules = rules(
        r#"{"durations":[{"minutes":45},
                         {"minutes":60,"price":{"amount_minor":80000,"currency":"NOK"}}]}"#,
    );
    let terms = ServiceTerms { price: Some(price(45_000)), rules, ..terms() };
    assert_eq!(terms.price_of(minutes(30)), Some(price(45_000)));
    assert_eq!(terms.price_of(minutes(45)), Some(price(45_000)));
    assert_eq!(terms.price_of(minutes(60)), Some(price(80_000)));
}

#[test]
fn rules_are_written_as_they_were_read() {
    for json in [
        "{}",
        r#"{"durations":[{"minutes":60}],"slot_step_minutes":15,"slot_offset_minutes":5,"minimum_notice_minutes":0,"booking_horizon_days":60,"rescheduling_window_minutes":120,"cancellation_window_minutes":1440}"#,
    ] {
        assert_eq!(serde_json::to_string(&rules(json)).unwrap(), json);
    }
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    for bad in [
        r#"{"slot_offset_minutes":5}"#,
        r#"{"slot_step_minutes":15,"slot_offset_minutes":15}"#,
        r#"{"slot_step_minutes":0}"#,
        r#"{"slot_step_minutes":1441}"#,
        r#"{"booking_horizon_days":3651}"#,
        r#"{"minimum_notice_minutes":-1}"#,
        r#"{"cancellation_window_minutes":525601}"#,
        r#"{"durations":[{"minutes":45},{"minutes":45}]}"#,
        r#"{"durations":[{"minutes":0}]}"#,
        r#"{"maximum_notice_minutes":5}"#,
    ] {
        assert!(serde_json::from_str::<BookingRules>(bad).is_err(), "{bad}");
    }
    let too_many: Vec<_> = (1..=51).map(|minutes| format!(r#"{{"minutes":{minutes}}}"#)).collect();
    let too_many = format!(r#"{{"durations":[{}]}}"#, too_many.join(","));
    assert!(serde_json::from_str::<BookingRules>(&too_many).is_err());
}

fn starts(grid: Grid, zone: Tz, from: &str, to: &str) -> Vec<String> {
    let range = Interval::new(at(from), at(to)).unwrap();
    let local = |start: DateTime<Utc>| start.with_timezone(&zone).format("%H:%M%:z").to_string();
    grid.starts_in(zone, range).map(local).collect()
}

#[test]
fn an_offset_moves_the_first_start_of_each_day() {
    // 100 minutes do not divide a day: it begins anew at midnight.
    let starts = starts(grid(700, 20), Tz::UTC, "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z");
    assert_eq!(
        starts,
        ["00:20+00:00", "12:00+00:00", "23:40+00:00", "00:20+00:00", "12:00+00:00", "23:40+00:00"]
    );
}

#[test]
fn a_grid_goes_by_the_clock_when_the_clock_is_changed() {
    let oslo = Tz::Europe__Oslo;
    // From 02:00 to 03:00: 02:15 and 03:00 are what the clock would show and shows.
    let spring = starts(grid(45, 0), oslo, "2027-03-28T00:00:00Z", "2027-03-28T02:30:00Z");
    assert_eq!(spring, ["01:30+01:00", "03:00+02:00", "03:45+02:00"]);
    // From 03:00 back to 02:00: what occurs twice is on the grid twice.
    let autumn = starts(grid(30, 0), oslo, "2027-10-30T23:30:00Z", "2027-10-31T02:30:00Z");
    assert_eq!(
        autumn,
        ["01:30+02:00", "02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00", "03:00+01:00"]
    );
    // By half an hour, in Lord Howe: from 02:00 to 02:30.
    let half = starts(
        grid(60, 0),
        Tz::Australia__Lord_Howe,
        "2027-10-02T14:30:00Z",
        "2027-10-02T17:00:00Z",
    );
    assert_eq!(half, ["01:00+10:30", "03:00+11:00"]);
    // A day that begins at 01:00: minutes count from the midnight that did not occur.
    let santiago =
        starts(grid(40, 0), Tz::America__Santiago, "2027-09-05T04:00:00Z", "2027-09-05T06:00:00Z");
    assert_eq!(santiago, ["01:20-03:00", "02:00-03:00", "02:40-03:00"]);
    // A day that was skipped altogether.
    let apia =
        starts(grid(720, 0), Tz::Pacific__Apia, "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
    assert_eq!(apia, ["00:00-10:00", "12:00-10:00", "00:00+14:00", "12:00+14:00"]);
}

/// The day before the zone's clocks are changed, looked for from `day` on; `day` where they are not.
fn before_a_change(zone: Tz, day: DateTime<Utc>) -> DateTime<Utc> {
    let offset = |at: &DateTime<Utc>| at.with_timezone(&zone).offset().fix();
    let mut days = (0..400).map(|n| day + TimeDelta::days(n));
    days.find(|day| offset(day) != offset(&(*day + TimeDelta::days(1)))).unwrap_or(day)
}

proptest! {
    /// On days on which clocks are changed, if they ever are, in zones of every kind.
    #[test]
    fn the_starts_of_a_grid_are_the_minutes_at_which_the_clock_shows_one(
        zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
        day in 3_652i64..24_000, // 1980 to 2035
        step in 1u32..=1_440,
        offset in 0u32..1_440,
        seconds in 0i64..86_400,
    ) {
        let grid = grid(step, offset % step);
        let midnight = before_a_change(zone, DateTime::UNIX_EPOCH + TimeDelta::days(day));
        let from = midnight + TimeDelta::seconds(seconds);
        let range = Interval::new(from, from + TimeDelta::hours(30)).unwrap();
        let found: Vec<_> = grid.starts_in(zone, range).collect();
        let naive: Vec<_> = (0..55 * 60)
            .map(|minutes| midnight + TimeDelta::minutes(minutes))
            .filter(|at| range.start() <= *at && *at < range.end())
            .filter(|at| grid.has(at.with_timezone(&zone).time()))
            .collect();
        prop_assert_eq!(found, naive);
    }
}
