//! Bodies that several routes take, and parts of them.

pub(crate) mod booking;
pub(crate) mod overriding;

pub(crate) use booking::{BookingBody, HoldBody, PlaceBody, PlaceHoldBody, SeriesBody};

use daybook_domain::ResourceIds;
use daybook_domain::appointment::{CancelledBy, NewResources};

/// To which resources a move is: those that are named, or, where that is asked for, those that are chosen. `None`: it stays
/// where it is.
pub(crate) fn new_resources(named: Option<ResourceIds>, choose: bool) -> Option<NewResources> {
    named.map(NewResources::Named).or_else(|| choose.then_some(NewResources::Chosen))
}

/// Who cancels where a body does not say.
pub(crate) const fn by_client() -> CancelledBy {
    CancelledBy::Client
}
