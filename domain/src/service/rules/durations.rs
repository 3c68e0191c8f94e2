//! For how long a service can be booked, besides its own duration.

use serde::{Deserialize, Serialize};

use super::{Broken, Minutes};
use crate::service::Price;
use crate::time::Duration;

/// A choice of durations that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationsError {
    /// More than anyone chooses from.
    #[error("a service has at most {} durations to choose from", Durations::MAX)]
    TooMany,
    /// The same twice.
    #[error("{minutes} minutes are named twice")]
    Twice { minutes: u32 },
}

/// A duration that a booking may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// How long it takes.
    #[serde(rename = "minutes")]
    pub duration: Duration,
    /// What it costs then. `None`: what the service costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// The durations that a booking may choose from; the service's own is always one of them, named or
/// not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Choice>", into = "Vec<Choice>")]
pub struct Durations(Vec<Choice>);

impl Durations {
    /// How many a service can have.
    pub const MAX: usize = 50;

    /// Whether there is no choice.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The choice of this duration, where it is named.
    #[must_use]
    pub fn choice(&self, duration: Duration) -> Option<&Choice> {
        self.0.iter().find(|choice| choice.duration == duration)
    }

    /// The rule: it lasts as long as the service (`own`), or as long as one of the choices.
    #[must_use]
    pub fn broken_by(&self, own: Duration, found: Duration) -> Option<Broken> {
        if found == own || self.choice(found).is_some() {
            return None;
        }
        let mut minutes: Vec<_> = self.0.iter().map(|choice| choice.duration).collect();
        minutes.push(own);
        minutes.sort_unstable();
        minutes.dedup();
        let (required, found) = (Minutes { minutes }, Minutes { minutes: found });
        Some(Broken::OfferedDuration { required, found })
    }
}

impl TryFrom<Vec<Choice>> for Durations {
    type Error = DurationsError;

    fn try_from(choices: Vec<Choice>) -> Result<Self, DurationsError> {
        if choices.len() > Self::MAX {
            return Err(DurationsError::TooMany);
        }
        for (at, choice) in choices.iter().enumerate() {
            if choices[..at].iter().any(|other| other.duration == choice.duration) {
                return Err(DurationsError::Twice { minutes: choice.duration.minutes() });
            }
        }
        Ok(Self(choices))
    }
}

impl From<Durations> for Vec<Choice> {
    fn from(durations: Durations) -> Self {
        durations.0
    }
}
