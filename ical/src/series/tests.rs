//! Events of one UID, and the occurrences that they make.

use super::*;
use crate::{Index, scan};

fn index(events: &[&str]) -> (Index, Vec<u8>) {
    let event =
        |event: &&str| ["BEGIN:VEVENT\nUID:a\n", event.trim_end(), "\nEND:VEVENT\n"].concat();
    let body: String = events.iter().map(event).collect();
    let file = format!("BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Berlin\n{body}END:VCALENDAR\n");
    (scan(file.as_bytes()).unwrap(), file.into_bytes())
}

fn read(events: &[&str]) -> Vec<Event> {
    let (index, file) = index(events);
    let zones = index.zones.with_default(index.calendars[0].time_zone.as_deref(), None);
    let event = |place: &crate::Place| {
        let bytes =
            &file[usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap()];
        Event::read(bytes, place.line, &zones).unwrap()
    };
    index.events.iter().map(event).collect()
}

fn window(horizon: &str) -> Window {
    Window {
        first: NaiveDate::from_ymd_opt(1970, 1, 1).unwrap(),
        horizon: horizon.parse().unwrap(),
    }
}

/// What there is until the end of 2028: in the order of ids, `x` before those that are cancelled.
fn told(events: &[&str]) -> Vec<String> {
    let events = read(events);
    let found = occurrences(&events.iter().collect::<Vec<_>>(), window("2029-01-01T00:00:00Z"));
    let shown = |occurrence: &Occurrence| {
        let when = match occurrence.span.as_ref().unwrap() {
            Span::Days { first, last } if first == last => first.to_string(),
            Span::Days { first, last } => format!("{first}..{last}"),
            Span::Time { start, end, .. } => {
                let minutes = (*end - *start).num_minutes();
                format!("{} {minutes}", start.format("%m-%dT%H:%M"))
            }
        };
        let name = occurrence.event.summary.as_deref().unwrap_or_default();
        let cancelled = if occurrence.is_cancelled { "x " } else { "" };
        format!("{cancelled}{when} {name}").trim().to_owned()
    };
    found.unwrap().all.iter().map(shown).collect()
}

const WEEKLY: &str = "DTSTART;TZID=Europe/Berlin:20270308T090000\n\
                      DTEND;TZID=Europe/Berlin:20270308T100000\nRRULE:FREQ=WEEKLY;COUNT=5\nSUMMARY:Visit";

#[test]
fn a_series_keeps_its_local_time_when_clocks_change() {
    let expected = [
        "03-08T08:00 60 Visit",
        "03-15T08:00 60 Visit",
        "03-22T08:00 60 Visit",
        "03-29T07:00 60 Visit",
        "04-05T07:00 60 Visit",
    ];
    assert_eq!(told(&[WEEKLY]), expected);
}

#[test]
fn an_occurrence_is_left_out_in_whatever_form_it_is_named() {
    for exdate in [
        "EXDATE;TZID=Europe/Berlin:20270315T090000,20270322T090000",
        "EXDATE:20270315T080000Z\nEXDATE:20270322T080000Z",
        "EXDATE;VALUE=DATE:20270315,20270322",
        "EXDATE:20270315T090000,20270322T090000",
        "EXDATE;TZID=America/New_York:20270315T040000,20270322T040000",
        "EXRULE:FREQ=WEEKLY;BYMONTHDAY=15,22",
    ] {
        let all = told(&[&format!("{WEEKLY}\n{exdate}")]);
        assert_eq!(
            all,
            ["03-08T08:00 60 Visit", "03-29T07:00 60 Visit", "04-05T07:00 60 Visit"],
            "{exdate}"
        );
    }
    let days =
        "DTSTART;VALUE=DATE:20270308\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE:20270309T120000,20270310";
    assert_eq!(told(&[days]), ["2027-03-08", "2027-03-11"]);
}

#[test]
fn an_occurrence_is_added_in_whatever_form_it_is_named() {
    let start = "DTSTART;TZID=Europe/Berlin:20270308T090000\nDURATION:PT1H\n";
    for (rdate, minutes) in [
        ("RDATE;TZID=Europe/Berlin:20270310T090000", 60),
        ("RDATE:20270310T080000Z", 60),
        ("RDATE;VALUE=DATE:20270310", 60),
        ("RDATE;VALUE=PERIOD:20270310T080000Z/PT20M", 20),
        ("RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20270310T090000/20270310T093000", 30),
    ] {
        let expected = ["03-08T08:00 60".to_owned(), format!("03-10T08:00 {minutes}")];
        assert_eq!(told(&[&format!("{start}{rdate}")]), expected, "{rdate}");
    }
    let days = "DTSTART;VALUE=DATE:20270308\nDTEND;VALUE=DATE:20270310\nRDATE;VALUE=DATE:20270401";
    assert_eq!(told(&[days]), ["2027-03-08..2027-03-09", "2027-04-01..2027-04-02"]);
}

#[test]
fn an_occurrence_is_moved_renamed_or_cancelled_by_an_event_of_its_own() {
    let moved = "RECURRENCE-ID;TZID=Europe/Berlin:20270315T090000\nDTSTART:20270316T120000Z\n\
                 DURATION:PT30M\nSUMMARY:Moved";
    let cancelled = "RECURRENCE-ID:20270322T080000Z\nDTSTART:20270322T080000Z\nDURATION:PT1H\n\
                     STATUS:CANCELLED\nSUMMARY:Off";
    let by_day = "RECURRENCE-ID;VALUE=DATE:20270405\nDTSTART:20270405T080000Z\nDURATION:PT1H\nSUMMARY:By day";
    let expected = [
        "03-08T08:00 60 Visit",
        "03-16T12:00 30 Moved",
        "x 03-22T08:00 60 Off",
        "03-29T07:00 60 Visit",
        "04-05T08:00 60 By day",
    ];
    for order in [[WEEKLY, moved, cancelled, by_day], [by_day, cancelled, moved, WEEKLY]] {
        assert_eq!(told(&order), expected);
    }
    // Without the series that they are of, they are there all the same.
    assert_eq!(told(&[moved]), ["03-16T12:00 30 Moved"]);
}

#[test]
fn an_occurrence_and_all_after_it_are_moved_as_far_as_it() {
    let from = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20270322T090000\n\
                DTSTART;TZID=Europe/Berlin:20270323T140000\nDURATION:PT30M\nSUMMARY:Later";
    let own = "RECURRENCE-ID;TZID=Europe/Berlin:20270329T090000\n\
               DTSTART;TZID=Europe/Berlin:20270401T090000\nDURATION:PT1H\nSUMMARY:Own";
    let expected = [
        "03-08T08:00 60 Visit",
        "03-15T08:00 60 Visit",
        "03-23T13:00 30 Later",
        "04-01T07:00 60 Own",
        "04-06T12:00 30 Later",
    ];
    assert_eq!(told(&[WEEKLY, from, own]), expected);
    let off = "RECURRENCE-ID;RANGE=THISANDFUTURE:20270322T080000Z\nDTSTART:20270322T080000Z\n\
               DURATION:PT1H\nSTATUS:CANCELLED";
    let all = told(&[WEEKLY, off]);
    assert_eq!(all.iter().filter(|each| each.starts_with("x ")).count(), 3, "{all:?}");
}

#[test]
fn of_two_versions_the_later_counts_wherever_it_stands() {
    let version = |sequence: u32, stamp: &str, name: &str| {
        format!(
            "DTSTART:20270308T090000Z\nDURATION:PT1H\nSEQUENCE:{sequence}\nDTSTAMP:{stamp}\nSUMMARY:{name}"
        )
    };
    let old = version(1, "20260901T080000Z", "Old");
    let new = version(2, "20260801T080000Z", "New");
    let newer = version(2, "20260901T080000Z", "Newer");
    for order in [[&old, &new, &newer], [&newer, &new, &old], [&new, &newer, &old]] {
        let all = told(&order.map(String::as_str));
        assert_eq!(all, ["03-08T09:00 60 Newer"]);
    }
    let again = version(2, "20260901T080000Z", "Again");
    assert_eq!(told(&[&newer, &again]), ["03-08T09:00 60 Again"], "of equal ones the last");
}

#[test]
fn a_cancelled_series_has_no_occurrence_left() {
    let own = "RECURRENCE-ID:20270315T080000Z\nDTSTART:20270316T120000Z\nDURATION:PT30M";
    let all = told(&[&format!("{WEEKLY}\nSTATUS:CANCELLED\nSEQUENCE:3"), own]);
    assert!(all.len() == 5 && all.iter().all(|each| each.starts_with("x ")), "{all:?}");
}

#[test]
fn a_series_is_followed_to_the_horizon_and_says_whether_it_goes_on() {
    let count = |rule: &str, horizon: &str| {
        let text = format!("DTSTART;VALUE=DATE:19540312\nRRULE:{rule}");
        let events = read(&[&text]);
        let found = occurrences(&[&events[0]], window(horizon)).unwrap();
        (found.all.len(), found.goes_on)
    };
    assert_eq!(count("FREQ=YEARLY", "2028-01-01T00:00:00Z"), (58, true));
    assert_eq!(count("FREQ=YEARLY", "2029-01-01T00:00:00Z"), (59, true));
    assert_eq!(count("FREQ=YEARLY;COUNT=75", "2029-01-01T00:00:00Z"), (59, false));
    assert_eq!(count("FREQ=YEARLY;COUNT=76", "2029-01-01T00:00:00Z"), (59, true));
    assert_eq!(count("FREQ=YEARLY;UNTIL=19690101", "2029-01-01T00:00:00Z"), (0, false));
    assert_eq!(count("FREQ=YEARLY;UNTIL=19500101", "2029-01-01T00:00:00Z"), (0, false));
}

#[test]
fn a_series_without_measure_is_a_fault_of_its_own() {
    let refused = |rule: &str| {
        let text = format!("DTSTART:20270101T000000Z\nDURATION:PT1M\nRRULE:{rule}");
        let events = read(&[&text]);
        occurrences(&[&events[0]], window("2029-01-01T00:00:00Z")).unwrap_err()
    };
    assert_eq!(refused("FREQ=MINUTELY"), Fault::TooManyOccurrences { max: MAX_OCCURRENCES });
    let endless = refused("FREQ=SECONDLY;BYSECOND=1;BYSETPOS=2");
    assert!(matches!(endless, Fault::EndlessRule { .. }), "{endless:?}");
}

#[test]
fn the_rules_of_an_event_have_one_measure_together() {
    let of = |count| {
        let never = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\n".repeat(count);
        let events = read(&[&format!("DTSTART:20270101T000000Z\nDURATION:PT1M\n{never}")]);
        occurrences(&[&events[0]], window("2029-01-01T00:00:00Z")).map(|found| found.steps)
    };
    let one = of(1).unwrap();
    assert!((10_000..500_000).contains(&one), "{one}");
    assert_eq!(of(2), Ok(2 * one));
    assert!(matches!(of(20), Err(Fault::EndlessRule { .. })), "{:?}", of(20));
}
