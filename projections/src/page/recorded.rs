//! Lists in the order in which things were made or changed.

use chrono::{DateTime, Utc};

/// Which of an item's events counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Recorded {
    /// The first.
    #[default]
    Created,
    /// The last.
    Updated,
}

/// An order by when an event was recorded; those of one moment, by their id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordedOrder {
    pub by: Recorded,
    /// The latest first.
    pub descending: bool,
    /// Only those whose event was recorded at this instant or later.
    pub since: Option<DateTime<Utc>>,
}
