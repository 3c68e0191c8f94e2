//! Reading an iCalendar file (RFC 5545) as a list of bookings to be made, or of holidays.
//!
//! A file is read all or nothing: whatever makes its *envelope* doubtful (it is truncated, its `BEGIN` and
//! `END` do not match, it is not UTF-8, it is not an iCalendar stream) is one [`ReadError`], so that no half
//! of a file is ever booked. Inside a valid envelope each VEVENT is independent: one that cannot be booked is
//! an [`EventRefusal`] that says why, and the others are booked.
//!
//! The content lines (names, parameters, quoting, escapes) are read by the `icalendar` crate. The
//! envelope is read here, because that crate's reader of whole files recurses once per `BEGIN`
//! without a limit (a small hostile file overflows the stack), does not know the file's own line
//! numbers, and rejects the whole file for one bad line; and the other candidate, `calcard`, returns the
//! first half of a truncated file as if it were the file.
//!
//! In bookings, recurrence, all-day events and zones that only a VTIMEZONE defines are refused, never
//! guessed at. `holidays` reads the other kind of file: whole days, some of them every year.
//! This module does not write calendars, and knows nothing of services or resources.

mod category;
mod duration;
mod envelope;
mod error;
mod event;
mod holidays;
mod lines;
mod properties;
mod raw_event;
mod text;
mod time;

#[cfg(test)]
mod tests;

pub use error::{EventRefusal, ReadError, RefusalReason};
pub use event::CalendarEvent;
pub use holidays::{HolidayCalendar, read_holidays};
pub use text::{
    MAX_CATEGORY_CHARS, MAX_DESCRIPTION_CHARS, MAX_LOCATION_CHARS, MAX_SUMMARY_CHARS, MAX_TAGS,
    MAX_UID_CHARS,
};

use chrono_tz::Tz;

use self::{envelope::Envelope, event::EventReader};

/// The largest file that is read, in bytes (64 MiB). A caller can check a file's size before it
/// loads it.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;

/// The most VEVENTs that are read from one file.
pub const MAX_EVENTS: usize = 100_000;

/// What a calendar file holds, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// One entry for each VEVENT: what to book, or why it cannot be booked.
    pub events: Vec<Result<CalendarEvent, EventRefusal>>,
}

/// Reads a calendar file.
///
/// `default_zone` is the zone of a time that names none (RFC 5545 §3.3.5, form 1), unless the file
/// names its own (`X-WR-TIMEZONE`). With neither, such an event is refused.
///
/// # Errors
///
/// When the file as a whole cannot be trusted; see [`ReadError`]. Nothing of it should be booked.
pub fn read(bytes: &[u8], default_zone: Option<Tz>) -> Result<Calendar, ReadError> {
    let envelope = Envelope::read(sized(bytes)?, MAX_EVENTS)?;
    let mut reader = EventReader::default();
    let mut events = Vec::with_capacity(envelope.event_count);
    for object in &envelope.objects {
        let zones = time::Zones::of(object, default_zone);
        events.extend(object.events.iter().map(|event| reader.read(event, &zones)));
    }
    Ok(Calendar { events })
}

fn sized(bytes: &[u8]) -> Result<&[u8], ReadError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLarge { bytes: bytes.len(), max_bytes: MAX_FILE_BYTES });
    }
    Ok(bytes)
}
