//! What happens to entries of the waiting list.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Offer, Wishes};
use crate::claim::{Claim, Claims};
use crate::{ClientId, QuotaSlot};

/// A client waits. Where this is in the log is their turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingListJoined {
    pub client_id: ClientId,
    pub wishes: Wishes,
    /// Since when.
    pub joined_at: DateTime<Utc>,
    /// Its slots of the limits that it counts towards, while it is open. Who joined before they were kept has none.
    #[serde(rename = "counted", default, skip_serializing_if = "Vec::is_empty")]
    pub quota_slots: Vec<QuotaSlot>,
}

/// A place is held for the client, and is theirs if they confirm it in time. What notifies clients
/// does so by this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingPlaceOffered {
    /// What is offered.
    #[serde(flatten)]
    pub offer: Offer,
}

/// The client booked the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingPlaceTaken {}

/// The client did not confirm the place in time, or gave it back. They wait no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingOfferLapsed {}

/// All days that were wished for have passed without a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingWishesPassed {}

/// The client waits no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitingListLeft {}

/// Everything that happens to an entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum WaitingEvent {
    WaitingListJoined(WaitingListJoined),
    WaitingPlaceOffered(WaitingPlaceOffered),
    WaitingPlaceTaken(WaitingPlaceTaken),
    WaitingOfferLapsed(WaitingOfferLapsed),
    WaitingWishesPassed(WaitingWishesPassed),
    WaitingListLeft(WaitingListLeft),
}

crate::event_types!(WaitingEvent:
    creating WaitingListJoined = "2.0";
    then WaitingPlaceOffered = "2.0", WaitingPlaceTaken, WaitingOfferLapsed, WaitingWishesPassed,
        WaitingListLeft
);

/// An entry has its slots until it is closed. What is offered is claimed by its hold.
impl Claims for WaitingEvent {
    fn claims_after(&self) -> Option<Vec<Claim>> {
        match self {
            Self::WaitingListJoined(joined) => {
                Some(joined.quota_slots.iter().map(|taken| taken.claim(None)).collect())
            }
            Self::WaitingPlaceOffered(_) => None,
            Self::WaitingPlaceTaken(_)
            | Self::WaitingOfferLapsed(_)
            | Self::WaitingWishesPassed(_)
            | Self::WaitingListLeft(_) => Some(Vec::new()),
        }
    }
}
