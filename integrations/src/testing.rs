//! For the tests of this crate: how files are read, and what there is in an entry.

use chrono_tz::Tz;
use daybook_domain::{Name, Note, Personal};

use crate::calendar::{Entry, Reading, Refusal, ToBook, Wanted};

/// In Berlin, until the end of 2028.
pub(crate) fn reading() -> Reading {
    Reading {
        time_zone: Tz::Europe__Berlin,
        horizon: "2029-01-01T00:00:00Z".parse().unwrap(),
        category_from: None,
        calendar_name: Name::new("week").unwrap(),
    }
}

/// What an entry that takes place comes to.
#[track_caller]
pub(crate) fn to_book(entry: &Result<Entry, Refusal>) -> &ToBook {
    match &entry.as_ref().expect("no refusal").wanted {
        Wanted::Booked(to_book) => to_book,
        Wanted::Cancelled => panic!("it is cancelled"),
    }
}

/// From when to when, in UTC.
pub(crate) fn hours(to_book: &ToBook) -> (String, String) {
    let text = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M").to_string();
    (text(to_book.copied.during.start()), text(to_book.copied.during.end()))
}

pub(crate) fn from_to(start: &str, end: &str) -> (String, String) {
    (start.to_owned(), end.to_owned())
}

pub(crate) fn note(to_book: &ToBook) -> &str {
    to_book.note.as_ref().and_then(Personal::reveal).map_or("", Note::as_str)
}

pub(crate) fn tags(to_book: &ToBook) -> Vec<&str> {
    to_book.tags.iter().map(daybook_domain::Tag::as_str).collect()
}
