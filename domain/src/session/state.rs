//! What a session is.

use serde::{Deserialize, Serialize};

use super::{SessionCancelled, SessionEvent, SessionRescheduled, SessionScheduled};
use crate::appointment::Slot;
use crate::personal::stored_option;
use crate::{Personal, Reason};

/// A session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "every session is made; a box costs all of them")]
pub enum Session {
    /// Not scheduled (yet).
    #[default]
    Unmade,
    /// Scheduled once, whatever became of it.
    Made {
        /// All about it but its status.
        plan: SessionScheduled,
        /// What became of it.
        status: SessionStatus,
        /// Why it was cancelled, where it was and that was said.
        #[serde(default, deserialize_with = "stored_option")]
        reason: Option<Personal<Reason>>,
    },
}

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionStatus {
    /// It will take place, or did.
    Scheduled,
    /// It was cancelled.
    Cancelled,
}

impl SessionStatus {
    pub const ALL: [Self; 2] = [Self::Scheduled, Self::Cancelled];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Cancelled => "cancelled",
        }
    }
}

crate::words!(SessionStatus, "status of a session", UnknownSessionStatus);

impl Session {
    /// All about it but its status, once it was scheduled.
    #[must_use]
    pub const fn plan(&self) -> Option<&SessionScheduled> {
        match self {
            Self::Made { plan, .. } => Some(plan),
            Self::Unmade => None,
        }
    }

    /// The slot whose time, without buffers, counts as booked time of its resources: until it is
    /// cancelled, whether anybody has a place in it or not.
    #[must_use]
    pub const fn booked_slot(&self) -> Option<&Slot> {
        match self {
            Self::Made { plan, status: SessionStatus::Scheduled, .. } => Some(&plan.slot),
            _ => None,
        }
    }

    /// Takes note of what happened. It has no rules: what is in the log has happened.
    pub fn evolve(&mut self, event: SessionEvent) {
        match (event, self) {
            (SessionEvent::SessionScheduled(plan), this) => {
                *this = Self::Made { plan, status: SessionStatus::Scheduled, reason: None };
            }
            (SessionEvent::SessionRescheduled(moved), Self::Made { plan, .. }) => {
                let SessionRescheduled { slot, places_during, time_zone, closed: _, overridden } =
                    moved;
                plan.slot = slot;
                plan.places_during = places_during;
                plan.time_zone = time_zone;
                plan.overridden = overridden;
            }
            (SessionEvent::SessionCancelled(cancelled), Self::Made { status, reason, .. }) => {
                let SessionCancelled { reason: why, closed: _ } = cancelled;
                *status = SessionStatus::Cancelled;
                *reason = why;
            }
            // Nothing can happen to what was never made; `verify` reports such a log.
            (_, Self::Unmade) => {}
        }
    }
}
