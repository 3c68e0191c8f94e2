//! Files as a whole, and single events in them.

mod any_bytes;
mod events;
mod files;

use super::*;
use crate::testing::{a_calendar, an_event, an_event_with};

fn events_of(file: &[u8], default_zone: Option<chrono_tz::Tz>) -> Vec<Result<Event, Box<Unread>>> {
    let index = scan(file).expect("the file is sound");
    let event = |place: &Place| {
        let bytes = usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
        let calendar = &index.calendars[usize::try_from(place.calendar).unwrap()];
        let zones = index.zones.with_default(calendar.time_zone.as_deref(), default_zone);
        Event::read(&file[bytes], place.line, &zones)
    };
    index.events.iter().map(event).collect()
}

fn all_of(file: &str) -> Vec<Result<Event, Box<Unread>>> {
    events_of(file.as_bytes(), None)
}

/// The one event of a file.
fn only(file: &str) -> Event {
    let mut events = all_of(file);
    assert_eq!(events.len(), 1);
    events.remove(0).expect("it can be read")
}

/// What is wrong with the one event of a file.
fn fault_of(file: &str) -> Fault {
    let mut events = all_of(file);
    assert_eq!(events.len(), 1);
    events.remove(0).expect_err("it cannot be read").fault
}
