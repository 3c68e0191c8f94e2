//! Calendar time: intervals, lengths, weekly hours, and local time made absolute.

mod interval;
mod local;
mod minutes;
mod weekly_hours;

pub use interval::{EmptyInterval, Interval};
pub use local::{day_bounds, resolve_local};
pub use minutes::{Buffer, Duration, LeadTime, MinutesError, Step};
pub use weekly_hours::{Day, HoursError, OpeningWindow, TimeOfDay, WeeklyHours};
