//! What is wrong with a file, or with one event in it.

use thiserror::Error;

use crate::recur::{RuleError, TooMuchWork};

/// Why a file as a whole is not read. Lines count from 1, as an editor shows them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// The file holds nothing but blank lines.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than is ever read.
    #[error("the file has more than {max_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: u64,
    },
    /// The file has more events than are ever read.
    #[error("the file has more than {max} events")]
    TooManyEvents {
        /// The limit.
        max: usize,
    },
    /// The file has more calendars that differ than are ever read.
    #[error("the file has more than {max} calendars")]
    TooManyCalendars {
        /// The limit.
        max: usize,
    },
    /// The file is text of another encoding.
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    /// The file's lines end as they did on old Macs.
    #[error("the lines of the file end with CR alone: save it with CR LF or LF")]
    OnlyCr,
    /// The file does not begin with `BEGIN:VCALENDAR`.
    #[error("this is not an iCalendar file: line {line} is not BEGIN:VCALENDAR")]
    NotICalendar {
        /// The first line that is not blank.
        line: u32,
    },
    /// Something other than a further calendar follows `END:VCALENDAR`.
    #[error("line {line} follows the end of the calendar but begins no other")]
    TextAfterEnd {
        /// The first line that should not be there.
        line: u32,
    },
    /// The file ends before its components do.
    #[error("the file is truncated: {component}, begun on line {line}, has no end")]
    Truncated {
        /// The innermost component that is still open.
        component: String,
        /// Where that component begins.
        line: u32,
    },
    /// An `END` does not match the component that is open.
    #[error("line {line} ends {found}, but {open} is open there")]
    WrongEnd {
        /// Where the `END` is.
        line: u32,
        /// The component that it names.
        found: String,
        /// The component that is open.
        open: String,
    },
    /// A component begins where it cannot be: most often the `END` of the one before is missing.
    #[error("line {line} begins {component} inside {inside}")]
    Misplaced {
        /// Where the `BEGIN` is.
        line: u32,
        /// The component that it names.
        component: String,
        /// The component that is open.
        inside: String,
    },
    /// Components are nested more deeply than any calendar needs.
    #[error("line {line}: components are nested more than {max} deep")]
    TooDeep {
        /// Where the limit is passed.
        line: u32,
        /// The limit.
        max: usize,
    },
    /// A property of the whole calendar has a value that changes what its events mean: another
    /// version of the format, another calendar than the Gregorian one, or a message about events
    /// (a reply, a question) in place of the events themselves.
    #[error("line {line}: {property}:{value} is not supported")]
    Unsupported {
        /// Where the property is.
        line: u32,
        /// The property: VERSION, CALSCALE or METHOD.
        property: &'static str,
        /// Its value.
        value: String,
    },
}

/// What is wrong with one event. Each names the property at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// A line of it is not `NAME:value`.
    #[error("line {line} is not a content line (NAME:value)")]
    Malformed {
        /// Where the line is, counted from 1.
        line: u32,
    },
    /// A line is longer than any text that can be kept.
    #[error("{property} has a line of more than {max_bytes} bytes")]
    LineTooLong {
        /// The property at fault.
        property: String,
        /// The limit in bytes, once the line is unfolded.
        max_bytes: usize,
    },
    /// It has more lines that matter than any event needs.
    #[error("it has more than {max} lines of texts, times and categories")]
    TooManyLines {
        /// The limit.
        max: usize,
    },
    /// A property that can be there only once (RFC 5545 §3.6.1) is there twice, and they differ.
    #[error("{property} is given twice")]
    Repeated {
        /// The property at fault.
        property: String,
    },
    /// It has no DTSTART.
    #[error("it has no start (DTSTART)")]
    NoStart,
    /// Its end is before its start.
    #[error("its end is not after its start")]
    EndNotAfterStart,
    /// A time is none (RFC 5545 §3.3.4, §3.3.5).
    #[error("{property} is not a valid time: {value}")]
    BadTime {
        /// The property at fault.
        property: String,
        /// Its value, shortened.
        value: String,
    },
    /// DURATION is not a valid duration (RFC 5545 §3.3.6).
    #[error("DURATION is not valid: {value}")]
    BadDuration {
        /// Its value, shortened.
        value: String,
    },
    /// A rule of recurrence is not understood (RFC 5545 §3.3.10).
    #[error("{property} is not a valid rule: {value}: {error}")]
    BadRule {
        /// The property at fault.
        property: String,
        /// The rule, shortened.
        value: String,
        error: RuleError,
    },
    /// A rule of recurrence asks for more than is done for one.
    #[error("{property} is not followed to its end: {error}")]
    EndlessRule {
        /// The property at fault.
        property: String,
        error: TooMuchWork,
    },
    /// It has more rules of recurrence than are followed for one event.
    #[error("it has more than {max} rules of recurrence")]
    TooManyRules {
        /// The limit, of RRULE and EXRULE together.
        max: usize,
    },
    /// It recurs more often than is ever read.
    #[error("it recurs more than {max} times")]
    TooManyOccurrences {
        /// The limit.
        max: usize,
    },
    /// A time names no zone, and neither the file nor the caller gives one.
    #[error("{property} names no time zone, and no default is given")]
    NoTimeZone {
        /// The property at fault.
        property: String,
    },
    /// Nobody knows a zone: not the IANA database, not Windows, not the file itself.
    #[error("the time zone {name:?} is not known")]
    UnknownTimeZone {
        /// The name, shortened.
        name: String,
    },
}
