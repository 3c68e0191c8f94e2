//! Who holds what when: the claims that appointments make on resources.

mod index;
mod snapshot;

use chrono::{DateTime, Utc};

pub use index::ClaimIndex;
pub use snapshot::{ClaimQuery, ClaimSnapshot, Claimed};

use crate::ResourceId;
use crate::time::Interval;

/// A claim of one appointment on one place of one resource.
///
/// No two claims on the same seat of a resource may overlap; the store keeps that, in the same
/// transaction as the events, whatever any process believed when it decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub resource: ResourceId,
    /// Which of the resource's interchangeable places, from 0.
    pub seat: u16,
    /// When, buffers included.
    pub during: Interval,
    /// When the claim lapses by itself: a hold's end. `None`: it stays until it is released.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A claim that could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimConflict {
    /// The resource that is taken.
    pub resource: ResourceId,
    /// The time of the claim that it conflicts with.
    pub during: Interval,
}

impl Claim {
    /// Whether it no longer blocks anyone at `now`, recorded or not.
    #[must_use]
    pub fn has_lapsed(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// Implemented by events: what the aggregate claims once the event has happened.
pub trait Claims {
    /// All claims of the aggregate after this event. `None`: the same as before it.
    ///
    /// It depends on the event alone, so that claims can be rebuilt from the log at any time.
    fn claims_after(&self) -> Option<Vec<Claim>> {
        None
    }

    /// The same after several events: the last that says so gives the claims.
    fn after(events: &[Self]) -> Option<Vec<Claim>>
    where
        Self: Sized,
    {
        events.iter().rev().find_map(Self::claims_after)
    }
}
