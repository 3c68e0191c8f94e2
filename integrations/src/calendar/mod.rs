//! What the events of a calendar file (RFC 5545) mean to daybook: bookings to be made, or holidays.
//!
//! The text is read by `daybook-ical`. Whatever makes a file as a whole doubtful is one [`ReadError`], so
//! that no half of a file is ever booked; inside a sound file each event is independent: one that
//! cannot be booked is a [`Refusal`] that says why. [`CalendarFile`] goes through a file of any size without
//! holding it.
//!
//! It knows nothing of what is in daybook already, and makes no commands: an [`Entry`] says what there is to
//! be, and whoever imports compares.

mod category;
mod entry;
pub(crate) mod error;
mod file;
mod holidays;
pub(crate) mod meaning;
mod place;
pub(crate) mod texts;

#[cfg(test)]
mod tests;

pub use category::{CategoryFrom, NoSuchRule};
pub use daybook_ical::MAX_FILE_BYTES;
pub use entry::{Entry, Person, Place, ToBook, Wanted};
pub use error::{ReadError, Refusal, RefusalReason};
pub use file::{CalendarFile, Group};
pub use holidays::{HolidayCalendar, read_holidays};
pub use meaning::Reading;
