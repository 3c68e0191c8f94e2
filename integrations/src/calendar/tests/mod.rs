//! What a calendar file says, and what is made of it.

mod entries;
mod groups;
mod holidays;
mod sample;

use std::io::Cursor;

use chrono_tz::Tz;
use daybook_domain::Name;
use daybook_ical::testing::{a_calendar, a_vevent, an_event, an_event_with};

use super::*;
use crate::testing::{from_to, hours, note, reading, tags, to_book};

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
    to_book(&Ok(only(file))).clone()
}

/// Why the one event of a file is not taken.
fn refused(file: &str) -> RefusalReason {
    let mut entries = all_of(file);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0).expect_err("it cannot be booked").reason
}
