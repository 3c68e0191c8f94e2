//! Calendars as programs have them: feeds are whole ones, and CalDAV keeps in step with what is in them.
//!
//! * `events`: what takes place, with what of it is told; `written`: how that is written as iCalendar.

pub(super) mod events;
pub(super) mod written;
