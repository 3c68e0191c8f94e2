//! What a calendar file says, and what is made of it.

mod any_bytes;
mod events;
mod files;
mod holidays;
mod refusals;
mod sample;
mod times;

use super::*;

/// A file with one VCALENDAR that holds these lines.
fn a_calendar(lines: &str) -> String {
    let body = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//test//EN\n{lines}\nEND:VCALENDAR\n"
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

fn all_of(file: &str) -> Vec<Result<CalendarEvent, EventRefusal>> {
    read(file.as_bytes(), None).expect("the file is sound").events
}

/// The one event of a file, which can be booked.
fn booked(file: &str) -> CalendarEvent {
    booked_in(file, None)
}

fn booked_in(file: &str, default_zone: Option<Tz>) -> CalendarEvent {
    let mut events = read(file.as_bytes(), default_zone).expect("the file is sound").events;
    assert_eq!(events.len(), 1);
    events.remove(0).expect("the event can be booked")
}

/// Why the one event of a file cannot be booked.
fn refused(file: &str) -> RefusalReason {
    let mut events = all_of(file);
    assert_eq!(events.len(), 1);
    events.remove(0).expect_err("the event cannot be booked").reason
}
