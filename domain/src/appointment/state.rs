//! What an appointment is.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AppointmentCancelled, AppointmentEvent, AppointmentHeld, CancelledBy, Details, Excused,
    Overridden,
};
use crate::Reason;

/// An appointment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "every appointment is made; a box costs all of them")]
pub enum Appointment {
    /// Neither held nor booked (yet).
    #[default]
    Unmade,
    /// Held or booked once, whatever became of it.
    Made {
        /// All about it but its status.
        details: Details,
        /// What became of it.
        state: State,
        /// The conflicts with its resources that somebody stands by.
        excused: Excused,
    },
}

/// What became of an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// The time is kept free until then.
    Held {
        /// When the hold lapses by itself.
        expires_at: DateTime<Utc>,
    },
    /// It will take place.
    Booked,
    /// The client is here.
    CheckedIn,
    /// The service was provided.
    Fulfilled,
    /// It was called off, or its hold lapsed.
    Cancelled(Cancellation),
    /// The client did not come.
    NoShow,
}

/// Who called it off, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why, in the words of who cancelled.
    pub reason: Option<Reason>,
    /// On whose side.
    pub by: CancelledBy,
    /// Why it was cancelled although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// The name of a state, in FHIR's words where they fit (`AppointmentStatus`, R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is documented by its `State`")]
pub enum Status {
    Held,
    Booked,
    CheckedIn,
    Fulfilled,
    Cancelled,
    NoShow,
}

impl Status {
    /// Every status, in the order an appointment goes through them.
    pub const ALL: [Self; 6] =
        [Self::Held, Self::Booked, Self::CheckedIn, Self::Fulfilled, Self::Cancelled, Self::NoShow];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Booked => "booked",
            Self::CheckedIn => "checked-in",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no-show",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no status {0:?}: held, booked, checked-in, fulfilled, cancelled or no-show")]
pub struct UnknownStatus(String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let named = Self::ALL.into_iter().find(|status| status.as_str() == text);
        named.ok_or_else(|| UnknownStatus(text.chars().take(40).collect()))
    }
}

impl State {
    /// Its name.
    #[must_use]
    pub const fn status(&self) -> Status {
        match self {
            Self::Held { .. } => Status::Held,
            Self::Booked => Status::Booked,
            Self::CheckedIn => Status::CheckedIn,
            Self::Fulfilled => Status::Fulfilled,
            Self::Cancelled(_) => Status::Cancelled,
            Self::NoShow => Status::NoShow,
        }
    }
}

impl State {
    /// The state as everybody must see it at `now`: a hold that has lapsed is cancelled, whether
    /// that has been recorded or not.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Held { expires_at } if expires_at <= now => Self::lapsed(),
            other => other,
        }
    }

    /// Until when it is held, where it is.
    pub(super) const fn hold_expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Held { expires_at } => Some(*expires_at),
            _ => None,
        }
    }

    const fn lapsed() -> Self {
        Self::Cancelled(Cancellation { reason: None, by: CancelledBy::System, overridden: None })
    }
}

impl Appointment {
    /// All about it but its status, once it was made.
    #[must_use]
    pub const fn details(&self) -> Option<&Details> {
        match self {
            Self::Made { details, .. } => Some(details),
            Self::Unmade => None,
        }
    }

    /// The conflicts with its resources that somebody stands by, once it was made.
    #[must_use]
    pub const fn excused(&self) -> Option<&Excused> {
        match self {
            Self::Made { excused, .. } => Some(excused),
            Self::Unmade => None,
        }
    }

    /// Takes note of what happened. It has no rules: what is in the log has happened.
    pub fn evolve(&mut self, event: AppointmentEvent) {
        let mut excused = self.excused().cloned().unwrap_or_default();
        excused.evolve(&event);
        match (event, self) {
            (AppointmentEvent::AppointmentBooked(details), this) => {
                *this = Self::Made { details, state: State::Booked, excused };
            }
            (AppointmentEvent::AppointmentHeld(AppointmentHeld { details, expires_at }), this) => {
                *this = Self::Made { details, state: State::Held { expires_at }, excused };
            }
            (event, Self::Made { details, state, excused: so_far }) => {
                *so_far = excused;
                change(details, state, event);
            }
            // Nothing can happen to what was never made; `verify` reports such a log.
            (_, Self::Unmade) => {}
        }
    }
}

fn change(details: &mut Details, state: &mut State, event: AppointmentEvent) {
    match event {
        AppointmentEvent::AppointmentBooked(_)
        | AppointmentEvent::AppointmentHeld(_)
        | AppointmentEvent::AppointmentConflictAccepted(_) => {}
        AppointmentEvent::AppointmentConfirmed(confirmed) => {
            details.slot = confirmed.slot;
            *state = State::Booked;
        }
        AppointmentEvent::AppointmentRescheduled(moved) => {
            details.slot = moved.slot;
            details.overridden = moved.overridden;
        }
        AppointmentEvent::AppointmentReassigned(other) => {
            details.slot = other.slot;
            let overridden = details.overridden.take();
            details.overridden = overridden.map(|it| it.without(other.from, &details.slot));
        }
        AppointmentEvent::AppointmentCancelled(cancelled) => {
            let AppointmentCancelled { reason, by, overridden } = cancelled;
            *state = State::Cancelled(Cancellation { reason, by, overridden });
        }
        AppointmentEvent::AppointmentHoldExpired(_) => *state = State::lapsed(),
        AppointmentEvent::AppointmentCheckedIn(_) => *state = State::CheckedIn,
        AppointmentEvent::AppointmentCompleted(_) => *state = State::Fulfilled,
        AppointmentEvent::AppointmentMarkedNoShow(_) => *state = State::NoShow,
        AppointmentEvent::AppointmentTagged(tagged) => {
            details.category = tagged.category;
            details.tags = tagged.tags;
        }
    }
}
