//! What can be told of an appointment, and what is to be told next.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Location;
use crate::appointment::{Appointment, AppointmentState};

/// Where an appointment stands, as far as its client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Held,
    Booked,
    Cancelled,
}

/// All that a client is told of an appointment which can change: what is the same is not told anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Told {
    pub standing: Standing,
    #[serde(rename = "start_at")]
    pub start: DateTime<Utc>,
    #[serde(rename = "end_at")]
    pub end: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Until when it is held, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_expires_at: Option<DateTime<Utc>>,
}

/// Of what kind a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "KindOfNotice"))]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A place is held for a client who has waited.
    Offer,
    /// It is booked.
    Confirmation,
    /// It is at another time or place.
    Change,
    /// It is cancelled.
    Cancellation,
}

impl What {
    pub const ALL: [Self; 4] = [Self::Offer, Self::Confirmation, Self::Change, Self::Cancellation];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Confirmation => "confirmation",
            Self::Change => "change",
            Self::Cancellation => "cancellation",
        }
    }
}

crate::words!(What, "kind of notice", UnknownWhat);

impl Told {
    /// Of an appointment as it is; `None`: nothing of it is told, or nothing new, for the client was there or was not.
    #[must_use]
    pub fn of(appointment: &Appointment) -> Option<Self> {
        let (details, state) = (appointment.details()?, appointment.state()?);
        let (standing, hold_expires_at) = match state {
            AppointmentState::Held { expires_at } => (Standing::Held, Some(*expires_at)),
            AppointmentState::Booked => (Standing::Booked, None),
            AppointmentState::Cancelled(_) => (Standing::Cancelled, None),
            AppointmentState::CheckedIn
            | AppointmentState::Fulfilled
            | AppointmentState::NoShow => return None,
        };
        let during = details.slot.during;
        details.notices.then(|| Self {
            standing,
            start: during.start(),
            end: during.end(),
            location: details.location.clone(),
            hold_expires_at,
        })
    }

    /// Until when it is of use to be told.
    #[must_use]
    pub fn until(&self) -> DateTime<Utc> {
        self.hold_expires_at.unwrap_or(self.start)
    }

    /// The number of the revision (SEQUENCE of RFC 5545) after this, where it was `sequence` before `after`: it rises with
    /// whatever is told of what was booked. `None`: it was never booked.
    #[must_use]
    pub fn revision(before: Option<&Self>, sequence: Option<u32>, after: &Self) -> Option<u32> {
        match (sequence, after.standing) {
            (None, Standing::Booked) => Some(0),
            (None, Standing::Held | Standing::Cancelled) => None,
            (Some(sequence), _) if before == Some(after) => Some(sequence),
            (Some(sequence), _) => Some(sequence.saturating_add(1)),
        }
    }
}

/// What a client is to be told who was told that last, and of what is so at present. A hold is told only where it is offered;
/// what they were never told of is not taken back.
#[must_use]
pub fn due(last: Option<&Told>, present: &Told, is_offered: bool) -> Option<What> {
    let before = last.map(|last| last.standing);
    match present.standing {
        _ if last == Some(present) => None,
        Standing::Held => (is_offered && before.is_none()).then_some(What::Offer),
        Standing::Booked if before == Some(Standing::Booked) => Some(What::Change),
        Standing::Booked => Some(What::Confirmation),
        Standing::Cancelled => (before == Some(Standing::Booked)).then_some(What::Cancellation),
    }
}
