//! What can be asked of an entry of the waiting list.

use super::{Offer, Wishes};
use crate::ClientId;

/// What can be asked of an entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingCommand {
    /// Wait from now on.
    Join { client_id: ClientId, wishes: Wishes },
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
