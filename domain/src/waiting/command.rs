//! What can be asked of an entry of the waiting list.

use super::{Offer, Wishes};
use crate::ClientId;
use crate::service::{ClientEntryLimit, EntryLimit};

/// How many entries are open, and how many can be. Whoever counts may not have seen those that are joining at this
/// moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// How many the client has.
    pub of_client: u64,
    pub per_client: ClientEntryLimit,
    /// How many there are of all clients.
    pub of_all: u64,
    pub in_all: EntryLimit,
}

/// What can be asked of an entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingCommand {
    /// Wait from now on, if there is room.
    Join { client_id: ClientId, wishes: Wishes, room: Room },
    /// Offer a place that is held for the client.
    OfferPlace(Offer),
    /// Record that the place was booked.
    TakePlace,
    /// Record that the place was not taken.
    LapseOffer,
    /// Record that all days that were wished for have passed.
    PassWishes,
    /// Wait no longer.
    Leave,
}
