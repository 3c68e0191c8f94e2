//! Weekly windows, holidays, extra hours and time off: which of them counts.

use chrono_tz::Europe::Oslo;

use super::*;

// 2026-11-23 is a Monday; Oslo is at +01:00.
const MONDAY: &str = "2026-11-23";

fn office() -> OpeningHours {
    weekly(&["mon,tue 09:00-12:00", "mon,tue 13:00-17:00"])
}

fn monday() -> Interval {
    days(Oslo, MONDAY, MONDAY)
}

const MORNING: (&str, &str) = ("2026-11-23T08:00", "2026-11-23T11:00");
const AFTERNOON: (&str, &str) = ("2026-11-23T12:00", "2026-11-23T16:00");

#[test]
fn a_day_has_several_windows_and_an_appointment_must_fit_one() {
    opens(&office(), Oslo, monday(), &[MORNING, AFTERNOON]);
    let covers = |from, to| office().cover(Oslo, &between(from, to));
    assert!(covers("2026-11-23T08:00", "2026-11-23T09:00"));
    assert!(!covers("2026-11-23T07:59", "2026-11-23T09:00"));
    assert!(!covers("2026-11-23T10:30", "2026-11-23T12:30"));
    assert!(!covers("2026-11-25T08:00", "2026-11-25T09:00"));
}

#[test]
fn windows_that_touch_or_overlap_are_one_stretch() {
    let hours = weekly(&["mon 09:00-12:00", "mon 12:00-14:00", "mon 13:00-17:00"]);
    opens(&hours, Oslo, monday(), &[("2026-11-23T08:00", "2026-11-23T16:00")]);
    let around_the_clock = weekly(&["daily 00:00-24:00"]);
    let night_and_day = weekly(&["daily 20:00-08:00", "daily 08:00-20:00"]);
    for zone in [Tz::UTC, Tz::America__Santiago, Tz::Pacific__Apia, Tz::Australia__Lord_Howe] {
        let years = between("2011-01-01T00:00", "2013-01-01T00:00");
        assert_eq!(around_the_clock.open(zone, years), [years], "{zone}");
        assert_eq!(night_and_day.open(zone, years), [years], "{zone}");
    }
}

#[test]
fn what_is_open_is_cut_off_at_the_ends_of_the_range() {
    let range = between("2026-11-23T09:30", "2026-11-23T12:10");
    let expected =
        [("2026-11-23T09:30", "2026-11-23T11:00"), ("2026-11-23T12:00", "2026-11-23T12:10")];
    assert_eq!(shown(&office().open(Oslo, range)), expected.map(|(a, b)| (a.into(), b.into())));
}

#[test]
fn a_window_that_crosses_midnight_belongs_to_the_day_on_which_it_opens() {
    let bar = weekly(&["fri 22:00-06:00"]);
    let night = ("2026-11-27T21:00", "2026-11-28T05:00");
    opens(&bar, Oslo, days(Oslo, MONDAY, "2026-11-29"), &[night]);
    // Also where the range begins after midnight.
    let saturday = days(Oslo, "2026-11-28", "2026-11-28");
    opens(&bar, Oslo, saturday, &[("2026-11-27T23:00", "2026-11-28T05:00")]);
    let until_midnight = weekly(&["fri 22:00-00:00"]);
    opens(&until_midnight, Oslo, saturday, &[]);
}

#[test]
fn a_validity_counts_by_the_day_on_which_a_window_opens() {
    let windows = r#"[{"days":["mon","tue","wed"],"from":"22:00","to":"02:00",
                       "valid_from":"2026-11-24","valid_until":"2026-11-24"}]"#;
    let hours = OpeningHours::from(serde_json::from_str::<WeeklyHours>(windows).unwrap());
    let night = ("2026-11-24T21:00", "2026-11-25T01:00");
    opens(&hours, Oslo, days(Oslo, "2026-11-01", "2026-12-31"), &[night]);
    let from_september = windows.replace(r#","valid_until":"2026-11-24""#, "");
    let hours = OpeningHours::from(serde_json::from_str::<WeeklyHours>(&from_september).unwrap());
    let later = ("2026-11-25T21:00", "2026-11-26T01:00");
    opens(&hours, Oslo, days(Oslo, MONDAY, "2026-11-29"), &[night, later]);
}

#[test]
fn extra_hours_open_and_time_off_closes_days_or_hours() {
    let (first, last) = ("2026-11-22", "2026-11-24");
    let range = days(Oslo, first, last);
    let off = with(office(), "time-off", &on_days(MONDAY, last));
    opens(&off, Oslo, range, &[]);
    let lunch = with(
        weekly(&["mon 09:00-17:00"]),
        "time-off",
        &in_hours("2026-11-23T12:00", "2026-11-23T13:00"),
    );
    opens(&lunch, Oslo, range, &[MORNING, AFTERNOON]);
    let sunday = with(office(), "extra-hours", &on_days(first, first));
    let all_sunday = ("2026-11-21T23:00", "2026-11-22T23:00");
    let tuesday =
        [("2026-11-24T08:00", "2026-11-24T11:00"), ("2026-11-24T12:00", "2026-11-24T16:00")];
    opens(&sunday, Oslo, range, &[all_sunday, MORNING, AFTERNOON, tuesday[0], tuesday[1]]);
    let over_lunch =
        with(office(), "extra-hours", &in_hours("2026-11-23T11:00", "2026-11-23T13:00"));
    opens(&over_lunch, Oslo, monday(), &[("2026-11-23T08:00", "2026-11-23T16:00")]);
}

#[test]
fn a_holiday_closes_the_week_extra_hours_open_a_holiday_and_time_off_closes_all() {
    let holiday = with_holiday(office(), MONDAY);
    opens(&holiday, Oslo, monday(), &[]);
    let emergencies =
        with(holiday, "extra-hours", &in_hours("2026-11-23T10:00", "2026-11-23T12:00"));
    opens(&emergencies, Oslo, monday(), &[("2026-11-23T09:00", "2026-11-23T11:00")]);
    // Whichever was made first.
    for kinds in [["time-off", "extra-hours"], ["extra-hours", "time-off"]] {
        let both =
            kinds.iter().fold(office(), |hours, kind| with(hours, kind, &on_days(MONDAY, MONDAY)));
        opens(&both, Oslo, monday(), &[]);
    }
    let ill = with(emergencies, "time-off", &in_hours("2026-11-23T11:00", "2026-11-24T00:00"));
    opens(&ill, Oslo, monday(), &[("2026-11-23T09:00", "2026-11-23T10:00")]);
}

#[test]
fn a_closed_day_closes_its_own_hours_and_not_the_night_that_goes_on_after_it() {
    let nights = with_holiday(weekly(&["mon,tue 22:00-06:00"]), MONDAY);
    let nights = with(nights, "time-off", &on_days("2026-11-25", "2026-11-25"));
    let expected =
        [("2026-11-23T23:00", "2026-11-24T05:00"), ("2026-11-24T21:00", "2026-11-24T23:00")];
    opens(&nights, Oslo, days(Oslo, MONDAY, "2026-11-25"), &expected);
}
