//! Hours that are no hours.

use super::{HoursExceptions, LocalDate, LocalMinute, TimeOfDay, WeeklyHours};

/// Hours that are no hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// A time of day is `HH:MM`, `00:00` to `24:00`.
    #[error("a time of day is HH:MM from 00:00 to 24:00, got {0:?}")]
    TimeOfDay(String),
    /// A date is `YYYY-MM-DD`, and within the calendar that is kept.
    #[error("a date is YYYY-MM-DD from 1970 to 2199, got {0:?}")]
    Date(String),
    /// A local time is `YYYY-MM-DDTHH:MM`, on such a date.
    #[error("a local time is YYYY-MM-DDTHH:MM from 1970 to 2199, without an offset, got {0:?}")]
    LocalMinute(String),
    /// A local time is `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`, on such a date.
    #[error(
        "a local time is YYYY-MM-DDTHH:MM[:SS] from 1970 to 2199, without an offset, got {0:?}"
    )]
    LocalDateTime(String),
    /// A window is on at least one day, opens before 24:00, and does not close when it opens.
    #[error("an opening window has days and a length, and opens before 24:00: {from} to {to}")]
    EmptyWindow {
        /// When it would open.
        from: TimeOfDay,
        /// When it would close.
        to: TimeOfDay,
    },
    /// A window is valid for at least one day.
    #[error(
        "an opening window is valid from a day until that day or a later one: {from} to {until}"
    )]
    NeverValid {
        /// The first day.
        from: LocalDate,
        /// The last day.
        until: LocalDate,
    },
    /// More windows than a week needs.
    #[error("at most {} opening windows", WeeklyHours::MAX_WINDOWS)]
    TooManyWindows,
    /// Whole days are in order.
    #[error("the last day is not before the first: {first} to {last}")]
    NoDays {
        /// The first day.
        first: LocalDate,
        /// The last day.
        last: LocalDate,
    },
    /// Hours end after they start.
    #[error("hours end after they start: {from} to {to}")]
    NoHours {
        /// When they would start.
        from: LocalMinute,
        /// When they would end.
        to: LocalMinute,
    },
    /// More exceptions than a resource can have.
    #[error("at most {} exceptions", HoursExceptions::MAX)]
    TooManyExceptions,
}

/// As much of a text from outside as an error repeats.
pub(super) fn excerpt(text: &str) -> String {
    text.chars().take(32).collect()
}
