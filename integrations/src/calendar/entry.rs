//! What there is to be of an event, or of one occurrence of a series.

use chrono_tz::Tz;
use daybook_domain::appointment::Copied;
use daybook_domain::{Category, Email, Name, Note, Personal, Tags, Title};
use daybook_ical::event::{Attendee, Version};
use daybook_ical::series::OccurrenceId;

/// An event, or one occurrence of a series, as its calendar has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What its maker calls it, for ever and everywhere; one is made for an event without.
    pub uid: String,
    /// Which occurrence of the series it is. `None`: it is no series.
    pub occurrence: Option<OccurrenceId>,
    /// Where its event is in the file, counted from 1.
    pub line: u32,
    /// What a person is shown of it: short, and safe to print.
    pub shown: String,
    pub version: Version,
    pub wanted: Wanted,
}

/// What is to be of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Booked(Box<ToBook>),
    Cancelled,
}

/// What is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBook {
    /// `None`: it has no name of its own.
    pub title: Option<Title>,
    /// `None`: it is of no kind in particular.
    pub category: Option<Category>,
    pub tags: Tags,
    pub note: Option<Personal<Note>>,
    /// Whom it is with, where one person is named.
    pub person: Option<Person>,
    /// Whether its text is for those who may book, and not for whoever may only read.
    pub private: bool,
    pub place: Place,
    pub copied: Copied,
    /// The zone that it is shown in.
    pub time_zone: Tz,
}

/// Somebody whom an event is with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What they are called, or else their address.
    pub name: Personal<Name>,
    pub email: Personal<Email>,
}

impl Person {
    /// `None`: there is no such address.
    pub(crate) fn of(attendee: &Attendee) -> Option<Self> {
        let Attendee { address, name } = attendee;
        let name = name.as_deref().and_then(|name| Name::new(name).ok());
        let name = name.or_else(|| Name::new(address).ok())?;
        let email = Email::new(address).ok()?;
        Some(Self { name: Personal::new(name), email: Personal::new(email) })
    }
}

/// Where an event takes place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// At a place that has a name, and room for one event at a time.
    Named(Name),
    /// Nowhere in particular: in the calendar itself, which is called so, and in which one event may lie
    /// over another.
    Calendar(Name),
}

impl Place {
    #[must_use]
    pub const fn name(&self) -> &Name {
        match self {
            Self::Named(name) | Self::Calendar(name) => name,
        }
    }
}
