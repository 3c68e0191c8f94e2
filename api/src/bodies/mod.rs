//! Bodies that several routes take, and parts of them.

pub(crate) mod booking;
pub(crate) mod overriding;

pub(crate) use booking::{BookingBody, HoldBody, PlaceBody, PlaceHoldBody, SeriesBody};

use daybook_domain::appointment::CancelledBy;

/// Who cancels where a body does not say.
pub(crate) const fn by_client() -> CancelledBy {
    CancelledBy::Client
}
