//! The days on which clocks change.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::Place;
use crate::harness::date;

/// The start of the next day in Oslo, some weeks from now, that has this many hours.
fn next_day_of(hours: i64) -> DateTime<Utc> {
    let midnight = |date: NaiveDate| {
        Tz::Europe__Oslo.from_local_datetime(&date.and_time(NaiveTime::MIN)).unwrap().to_utc()
    };
    let length = |date: NaiveDate| midnight(date.succ_opt().unwrap()) - midnight(date);
    let day = date(0).iter_days().find(|day| length(*day) == TimeDelta::hours(hours));
    midnight(day.unwrap())
}

#[test]
fn a_window_ends_when_its_end_occurs_for_the_first_time() {
    let place = Place::in_zone("Europe/Oslo", &["daily 00:00-02:30"]);
    // 00:00 is +02:00; at 03:00 it is 02:00 again.
    let midnight = next_day_of(25);
    let after = |minutes| midnight + TimeDelta::minutes(minutes);
    place.is_open(after(120));
    place.is_closed(after(135));
    place.is_closed(after(150));
    // The second 02:00.
    place.is_closed(after(180));
}

#[test]
fn a_window_that_ends_in_the_hour_that_is_left_out_ends_as_long_after_it() {
    let place = Place::in_zone("Europe/Oslo", &["daily 00:00-02:30"]);
    // 00:00 is +01:00; at 02:00 it is 03:00, and what would be 02:30 is 03:30.
    let midnight = next_day_of(23);
    let after = |minutes| midnight + TimeDelta::minutes(minutes);
    place.is_open(after(90));
    place.is_open(after(120));
    place.is_closed(after(135));
}

#[test]
fn a_night_is_an_hour_shorter_or_longer() {
    let place = Place::in_zone("Europe/Oslo", &["daily 22:00-06:00"]);
    for (hours, night) in [(23, 5), (25, 7)] {
        let midnight = next_day_of(hours);
        place.is_open(midnight - TimeDelta::minutes(15));
        place.is_open(midnight + TimeDelta::hours(night) - TimeDelta::minutes(30));
        place.is_closed(midnight + TimeDelta::hours(night) - TimeDelta::minutes(15));
    }
}

#[test]
fn stretches_have_the_offset_of_their_own_time() {
    let place = Place::in_zone("Europe/Oslo", &["sun 01:00-04:00"]);
    place.opens(
        ("2027-03-28", "2027-03-28"),
        &[(
            "2027-03-28T01:00:00+01:00/2027-03-28T04:00:00+02:00",
            "2027-03-28T00:00:00Z/2027-03-28T02:00:00Z",
        )],
    );
    place.opens(
        ("2027-10-31", "2027-10-31"),
        &[(
            "2027-10-31T01:00:00+02:00/2027-10-31T04:00:00+01:00",
            "2027-10-30T23:00:00Z/2027-10-31T03:00:00Z",
        )],
    );
}

#[test]
fn a_day_without_midnight_begins_at_its_first_instant_and_can_be_closed() {
    for (zone, day, local, utc) in [
        (
            "America/Santiago",
            "2027-09-05",
            "2027-09-05T01:00:00-03:00/2027-09-06T00:00:00-03:00",
            "2027-09-05T04:00:00Z/2027-09-06T03:00:00Z",
        ),
        (
            "Africa/Cairo",
            "2027-04-30",
            "2027-04-30T01:00:00+03:00/2027-05-01T00:00:00+03:00",
            "2027-04-29T22:00:00Z/2027-04-30T21:00:00Z",
        ),
    ] {
        let place = Place::in_zone(zone, &["daily 00:00-24:00"]);
        place.opens((day, day), &[(local, utc)]);
        place.observe(&json!([{"date": day, "name": "A holiday"}])).is(200);
        place.opens((day, day), &[]);
    }
}

#[test]
fn half_an_hour_more_and_half_an_hour_less() {
    let place = Place::in_zone("Australia/Lord_Howe", &["sun 01:00-04:00"]);
    place.opens(
        ("2027-10-03", "2027-10-03"),
        &[(
            "2027-10-03T01:00:00+10:30/2027-10-03T04:00:00+11:00",
            "2027-10-02T14:30:00Z/2027-10-02T17:00:00Z",
        )],
    );
    place.opens(
        ("2027-04-04", "2027-04-04"),
        &[(
            "2027-04-04T01:00:00+11:00/2027-04-04T04:00:00+10:30",
            "2027-04-03T14:00:00Z/2027-04-03T17:30:00Z",
        )],
    );
}

#[test]
fn a_day_that_was_skipped_has_no_hours() {
    let place = Place::in_zone("Pacific/Apia", &["daily 09:00-17:00"]);
    place.opens(("2011-12-30", "2011-12-30"), &[]);
    let open = place.open("2011-12-29", "2011-12-31");
    let local: Vec<_> = open.into_iter().map(|(local, _)| local).collect();
    let expected = [
        "2011-12-29T09:00:00-10:00/2011-12-29T17:00:00-10:00",
        "2011-12-31T09:00:00+14:00/2011-12-31T17:00:00+14:00",
    ];
    assert_eq!(local, expected);
}

#[test]
fn leap_days_and_ends_of_years_are_open_over_midnight() {
    let place = Place::in_zone("UTC", &["daily 22:00-02:00"]);
    let local = |from, to| -> Vec<String> {
        place.open(from, to).into_iter().map(|(local, _)| local).collect()
    };
    let cut = "2028-02-29T00:00:00+00:00/2028-02-29T02:00:00+00:00";
    let night = "2028-02-29T22:00:00+00:00/2028-03-01T00:00:00+00:00";
    assert_eq!(local("2028-02-29", "2028-02-29"), [cut, night]);
    let year_ends = local("2027-12-31", "2028-01-01");
    assert_eq!(year_ends[1], "2027-12-31T22:00:00+00:00/2028-01-01T02:00:00+00:00");
}
