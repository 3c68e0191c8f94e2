//! iCalendar (RFC 5545), read and written: text, values, zones and recurrence.
//!
//! It is pure, and knows nothing of appointments: what an event means to daybook is said where it is
//! imported, and what daybook tells others of an appointment where it is served.
//!
//! A large file is read twice, and never held whole. First its envelope, pushed in pieces of any size
//! ([`Scanner`]): that says whether the file can be trusted, and makes an [`Index`] of where its events
//! are. Then each event by itself ([`Event::read`]), and all of one UID together
//! ([`series::occurrences`]). Whatever is wrong with an event is its own [`Fault`].
//!
//! Everything is bounded: lines, components, nesting, zones, occurrences, and the work for a rule.

mod component;
mod duration;
pub mod event;
mod fault;
mod lines;
mod property;
pub mod recur;
mod scan;
pub mod series;
mod span;
pub mod text;
mod time;
mod write;
mod zone;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use component::Component;
pub use duration::Duration;
pub use event::{Event, Unread};
pub use fault::{Fault, FileError};
pub use property::Property;
pub use scan::{Calendar, Index, MAX_EVENTS, MAX_FILE_BYTES, Method, Place, Scanner, scan};
pub use span::Span;
pub use time::{Moment, Time};
pub use write::Writer;
pub use zone::{OwnZone, Zone, Zones, write_zone};
