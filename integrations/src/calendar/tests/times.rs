//! When an event begins and ends.

use chrono_tz::{America::New_York, Europe::Berlin};

use super::*;

fn at(start: &str, end: &str) -> String {
    an_event(&format!("UID:a@example.org\nDTSTART{start}\n{end}"))
}

fn hours(event: &CalendarEvent) -> (String, String) {
    (event.start.to_rfc3339(), event.end.to_rfc3339())
}

fn utc(start: &str, end: &str) -> (String, String) {
    (format!("{start}:00+00:00"), format!("{end}:00+00:00"))
}

#[test]
fn each_end_is_read_in_its_own_zone() {
    let event = booked(&at(
        ";TZID=America/New_York:20260601T180000",
        "DTEND;TZID=\"Europe/Berlin\":20260602T080000",
    ));
    assert_eq!(hours(&event), utc("2026-06-01T22:00", "2026-06-02T06:00"));
    assert_eq!(event.time_zone, New_York);
}

#[test]
fn a_time_without_a_zone_is_in_the_callers_default() {
    let file = at(":20260601T090000", "DTEND:20260601T100000");
    let event = booked_in(&file, Some(Berlin));
    assert_eq!(hours(&event), utc("2026-06-01T07:00", "2026-06-01T08:00"));
    assert_eq!(event.time_zone, Berlin);
    assert_eq!(refused(&file), RefusalReason::NoTimeZone { property: "DTSTART" });
}

#[test]
fn the_files_own_default_zone_goes_before_the_callers() {
    let file = a_calendar(
        "X-WR-TIMEZONE:America/New_York\nBEGIN:VEVENT\nUID:a\nDTSTART:20260601T090000\n\
         DURATION:PT1H\nEND:VEVENT",
    );
    let event = booked_in(&file, Some(Berlin));
    assert_eq!(hours(&event), utc("2026-06-01T13:00", "2026-06-01T14:00"));

    let unknown = file.replace("America/New_York", "Mars/Base");
    let events = read(unknown.as_bytes(), Some(Berlin)).expect("the file is sound").events;
    let reason = events[0].as_ref().expect_err("it cannot be booked").reason.clone();
    assert_eq!(reason, RefusalReason::UnknownTimeZone { name: "Mars/Base".to_owned() });
}

#[test]
fn a_time_in_utc_is_shown_in_the_default_zone() {
    let file = at(":20260601T090000Z", "DTEND:20260601T100000Z");
    assert_eq!(booked(&file).time_zone, Tz::UTC);
    assert_eq!(booked_in(&file, Some(Berlin)).time_zone, Berlin);
    assert_eq!(hours(&booked_in(&file, Some(Berlin))), utc("2026-06-01T09:00", "2026-06-01T10:00"));
}

#[test]
fn the_hour_that_occurs_twice_is_the_first_and_the_one_left_out_is_not_lost() {
    let twice =
        at(";TZID=America/New_York:20261101T013000", "DTEND;TZID=America/New_York:20261101T023000");
    assert_eq!(hours(&booked(&twice)), utc("2026-11-01T05:30", "2026-11-01T07:30"));
    let left_out =
        at(";TZID=America/New_York:20260308T023000", "DTEND;TZID=America/New_York:20260308T040000");
    assert_eq!(hours(&booked(&left_out)), utc("2026-03-08T07:30", "2026-03-08T08:00"));
}

#[test]
fn a_day_of_a_duration_is_a_day_of_the_calendar_and_an_hour_is_an_hour() {
    let start = ";TZID=America/New_York:20260307T120000";
    let day = booked(&at(start, "DURATION:P1D"));
    assert_eq!(hours(&day), utc("2026-03-07T17:00", "2026-03-08T16:00"));
    let hours_of_a_day = booked(&at(start, "DURATION:PT24H"));
    assert_eq!(hours(&hours_of_a_day), utc("2026-03-07T17:00", "2026-03-08T17:00"));
}
