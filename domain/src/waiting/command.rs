//! What can be asked of an entry of the waiting list.

use super::{EntryLimits, Offer, Wishes};
use crate::ClientId;

/// What can be asked of an entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingCommand {
    /// Wait from now on, if there is room: for the client, and in this part of the list.
    Join { client_id: ClientId, wishes: Wishes, limits: EntryLimits, part: u16 },
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
