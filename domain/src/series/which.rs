//! Which occurrences a change is for, and how far it moves them.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Occurrence, RecurrenceId, SeriesRefusal};
use crate::time::{LocalDateTime, TimeOfDay, resolve_local};

/// Whether all must be booked or changed, or as many as can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// All of them, or none.
    #[default]
    AllOrNothing,
    /// As many as can be.
    BestEffort,
}

/// Which occurrences a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "scope", content = "recurrence_id", rename_all = "lowercase")]
pub enum Which {
    /// One.
    This(RecurrenceId),
    /// One, and all that the rule has after it, wherever they have been moved (THISANDFUTURE, RFC 5545
    /// section 3.2.13).
    Following(RecurrenceId),
    /// All.
    All,
}

impl Which {
    /// Whether it is for this one.
    #[must_use]
    pub fn includes(self, id: RecurrenceId) -> bool {
        match self {
            Self::This(this) => id == this,
            Self::Following(first) => id >= first,
            Self::All => true,
        }
    }

    /// The one that it names.
    #[must_use]
    pub const fn named(self) -> Option<RecurrenceId> {
        match self {
            Self::This(id) | Self::Following(id) => Some(id),
            Self::All => None,
        }
    }
}

/// How many days something is moved: a year in either direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "i16", into = "i16")]
pub struct ShiftDays(i16);

/// A number of days that nothing is moved by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shift is by -366 to 366 days, got {0}")]
pub struct InvalidShift(i16);

impl ShiftDays {
    /// The most, in either direction.
    pub const MAX: i16 = 366;

    /// Whether it is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0 == 0
    }
}

impl TryFrom<i16> for ShiftDays {
    type Error = InvalidShift;

    fn try_from(days: i16) -> Result<Self, InvalidShift> {
        if (-Self::MAX..=Self::MAX).contains(&days) {
            Ok(Self(days))
        } else {
            Err(InvalidShift(days))
        }
    }
}

impl From<ShiftDays> for i16 {
    fn from(days: ShiftDays) -> Self {
        days.0
    }
}

/// How occurrences are moved: by local days, to a local time of day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shift {
    /// By so many local days.
    #[serde(default, rename = "shift_days", skip_serializing_if = "ShiftDays::is_none")]
    pub days: ShiftDays,
    /// To this local time of day. `None`: each keeps its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeOfDay>,
}

impl Shift {
    /// Whether it leaves everything where it is.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.days.is_none() && self.time.is_none()
    }

    /// Where an occurrence goes by this from its local time.
    ///
    /// # Errors
    /// When the calendar does not go so far.
    pub(super) fn of(self, zone: Tz, local: NaiveDateTime) -> Result<Destination, SeriesRefusal> {
        let out = |_| SeriesRefusal::OutOfCalendar;
        let moved = local + TimeDelta::days(self.days.0.into());
        let moved = self.time.map_or(moved, |time| time.on(moved.date()));
        let moved = LocalDateTime::try_from(moved).map_err(out)?;
        let start = resolve_local(zone, moved.date_time());
        let is_shown = start.with_timezone(&zone).naive_local() == moved.date_time();
        Ok(Destination { start, skipped: (!is_shown).then_some(moved) })
    }
}

/// Where an occurrence goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    /// When it starts then.
    pub start: DateTime<Utc>,
    /// Its local time, where clocks skip that and show another.
    pub skipped: Option<LocalDateTime>,
}

/// One occurrence, and where it is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedMove {
    pub occurrence: Occurrence,
    /// When it starts now.
    pub from: DateTime<Utc>,
    /// Where it is to be.
    pub to: Destination,
}

impl PlannedMove {
    /// Puts moves in an order in which none that are alike conflicts with another: of those that go
    /// later the last goes first, and of those that go earlier the first.
    pub fn order(moves: &mut [Self]) {
        moves.sort_by_key(|one| {
            let later = one.to.start > one.from;
            let start_us = one.from.timestamp_micros();
            (!later, if later { -start_us } else { start_us })
        });
    }
}
