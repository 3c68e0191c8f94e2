//! What a rule is called, and what it says to those who break it.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Grid, Horizon};
use crate::time::{Duration, LeadTime};

/// A rule by its name. It never changes its name: refusals and overrides in the log have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It is as long as the service is offered for.
    OfferedDuration,
    /// It starts on the service's grid.
    StartGrid,
    /// It is not asked for too late.
    MinimumNotice,
    /// It is not asked for too early.
    BookingHorizon,
    /// The client's side moves it in time.
    ReschedulingWindow,
    /// The client's side cancels it in time.
    CancellationWindow,
    /// Each resource is open for all of it. It is a rule of resources, not of the service.
    OpeningHours,
}

impl Rule {
    /// That it is broken, in words that are the same each time.
    pub(crate) const fn broken_title(self) -> &'static str {
        match self {
            Self::OfferedDuration => "The service is not offered for this long",
            Self::StartGrid => "The service does not start at this time of day",
            Self::MinimumNotice => "It is too late to book this",
            Self::BookingHorizon => "It is too early to book this",
            Self::ReschedulingWindow => "It is too late to move this",
            Self::CancellationWindow => "It is too late to cancel this",
            Self::OpeningHours => "Outside opening hours",
        }
    }
}

/// A rule of a service that a wish breaks: what the rule required, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Broken {
    /// See [`Rule::OfferedDuration`].
    #[error("it is not offered for {} minutes", found.minutes.minutes())]
    OfferedDuration { required: Minutes<Vec<Duration>>, found: Minutes<Duration> },
    /// See [`Rule::StartGrid`].
    #[error(
        "it starts every {} minutes from {} after midnight in {}, not at {}",
        required.step_minutes, required.offset_minutes, required.time_zone, found.local_time
    )]
    StartGrid { required: GridIn, found: LocalTime },
    /// See [`Rule::MinimumNotice`].
    #[error("it is booked at least {} minutes ahead", required.minutes.minutes())]
    MinimumNotice { required: Minutes<LeadTime>, found: Minutes<i64> },
    /// See [`Rule::BookingHorizon`].
    #[error("it is booked up to {} days ahead, until {}", required.days.days(), required.date)]
    BookingHorizon { required: LatestDate, found: DateIn },
    /// See [`Rule::ReschedulingWindow`].
    #[error("a client moves it at least {} minutes ahead", required.minutes.minutes())]
    ReschedulingWindow { required: Minutes<LeadTime>, found: Minutes<i64> },
    /// See [`Rule::CancellationWindow`].
    #[error("a client cancels it at least {} minutes ahead", required.minutes.minutes())]
    CancellationWindow { required: Minutes<LeadTime>, found: Minutes<i64> },
}

impl Broken {
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::OfferedDuration { .. } => Rule::OfferedDuration,
            Self::StartGrid { .. } => Rule::StartGrid,
            Self::MinimumNotice { .. } => Rule::MinimumNotice,
            Self::BookingHorizon { .. } => Rule::BookingHorizon,
            Self::ReschedulingWindow { .. } => Rule::ReschedulingWindow,
            Self::CancellationWindow { .. } => Rule::CancellationWindow,
        }
    }
}

/// Something that is told in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Minutes<T> {
    /// How many, or which.
    pub minutes: T,
}

/// A grid, and the zone in which it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GridIn {
    /// From one start to the next.
    pub step_minutes: u32,
    /// From local midnight to the first start.
    pub offset_minutes: u32,
    /// The resource's zone.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
}

impl GridIn {
    pub(super) fn new(grid: Grid, time_zone: Tz) -> Self {
        let (step_minutes, offset_minutes) = (grid.step().minutes(), grid.offset_minutes());
        Self { step_minutes, offset_minutes, time_zone }
    }
}

/// What the clocks show at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LocalTime {
    /// The time of day in the resource's zone.
    pub local_time: NaiveTime,
}

/// The last day that can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LatestDate {
    /// How far ahead.
    pub days: Horizon,
    /// That day.
    pub date: NaiveDate,
    /// The resource's zone.
    #[cfg_attr(test, schemars(with = "crate::schemas::ZoneName"))]
    pub time_zone: Tz,
}

/// The day of the start in the resource's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DateIn {
    /// That day.
    pub date: NaiveDate,
}
