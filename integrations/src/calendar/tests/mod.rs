//! What a calendar file says, and what is made of it.

mod entries;
mod groups;
mod holidays;
mod sample;

use std::io::Cursor;

use chrono_tz::Tz;
use daybook_domain::Name;

use super::*;

/// A file with one VCALENDAR that holds these lines.
fn a_calendar(lines: &str) -> String {
    let body = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//test//EN\n{}\nEND:VCALENDAR\n",
        lines.trim_end()
    );
    body.replace('\n', "\r\n")
}

/// A file with one VEVENT that has a UID, a start, an end and these lines.
fn an_event_with(lines: &str) -> String {
    an_event(&format!(
        "UID:a@example.org\nDTSTART:20260301T090000Z\nDTEND:20260301T100000Z\n{lines}"
    ))
}

/// A file with one VEVENT that has these lines only.
fn an_event(lines: &str) -> String {
    a_calendar(&format!("BEGIN:VEVENT\n{}\nEND:VEVENT", lines.trim_end()))
}

/// In Berlin, until the end of 2028.
fn reading() -> Reading {
    Reading {
        time_zone: Tz::Europe__Berlin,
        horizon: "2029-01-01T00:00:00Z".parse().unwrap(),
        category_from: None,
        calendar_name: Name::new("week").unwrap(),
    }
}

fn groups(file: &str, reading: &Reading) -> Vec<Group> {
    let mut file = CalendarFile::open(Cursor::new(file.as_bytes())).expect("the file is sound");
    let mut groups = Vec::new();
    while let Some(group) = file.next_group(reading).expect("the file can be read") {
        groups.push(group);
    }
    groups
}

fn all_of(file: &str) -> Vec<Result<Entry, Refusal>> {
    groups(file, &reading()).into_iter().flat_map(|group| group.entries).collect()
}

/// The one entry of a file.
fn only(file: &str) -> Entry {
    let mut entries = all_of(file);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0).expect("it can be booked")
}

fn booked(file: &str) -> ToBook {
    match only(file).wanted {
        Wanted::Booked(to_book) => *to_book,
        Wanted::Cancelled => panic!("it is cancelled"),
    }
}

/// Why the one event of a file is not taken.
fn refused(file: &str) -> RefusalReason {
    let mut entries = all_of(file);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0).expect_err("it cannot be booked").reason
}
