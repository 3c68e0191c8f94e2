//! Why a file, or one event in it, is not taken.

use thiserror::Error;

/// Why a file as a whole is not read. Lines count from 1, as an editor shows them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The file holds nothing but blank lines.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than is ever read.
    #[error("the file has {bytes} bytes; at most {max_bytes} are read")]
    TooLarge {
        /// The file's size in bytes.
        bytes: usize,
        /// The limit in bytes.
        max_bytes: usize,
    },
    /// The file has more events than are ever read.
    #[error("the file has more than {max} events")]
    TooManyEvents {
        /// The limit.
        max: usize,
    },
    /// The file has more holidays than can be stored.
    #[error("the file has more than {max} days of holidays")]
    TooManyHolidays {
        /// The limit.
        max: usize,
    },
    /// A content line is not UTF-8 (RFC 5545 §3.1.4).
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 {
        /// Where the content line begins.
        line: usize,
    },
    /// The file does not begin with `BEGIN:VCALENDAR`.
    #[error("this is not an iCalendar file: line {line} is not BEGIN:VCALENDAR")]
    NotICalendar {
        /// The first line that is not blank.
        line: usize,
    },
    /// Something other than a further calendar follows `END:VCALENDAR`.
    #[error("line {line} follows the end of the calendar but begins no other")]
    TextAfterEnd {
        /// The first line that should not be there.
        line: usize,
    },
    /// The file ends before its components do.
    #[error("the file is truncated: {component}, begun on line {line}, has no end")]
    Truncated {
        /// The innermost component that is still open.
        component: String,
        /// Where that component begins.
        line: usize,
    },
    /// An `END` does not match the component that is open.
    #[error("line {line} ends {found}, but {open} is open there")]
    WrongEnd {
        /// Where the `END` is.
        line: usize,
        /// The component that it names.
        found: String,
        /// The component that is open.
        open: String,
    },
    /// A component begins where it cannot be: most often the `END` of the one before is missing.
    #[error("line {line} begins {component} inside {inside}")]
    Misplaced {
        /// Where the `BEGIN` is.
        line: usize,
        /// The component that it names.
        component: String,
        /// The component that is open.
        inside: String,
    },
    /// Components are nested more deeply than any calendar needs.
    #[error("line {line}: components are nested more than {max} deep")]
    TooDeep {
        /// Where the limit is passed.
        line: usize,
        /// The limit.
        max: usize,
    },
    /// A property of the whole calendar has a value that changes what its events mean: another
    /// version of the format, another calendar than the Gregorian one, or a message about events
    /// (a cancellation, a reply) in place of the events themselves.
    #[error("line {line}: {property}:{value} is not supported")]
    Unsupported {
        /// Where the property is.
        line: usize,
        /// The property: VERSION, CALSCALE or METHOD.
        property: &'static str,
        /// Its value.
        value: String,
    },
}

/// A VEVENT that cannot be booked, with what a person needs to find it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {}: {reason}", self.name())]
pub struct EventRefusal {
    /// Where its `BEGIN:VEVENT` is, counted from 1.
    pub line: usize,
    /// Its UID, where it has one; shortened, and safe to print.
    pub uid: Option<String>,
    /// Its SUMMARY, where it has one; shortened, and safe to print.
    pub summary: Option<String>,
    /// Why it cannot be booked.
    pub reason: RefusalReason,
}

impl EventRefusal {
    fn name(&self) -> &str {
        self.summary.as_deref().or(self.uid.as_deref()).unwrap_or("an event without a name")
    }
}

/// Why a VEVENT cannot be booked. Each names the property at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefusalReason {
    /// A line of it is not `NAME:value`.
    #[error("line {line} is not a content line (NAME:value)")]
    Malformed {
        /// Where the line is, counted from 1.
        line: usize,
    },
    /// A value has a control character, which no text of a calendar may have.
    #[error("{property} has a control character")]
    ControlCharacter {
        /// The property at fault.
        property: &'static str,
    },
    /// A text is longer than can be stored; it is not cut, since a cut would go unseen.
    #[error("{property} has more than {max_chars} characters")]
    TooLong {
        /// The property at fault.
        property: &'static str,
        /// The limit in Unicode scalar values.
        max_chars: usize,
    },
    /// A line is longer than any text that can be stored.
    #[error("{property} has a line of more than {max_bytes} bytes")]
    LineTooLong {
        /// The property at fault.
        property: &'static str,
        /// The limit in bytes, once the line is unfolded.
        max_bytes: usize,
    },
    /// It has more lines that matter than any event needs.
    #[error("it has more than {max} lines of texts, times and categories")]
    TooManyLines {
        /// The limit.
        max: usize,
    },
    /// It has more categories than can be stored as tags.
    #[error("it has more than {max} categories")]
    TooManyCategories {
        /// The limit.
        max: usize,
    },
    /// A property that can be there only once (RFC 5545 §3.6.1) is there twice.
    #[error("{property} is given twice")]
    Repeated {
        /// The property at fault.
        property: &'static str,
    },
    /// It has no UID, so that importing it again could not be recognised.
    #[error("it has no UID")]
    NoUid,
    /// It has no DTSTART.
    #[error("it has no start (DTSTART)")]
    NoStart,
    /// It has neither DTEND nor DURATION.
    #[error("it has no end (neither DTEND nor DURATION)")]
    NoEnd,
    /// It has both DTEND and DURATION (RFC 5545 §3.6.1 forbids it).
    #[error("it has both DTEND and DURATION")]
    EndAndDuration,
    /// Its end is not after its start.
    #[error("its end is not after its start")]
    EndNotAfterStart,
    /// A time is not a valid DATE-TIME (RFC 5545 §3.3.5).
    #[error("{property} is not a valid time: {value}")]
    BadTime {
        /// The property at fault.
        property: &'static str,
        /// Its value, shortened.
        value: String,
    },
    /// DURATION is not a valid duration (RFC 5545 §3.3.6).
    #[error("DURATION is not valid: {value}")]
    BadDuration {
        /// Its value, shortened.
        value: String,
    },
    /// It has dates but no times. It is not known which hours of those days would be taken.
    #[error("it is all-day ({property} is a date without a time)")]
    AllDay {
        /// The property at fault.
        property: &'static str,
    },
    /// It has a time, but a holiday is whole days.
    #[error("a holiday is whole days, and {property} has a time")]
    NotAllDay {
        /// The property at fault.
        property: &'static str,
    },
    /// A date is not a valid DATE (RFC 5545 §3.3.4), or is outside the supported years.
    #[error("{property} is not a valid date: {value}")]
    BadDate {
        /// The property at fault.
        property: &'static str,
        /// Its value, shortened.
        value: String,
    },
    /// It has no SUMMARY, and a holiday has a name.
    #[error("it has no name (SUMMARY)")]
    NoSummary,
    /// It is longer than any holiday.
    #[error("it has more than {max} days")]
    TooManyDays {
        /// The limit.
        max: u64,
    },
    /// Its rule is not valid, or not one that names days of a year (RFC 5545 §3.3.10).
    #[error("RRULE is not a yearly rule of whole days: {value}")]
    BadRule {
        /// The rule, shortened.
        value: String,
    },
    /// It changes one day of a series, which would have to be found and replaced.
    #[error("it changes one day of a series (RECURRENCE-ID), which is not supported")]
    MovedInstance,
    /// A time names no zone, and neither the file nor the caller gives one.
    #[error("{property} names no time zone, and no default is given")]
    NoTimeZone {
        /// The property at fault.
        property: &'static str,
    },
    /// A zone is not in the IANA database.
    #[error("the time zone {name:?} is not known")]
    UnknownTimeZone {
        /// The name, shortened.
        name: String,
    },
    /// A zone is defined by the file itself (VTIMEZONE) under a name that is not an IANA one.
    #[error("the time zone {name:?} is the file's own; only IANA zones can be booked")]
    CustomTimeZone {
        /// The name, shortened.
        name: String,
    },
    /// It is a series. To book only its first instance would lose the others unseen.
    #[error("it recurs ({property}); series cannot be imported yet")]
    Recurring {
        /// The property that makes it a series.
        property: &'static str,
    },
    /// Its STATUS is CANCELLED.
    #[error("it is cancelled")]
    Cancelled,
    /// An event before it in the file has the same UID and RECURRENCE-ID.
    #[error("it has the same UID and RECURRENCE-ID as the event on line {first_line}")]
    Duplicate {
        /// Where the first of them begins.
        first_line: usize,
    },
}
