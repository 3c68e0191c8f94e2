//! What an entry of the waiting list is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{WaitingEvent, WaitingListJoined, WaitingPlaceOffered, Wishes};
use crate::appointment::{Appointment, AppointmentState as Held};
use crate::rights::Placed;
use crate::{AppointmentId, ClientId, ResourceIds};

/// An entry of the waiting list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitingEntry {
    /// Nobody has joined with it (yet).
    #[default]
    Unjoined,
    /// A client has, whatever became of it.
    Joined(Joined),
}

/// A client who waits, or has waited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub client_id: ClientId,
    pub wishes: Wishes,
    /// Since when.
    pub joined_at: DateTime<Utc>,
    /// What has become of it.
    pub state: EntryState,
}

/// A place that is held for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Offer {
    /// The hold: by confirming it the client takes the place.
    pub appointment_id: AppointmentId,
    #[serde(rename = "start_at")]
    pub start: DateTime<Utc>,
    /// Until when it can be taken.
    pub expires_at: DateTime<Utc>,
}

/// What has become of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryState {
    /// No place has come free that fits.
    Waiting,
    /// One has, and is held.
    Offered(Offer),
    /// It was booked.
    Taken(Offer),
    /// It was not.
    Lapsed(Offer),
    /// The client has left.
    Left,
    /// No place came free in time.
    Expired,
}

impl EntryState {
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Waiting => Status::Waiting,
            Self::Offered(_) => Status::Offered,
            Self::Taken(_) => Status::Taken,
            Self::Lapsed(_) => Status::Lapsed,
            Self::Left => Status::Left,
            Self::Expired => Status::Expired,
        }
    }

    /// The place that is, or was, offered.
    #[must_use]
    pub const fn offer(self) -> Option<Offer> {
        match self {
            Self::Offered(offer) | Self::Taken(offer) | Self::Lapsed(offer) => Some(offer),
            Self::Waiting | Self::Left | Self::Expired => None,
        }
    }
}

impl Joined {
    /// Where it lies, as far as it says so itself.
    #[must_use]
    pub fn placed(&self) -> Placed<'_> {
        let named = self.wishes.resource_ids.as_ref();
        let resource_ids = named.map(ResourceIds::as_slice).unwrap_or_default();
        Placed::Entry { client_id: self.client_id, resource_ids }
    }

    /// The state as everybody must see it at `now`, whether it has been recorded or not: an offer is
    /// what its hold is.
    #[must_use]
    pub fn seen(&self, hold: Option<&Appointment>, now: DateTime<Utc>) -> EntryState {
        match self.state {
            EntryState::Waiting if self.wishes.have_passed(now) => EntryState::Expired,
            EntryState::Offered(offer) => {
                let Some(Appointment::Made { state, .. }) = hold else {
                    return EntryState::Lapsed(offer);
                };
                match state.clone().at(now) {
                    Held::Held { .. } => EntryState::Offered(offer),
                    Held::Cancelled(_) => EntryState::Lapsed(offer),
                    Held::Booked | Held::CheckedIn | Held::Fulfilled | Held::NoShow => {
                        EntryState::Taken(offer)
                    }
                }
            }
            state => state,
        }
    }
}

impl WaitingEntry {
    /// All about it, once somebody joined with it.
    #[must_use]
    pub const fn joined(&self) -> Option<&Joined> {
        match self {
            Self::Unjoined => None,
            Self::Joined(joined) => Some(joined),
        }
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: WaitingEvent) {
        if let WaitingEvent::WaitingListJoined(joined) = event {
            let WaitingListJoined { client_id, wishes, joined_at, quota_slots: _ } = joined;
            *self =
                Self::Joined(Joined { client_id, wishes, joined_at, state: EntryState::Waiting });
        } else if let Self::Joined(joined) = self {
            joined.state = after(joined.state, &event);
        }
    }
}

fn after(state: EntryState, event: &WaitingEvent) -> EntryState {
    match (event, state.offer()) {
        (WaitingEvent::WaitingPlaceOffered(WaitingPlaceOffered { offer }), _) => {
            EntryState::Offered(*offer)
        }
        (WaitingEvent::WaitingPlaceTaken(_), Some(offer)) => EntryState::Taken(offer),
        (WaitingEvent::WaitingOfferLapsed(_), Some(offer)) => EntryState::Lapsed(offer),
        (WaitingEvent::WaitingWishesPassed(_), _) => EntryState::Expired,
        (WaitingEvent::WaitingListLeft(_), _) => EntryState::Left,
        // Nothing becomes of an offer that was never made.
        _ => state,
    }
}

/// The name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WaitingStatus"))]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Waiting,
    Offered,
    Taken,
    Lapsed,
    Left,
    Expired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Offered, Self::Taken, Self::Lapsed, Self::Left, Self::Expired];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Offered => "offered",
            Self::Taken => "taken",
            Self::Lapsed => "lapsed",
            Self::Left => "left",
            Self::Expired => "expired",
        }
    }
}

crate::words!(Status, "status", UnknownStatus);
