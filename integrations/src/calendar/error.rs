//! Why a file, or one event in it, is not taken.

use daybook_domain::Illegible;
use daybook_ical::{Fault, FileError, Unread};
use thiserror::Error;

/// Why a file as a whole is not read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It cannot be trusted.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its bytes cannot be had.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    /// It is no table that can be understood.
    #[error(transparent)]
    Table(#[from] crate::table::TableError),
    /// The file has more holidays than can be stored.
    #[error("the file has more than {max} days of holidays")]
    TooManyHolidays {
        /// The limit.
        max: usize,
    },
}

/// An event that is not taken, with what a person needs to find it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {shown}: {reason}")]
pub struct Refusal {
    /// Where its `BEGIN:VEVENT` is, counted from 1.
    pub line: u32,
    /// Its SUMMARY, where it has one and it is for everybody; shortened, and safe to print.
    pub shown: String,
    pub reason: RefusalReason,
}

impl From<Box<Unread>> for Refusal {
    fn from(unread: Box<Unread>) -> Self {
        let Unread { line, summary, is_private, fault, .. } = *unread;
        let shown = shown(summary.as_deref(), is_private);
        Self { line, shown, reason: RefusalReason::Fault(fault) }
    }
}

/// What is shown of what is not for everybody.
pub(crate) const PRIVATE: &str = "Busy";

/// What a person is shown of an event by that name. Its UID says nothing to anybody.
pub(crate) fn shown(name: Option<&str>, is_private: bool) -> String {
    match name {
        _ if is_private => PRIVATE.to_owned(),
        Some(name) => daybook_ical::text::excerpt(name),
        None => "an event without a name".to_owned(),
    }
}

/// Why an event is not taken. Each names the property at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefusalReason {
    /// It cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A text is longer than can be kept; it is not cut, since a cut would go unseen.
    #[error("{property} has {chars} characters, and at most {max_chars} can be kept")]
    TooLong {
        /// The property at fault.
        property: &'static str,
        /// How many it has, in Unicode scalar values.
        chars: usize,
        /// The limit.
        max_chars: usize,
    },
    /// A text is there, and nobody can read it.
    #[error("{property}: {why}")]
    Illegible {
        /// The property at fault.
        property: &'static str,
        why: Illegible,
    },
    /// It has more categories than can be kept as tags.
    #[error("it has more than {max} categories")]
    TooManyCategories {
        /// The limit.
        max: usize,
    },
    /// It is before or after all years that can be booked.
    #[error("it is in the year {year}; only the years 1970 to 2199 can be booked")]
    OutOfCalendar { year: i32 },
    /// There is no such time in the zone, and it is whole days.
    #[error("its days do not exist in {time_zone}")]
    NoSuchDays {
        /// The zone's name.
        time_zone: &'static str,
    },
    /// It has no UID, so that importing it again could not be recognised.
    #[error("it has no UID")]
    NoUid,
    /// It has a time, but a holiday is whole days.
    #[error("a holiday is whole days, and {property} has a time")]
    NotAllDay {
        /// The property at fault.
        property: &'static str,
    },
    /// It has no SUMMARY, and a holiday has a name.
    #[error("it has no name (SUMMARY)")]
    NoSummary,
    /// It is longer than any holiday.
    #[error("it has more than {max} days")]
    TooManyDays {
        /// The limit.
        max: u32,
    },
    /// Its rule is not one that names days of a year (RFC 5545 §3.3.10).
    #[error("RRULE is not a yearly rule of whole days")]
    NotYearly,
    /// It recurs in a way that holidays do not.
    #[error("it recurs by {property}, and a holiday by one yearly rule")]
    Recurring {
        /// The property that makes it so.
        property: &'static str,
    },
    /// It changes one day of a series, which would have to be found and replaced.
    #[error("it changes one day of a series (RECURRENCE-ID), which is not supported")]
    MovedInstance,
    /// Its STATUS is CANCELLED.
    #[error("it is cancelled")]
    Cancelled,
    /// An event before it in the file has the same UID.
    #[error("it has the same UID as the event on line {first_line}")]
    Duplicate {
        /// Where the first of them begins.
        first_line: u32,
    },
    /// A field of a table is missing, or none of its kind.
    #[error("{column} is not {expected}: {value:?}")]
    Field {
        /// The column's name.
        column: &'static str,
        /// What it is to be, with an article.
        expected: &'static str,
        /// What it has, shortened.
        value: String,
    },
    /// The events of its UID have more texts than are held together.
    #[error("the events with its UID have more than {max_bytes} bytes of texts")]
    TooMuchOfUid {
        /// The limit.
        max_bytes: usize,
    },
    /// The series before it in the file have taken all the work that is done for one file.
    #[error("the series of the file take more work than is done for one: import it in parts")]
    TooMuchWork,
    /// A file has more events of its UID than are read together.
    #[error("the file has more than {max} events with its UID")]
    TooManyOfUid {
        /// The limit.
        max: usize,
    },
}
