//! What an appointment is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AppointmentCancelled, AppointmentConfirmed, AppointmentEvent, AppointmentHeld, CancelledBy,
    Details, Excused, Overridden, Slot,
};
use crate::personal::stored_option;
use crate::service::rules::Rule;
use crate::{Personal, Reason};

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
        state: AppointmentState,
        /// The conflicts with its resources that are excused.
        excused: Excused,
    },
}

/// What became of an appointment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AppointmentState {
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
    /// It was cancelled, or its hold lapsed.
    Cancelled(Cancellation),
    /// The client did not come.
    NoShow,
}

/// Who cancelled it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Why, in the words of who cancelled.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
    pub by: CancelledBy,
    /// Why it was cancelled although rules were against it, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

impl Cancellation {
    /// Whether the client's side cancelled although the window for that had closed.
    #[must_use]
    pub fn is_late(&self) -> bool {
        let rules = self.overridden.as_ref().map(|overridden| &overridden.rules);
        rules.is_some_and(|rules| rules.contains(&Rule::CancellationWindow))
    }
}

/// The name of a state, in FHIR's words where they fit (`AppointmentStatus`, R5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
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

crate::words!(Status, "status", UnknownStatus);

impl AppointmentState {
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

impl AppointmentState {
    /// The state as everybody must see it at `now`: a hold that has lapsed is cancelled, whether
    /// that has been recorded or not.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Held { expires_at } if expires_at <= now => Self::lapsed(),
            other => other,
        }
    }

    /// Whether it is or was booked, and not cancelled since.
    const fn is_booked(&self) -> bool {
        match self {
            Self::Booked | Self::CheckedIn | Self::Fulfilled | Self::NoShow => true,
            Self::Held { .. } | Self::Cancelled(_) => false,
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

    /// The conflicts with its resources that are excused, once it was made.
    #[must_use]
    pub const fn excused(&self) -> Option<&Excused> {
        match self {
            Self::Made { excused, .. } => Some(excused),
            Self::Unmade => None,
        }
    }

    /// What became of it, once it was made.
    #[must_use]
    pub const fn state(&self) -> Option<&AppointmentState> {
        match self {
            Self::Made { state, .. } => Some(state),
            Self::Unmade => None,
        }
    }

    /// Its status as recorded: a hold that has lapsed unrecorded is still held. See [`AppointmentState::at`].
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.state().map(AppointmentState::status)
    }

    /// When and on which resources it is, or was to be.
    #[must_use]
    pub fn slot(&self) -> Option<&Slot> {
        self.details().map(|details| &details.slot)
    }

    /// Until when it is held, while it is.
    #[must_use]
    pub fn hold_expires_at(&self) -> Option<DateTime<Utc>> {
        self.state().and_then(AppointmentState::hold_expires_at)
    }

    /// Who cancelled it and why, if it is cancelled.
    #[must_use]
    pub const fn cancellation(&self) -> Option<&Cancellation> {
        match self {
            Self::Made { state: AppointmentState::Cancelled(cancellation), .. } => {
                Some(cancellation)
            }
            _ => None,
        }
    }

    /// The slot whose time, without buffers, counts as booked time of its resources. A no-show's
    /// does: it was kept free for the client. A hold's does not, nor a cancelled appointment's, nor
    /// that of a place in a session: the session has the resources; nor that of one that takes none.
    #[must_use]
    pub fn booked_slot(&self) -> Option<&Slot> {
        match self {
            Self::Made { details, state, .. } if state.is_booked() => {
                Some(&details.slot).filter(|slot| slot.session_id.is_none() && !slot.transparent)
            }
            _ => None,
        }
    }

    /// Takes note of what happened. It has no rules: what is in the log has happened.
    pub fn evolve(&mut self, event: AppointmentEvent) {
        match (event, self) {
            (AppointmentEvent::AppointmentBooked(details), this) => {
                *this = Self::made(details, AppointmentState::Booked);
            }
            (AppointmentEvent::AppointmentHeld(AppointmentHeld { details, expires_at }), this) => {
                *this = Self::made(details, AppointmentState::Held { expires_at });
            }
            (event, Self::Made { details, state, excused }) => {
                excused.evolve(&event);
                change(details, state, event);
            }
            // Nothing can happen to what was never made; `verify` reports such a log.
            (_, Self::Unmade) => {}
        }
    }

    fn made(details: Details, state: AppointmentState) -> Self {
        let excused = Excused::by_override_of(&details);
        Self::Made { details, state, excused }
    }
}

fn change(details: &mut Details, state: &mut AppointmentState, event: AppointmentEvent) {
    match event {
        AppointmentEvent::AppointmentBooked(_)
        | AppointmentEvent::AppointmentHeld(_)
        | AppointmentEvent::AppointmentConflictAccepted(_) => {}
        AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot }) => {
            details.slot = slot;
            *state = AppointmentState::Booked;
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
            *state = AppointmentState::Cancelled(Cancellation { reason, by, overridden });
        }
        AppointmentEvent::AppointmentHoldExpired(_) => *state = AppointmentState::lapsed(),
        AppointmentEvent::AppointmentCheckedIn(_) => *state = AppointmentState::CheckedIn,
        AppointmentEvent::AppointmentCompleted(_) => *state = AppointmentState::Fulfilled,
        AppointmentEvent::AppointmentMarkedNoShow(_) => *state = AppointmentState::NoShow,
        AppointmentEvent::AppointmentTagged(tagged) => {
            details.category = tagged.category;
            details.tags = tagged.tags;
        }
        AppointmentEvent::AppointmentDescribed(described) => {
            details.title = described.title;
            details.note = described.note;
            details.private = described.private;
            details.location = described.location;
            details.reference = described.reference;
            details.metadata = described.metadata;
        }
    }
}
