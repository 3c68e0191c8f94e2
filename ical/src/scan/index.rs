//! What a sound file holds, by where it is.

use crate::zone::Zones;

/// What a sound file holds.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// What holds for all events of a calendar. A file may have several (RFC 5545 §3.4).
    pub calendars: Vec<Calendar>,
    /// Its events (VEVENT), in the order of the file.
    pub events: Vec<Place>,
    /// The zones that it defines, for all its calendars.
    pub zones: Zones,
}

/// What holds for all events of a calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Calendar {
    /// Which program wrote it (PRODID).
    pub product: Option<String>,
    /// What its owner calls it (X-WR-CALNAME, or NAME of RFC 7986).
    pub name: Option<String>,
    /// The zone of times that name none (X-WR-TIMEZONE), a widespread extension.
    pub time_zone: Option<String>,
    pub method: Method,
}

/// What a calendar says of its events (RFC 5546 §1.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// That they are so.
    #[default]
    Publish,
    /// That they are to be attended.
    Request,
    /// That they are cancelled.
    Cancel,
}

/// Where a component is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The first byte of its `BEGIN`.
    pub start: u64,
    /// The first byte after its `END`.
    pub end: u64,
    /// The line of its `BEGIN`, counted from 1.
    pub line: u32,
    /// Which of [`Index::calendars`] it is of.
    pub calendar: u32,
    /// A number made of its UID: events of one UID have the same.
    pub uid_hash: u64,
}

impl Place {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Whether it has none, which no component can.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }
}
