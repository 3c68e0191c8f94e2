//! The rules by which a service is booked: each a value that is listed with the service, and a pure
//! function that says whether a proposal breaks it.
//!
//! * `durations`, `grid`, `horizon`: a rule each. Notice and windows are a [`LeadTime`].
//! * `broken`: what the rules are called, and what they say.
//! * `form`: how they are written.
//!
//! A service without rules is booked for its own duration at any time its resources are open.

mod broken;
mod durations;
mod form;
mod grid;
mod horizon;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use broken::{Broken, DateIn, GridIn, LatestDate, LocalTime, Minutes, Rule};
pub use durations::{Choice, Durations, DurationsError};
pub use form::{RulesError, RulesPatch};
pub use grid::Grid;
pub use horizon::{Horizon, HorizonError};

use crate::time::{Interval, LeadTime};

/// The rules of a service. None that is left out changes anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "form::Form", into = "form::Form")]
pub struct BookingRules {
    /// For how long it can be booked, besides its own duration.
    pub durations: Durations,
    /// At which times of day it starts.
    pub grid: Option<Grid>,
    /// How long ahead it is booked or moved at the latest.
    pub minimum_notice: Option<LeadTime>,
    /// How many days ahead it is booked or moved at the earliest.
    pub horizon: Option<Horizon>,
    /// Until how long before its start the client's side may move it. `None`: until it begins.
    pub rescheduling_window: Option<LeadTime>,
    /// Until how long before its start the client's side may cancel it. `None`: until it
    /// begins.
    pub cancellation_window: Option<LeadTime>,
}

/// A proposed time and place, as far as rules depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// When it would be.
    pub during: Interval,
    /// When it is proposed.
    pub now: DateTime<Utc>,
    /// The zones of its resources: what is about local time must hold in each.
    pub zones: &'a [Tz],
}

impl BookingRules {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Every rule about *when* it is that the proposal breaks: these hold for bookings and for moves.
    pub fn broken_by<'a>(
        &'a self,
        proposal: &'a Proposal<'a>,
    ) -> impl Iterator<Item = Broken> + 'a {
        type Policy = fn(&BookingRules, &Proposal<'_>) -> Option<Broken>;
        const POLICIES: [Policy; 3] = [
            |rules, proposal| rules.grid?.broken_by(proposal),
            |rules, proposal| {
                let (required, found) =
                    missed(rules.minimum_notice, proposal.during, proposal.now)?;
                Some(Broken::MinimumNotice { required, found })
            },
            |rules, proposal| rules.horizon?.broken_by(proposal),
        ];
        POLICIES.into_iter().filter_map(move |policy| policy(self, proposal))
    }

    /// Those that joining a session breaks: when it starts is not the client's to say.
    pub fn broken_by_joining<'a>(
        &'a self,
        proposal: &'a Proposal<'a>,
    ) -> impl Iterator<Item = Broken> + 'a {
        self.broken_by(proposal).filter(|broken| broken.rule() != Rule::StartGrid)
    }
}

/// Whether it is too late for the client's side to move what starts when `during` does.
#[must_use]
pub fn too_late_to_move(
    window: Option<LeadTime>,
    during: Interval,
    now: DateTime<Utc>,
) -> Option<Broken> {
    let (required, found) = missed(window, during, now)?;
    Some(Broken::ReschedulingWindow { required, found })
}

/// Whether it is too late for the client's side to cancel what starts when `during` does.
#[must_use]
pub fn too_late_to_cancel(
    window: Option<LeadTime>,
    during: Interval,
    now: DateTime<Utc>,
) -> Option<Broken> {
    let (required, found) = missed(window, during, now)?;
    Some(Broken::CancellationWindow { required, found })
}

fn missed(
    lead: Option<LeadTime>,
    during: Interval,
    now: DateTime<Utc>,
) -> Option<(Minutes<LeadTime>, Minutes<i64>)> {
    let minutes = lead?;
    let found = minutes.missed(during.start(), now)?;
    Some((Minutes { minutes }, Minutes { minutes: found }))
}
