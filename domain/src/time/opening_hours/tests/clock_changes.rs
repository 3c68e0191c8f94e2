//! The days that break others. Each row: a zone, weekly hours, the days looked at, and when it is open
//! in UTC, worked out by hand from the zone's rules.

use chrono_tz::Africa::Cairo;
use chrono_tz::America::{Santiago, St_Johns};
use chrono_tz::Australia::Lord_Howe;
use chrono_tz::Europe::Oslo;
use chrono_tz::Pacific::Apia;

use super::*;

type Row = (Tz, &'static [&'static str], (&'static str, &'static str), Open);
type Open = &'static [(&'static str, &'static str)];

#[track_caller]
fn each_opens(rows: &[Row]) {
    for (zone, windows, (first, last), expected) in rows {
        opens(&weekly(windows), *zone, days(*zone, first, last), expected);
    }
}

/// Santiago goes from -04 to -03 at 2027-09-05 00:00, a Sunday; Cairo from +02 to +03 at
/// 2027-04-30 00:00, a Friday. Those days begin at 01:00.
#[test]
fn a_day_without_midnight_opens_at_its_first_instant() {
    let (sunday, friday) = (("2027-09-05", "2027-09-05"), ("2027-04-30", "2027-04-30"));
    let saturday_and_sunday = ("2027-09-04", "2027-09-05");
    each_opens(&[
        (Santiago, &["sun 00:00-24:00"], sunday, &[("2027-09-05T04:00", "2027-09-06T03:00")]),
        (Santiago, &["sun 00:00-08:00"], sunday, &[("2027-09-05T04:00", "2027-09-05T11:00")]),
        // Neither end occurs; both are read with the offset before the gap, as 01:15 and 01:45.
        (Santiago, &["sun 00:15-00:45"], sunday, &[("2027-09-05T04:15", "2027-09-05T04:45")]),
        // 00:30 is read as 01:30, after the window has closed.
        (Santiago, &["sun 00:30-01:15"], sunday, &[]),
        (
            Santiago,
            &["sat 22:00-06:00"],
            saturday_and_sunday,
            &[("2027-09-05T02:00", "2027-09-05T09:00")],
        ),
        (
            Santiago,
            &["sat 22:00-00:00", "sun 00:00-02:00"],
            saturday_and_sunday,
            &[("2027-09-05T02:00", "2027-09-05T05:00")],
        ),
        (Cairo, &["fri 00:00-08:00"], friday, &[("2027-04-29T22:00", "2027-04-30T05:00")]),
        (
            Cairo,
            &["thu 20:00-04:00"],
            ("2027-04-29", "2027-04-30"),
            &[("2027-04-29T18:00", "2027-04-30T01:00")],
        ),
    ]);
}

#[test]
fn a_day_without_midnight_can_be_closed_as_a_whole() {
    for (zone, day, before, after) in [
        (
            Santiago,
            ("2027-09-04", "2027-09-05", "2027-09-06"),
            ("2027-09-04T04:00", "2027-09-05T04:00"),
            ("2027-09-06T03:00", "2027-09-07T03:00"),
        ),
        (
            Cairo,
            ("2027-04-29", "2027-04-30", "2027-05-01"),
            ("2027-04-28T22:00", "2027-04-29T22:00"),
            ("2027-04-30T21:00", "2027-05-01T21:00"),
        ),
    ] {
        let (eve, day, morrow) = day;
        let always = || weekly(&["daily 00:00-24:00"]);
        let range = days(zone, eve, morrow);
        opens(&with_holiday(always(), day), zone, range, &[before, after]);
        opens(&with(always(), "time-off", &on_days(day, day)), zone, range, &[before, after]);
        let only = with(weekly(&[]), "extra-hours", &on_days(day, day));
        opens(&only, zone, range, &[(before.1, after.0)]);
    }
}

/// Oslo goes from +02 back to +01 at 2027-10-31 03:00, and from +01 to +02 at 2027-03-28 02:00, both
/// Sundays.
#[test]
fn a_time_that_occurs_twice_is_its_first_occurrence_also_as_an_end() {
    let (autumn, spring) = (("2027-10-31", "2027-10-31"), ("2027-03-28", "2027-03-28"));
    each_opens(&[
        (Oslo, &["sun 00:00-02:30"], autumn, &[("2027-10-30T22:00", "2027-10-31T00:30")]),
        (Oslo, &["sun 02:30-04:00"], autumn, &[("2027-10-31T00:30", "2027-10-31T03:00")]),
        (Oslo, &["sun 02:15-02:45"], autumn, &[("2027-10-31T00:15", "2027-10-31T00:45")]),
        (Oslo, &["sun 00:00-24:00"], autumn, &[("2027-10-30T22:00", "2027-10-31T23:00")]),
        (
            Oslo,
            &["sat 22:00-02:30"],
            ("2027-10-30", "2027-10-31"),
            &[("2027-10-30T20:00", "2027-10-31T00:30")],
        ),
        // In spring 02:30 does not occur: it is read as 03:30.
        (Oslo, &["sun 01:00-02:30"], spring, &[("2027-03-28T00:00", "2027-03-28T01:30")]),
        (Oslo, &["sun 02:30-03:15"], spring, &[]),
        (
            Oslo,
            &["sat 22:00-06:00"],
            ("2027-03-27", "2027-03-28"),
            &[("2027-03-27T21:00", "2027-03-28T04:00")],
        ),
    ]);
    let hours = in_hours("2027-10-31T01:00", "2027-10-31T02:30");
    let off = with(weekly(&["sun 00:00-04:00"]), "time-off", &hours);
    let expected =
        [("2027-10-30T22:00", "2027-10-30T23:00"), ("2027-10-31T00:30", "2027-10-31T03:00")];
    opens(&off, Oslo, days(Oslo, "2027-10-31", "2027-10-31"), &expected);
}

/// Lord Howe goes from +10:30 to +11 at 2027-10-03 02:00, and from +11 back to +10:30 at 2027-04-04
/// 02:00, both Sundays.
#[test]
fn half_an_hour_is_lost_and_won() {
    let (spring, autumn) = (("2027-10-03", "2027-10-03"), ("2027-04-04", "2027-04-04"));
    each_opens(&[
        (Lord_Howe, &["sun 01:00-04:00"], spring, &[("2027-10-02T14:30", "2027-10-02T17:00")]),
        (Lord_Howe, &["sun 01:00-02:15"], spring, &[("2027-10-02T14:30", "2027-10-02T15:45")]),
        (Lord_Howe, &["sun 01:00-04:00"], autumn, &[("2027-04-03T14:00", "2027-04-03T17:30")]),
        (Lord_Howe, &["sun 01:00-01:45"], autumn, &[("2027-04-03T14:00", "2027-04-03T14:45")]),
        (
            Lord_Howe,
            &["sat 22:00-06:00"],
            ("2027-10-02", "2027-10-03"),
            &[("2027-10-02T11:30", "2027-10-02T19:00")],
        ),
        (
            Lord_Howe,
            &["sat 22:00-06:00"],
            ("2027-04-03", "2027-04-04"),
            &[("2027-04-03T11:00", "2027-04-03T19:30")],
        ),
    ]);
}

/// Apia went from -10 to +14 at the end of Thursday, 2011-12-29: there was no Friday, 2011-12-30.
#[test]
fn on_a_day_that_was_skipped_nothing_opens_and_nothing_closes() {
    const THURSDAY: (&str, &str) = ("2011-12-29T19:00", "2011-12-30T03:00");
    const SATURDAY: (&str, &str) = ("2011-12-30T19:00", "2011-12-31T03:00");
    let around = ("2011-12-29", "2011-12-31");
    each_opens(&[
        (Apia, &["daily 09:00-17:00"], around, &[THURSDAY, SATURDAY]),
        (Apia, &["fri 09:00-17:00"], around, &[]),
        (Apia, &["fri 22:00-06:00"], around, &[]),
        // What opened on Thursday closes at six in the morning after it, which is Saturday's.
        (Apia, &["thu 22:00-06:00"], around, &[("2011-12-30T08:00", "2011-12-30T16:00")]),
        (
            Apia,
            &["thu 22:00-06:00"],
            ("2011-12-31", "2011-12-31"),
            &[("2011-12-30T10:00", "2011-12-30T16:00")],
        ),
    ]);
    let range = days(Apia, around.0, around.1);
    let friday = "2011-12-30";
    let daily = || weekly(&["daily 09:00-17:00"]);
    opens(&with_holiday(daily(), friday), Apia, range, &[THURSDAY, SATURDAY]);
    for kind in ["extra-hours", "time-off"] {
        let whole = with(daily(), kind, &on_days(friday, friday));
        opens(&whole, Apia, range, &[THURSDAY, SATURDAY]);
        let part = with(daily(), kind, &in_hours("2011-12-30T10:00", "2011-12-30T20:00"));
        opens(&part, Apia, range, &[THURSDAY, SATURDAY]);
    }
    let into_it = with(daily(), "time-off", &in_hours("2011-12-29T12:00", "2011-12-30T12:00"));
    opens(&into_it, Apia, range, &[("2011-12-29T19:00", "2011-12-29T22:00"), SATURDAY]);
}

/// St John's went from -02:30 back to -03:30 at 2010-11-07 00:01, a Sunday: for an hour it was Saturday
/// again, in what had begun as Sunday.
#[test]
fn a_day_that_begins_twice_has_begun_when_it_does_so_first() {
    let sunday = days(St_Johns, "2010-11-07", "2010-11-07");
    let night = weekly(&["sun 00:00-02:00"]);
    opens(&night, St_Johns, sunday, &[("2010-11-07T02:30", "2010-11-07T05:30")]);
    // When this ends, clocks show Saturday.
    let first_minutes = between("2010-11-07T02:30", "2010-11-07T02:45");
    assert_eq!(night.open(St_Johns, first_minutes), [first_minutes]);
    let closed = with_holiday(night, "2010-11-07");
    assert_eq!(closed.open(St_Johns, first_minutes), []);
    opens(&closed, St_Johns, sunday, &[]);
}

/// 2028-02-29 is a Tuesday, and 2027-12-31 a Friday.
#[test]
fn leap_days_and_ends_of_years_are_days_like_others() {
    each_opens(&[
        (
            Tz::UTC,
            &["mon,tue 22:00-06:00"],
            ("2028-02-28", "2028-03-01"),
            &[("2028-02-28T22:00", "2028-02-29T06:00"), ("2028-02-29T22:00", "2028-03-01T06:00")],
        ),
        (
            Oslo,
            &["fri 22:00-06:00"],
            ("2027-12-31", "2028-01-01"),
            &[("2027-12-31T21:00", "2028-01-01T05:00")],
        ),
        (
            Santiago,
            &["fri 22:00-06:00"],
            ("2027-12-31", "2028-01-01"),
            &[("2028-01-01T01:00", "2028-01-01T09:00")],
        ),
    ]);
    let leap_day =
        with(weekly(&["daily 00:00-24:00"]), "time-off", &on_days("2028-02-29", "2028-02-29"));
    let expected =
        [("2028-02-28T00:00", "2028-02-29T00:00"), ("2028-03-01T00:00", "2028-03-02T00:00")];
    opens(&leap_day, Tz::UTC, days(Tz::UTC, "2028-02-28", "2028-03-01"), &expected);
    let turn =
        with(weekly(&["daily 00:00-24:00"]), "time-off", &on_days("2027-12-31", "2028-01-01"));
    let expected =
        [("2027-12-30T00:00", "2027-12-31T00:00"), ("2028-01-02T00:00", "2028-01-03T00:00")];
    opens(&turn, Tz::UTC, days(Tz::UTC, "2027-12-30", "2028-01-02"), &expected);
}
