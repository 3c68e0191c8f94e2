//! Calendar time: intervals, lengths, opening hours, and local time made absolute.

mod by_date;
mod dates;
mod holiday;
mod hours_error;
mod hours_exception;
mod instant;
mod interval;
pub mod intervals;
mod local;
mod local_date;
mod minutes;
mod opening_hours;
mod opening_window;
mod span;
mod time_of_day;
mod weekday;
mod weekly_hours;

pub use by_date::{MinutesByDate, minutes_by_date};
pub use holiday::{Holiday, Holidays, HolidaysError};
pub use hours_error::HoursError;
pub use hours_exception::{ExceptionKind, HoursException, HoursExceptions};
pub use interval::{EmptyInterval, Interval};
pub use local::{date_in, day_bounds, resolve_local};
pub use local_date::{LocalDate, LocalDateTime, LocalMinute};
pub use minutes::{Buffer, Duration, HoldLength, LeadTime, MinutesError, OfferLength, Step};
pub use opening_hours::OpeningHours;
pub use opening_window::OpeningWindow;
pub use span::{LocalDays, LocalHours, LocalSpan};
pub use time_of_day::TimeOfDay;
pub use weekday::Day;
pub use weekly_hours::WeeklyHours;
