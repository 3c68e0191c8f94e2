//! Who holds what when: the claims that appointments make on resources.

mod index;
pub mod reference;
mod snapshot;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use index::ClaimIndex;
pub use snapshot::{ClaimQuery, ClaimSnapshot, Claimed};

use crate::time::Interval;
use crate::{AppointmentId, ResourceId};

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
    /// What has the reference, where it is one that is taken.
    pub reference_of: Option<Uuid>,
}

impl From<&Claimed> for ClaimConflict {
    fn from(claimed: &Claimed) -> Self {
        let Claim { resource, during, .. } = claimed.claim;
        Self { resource, during, reference_of: reference::thing(claimed) }
    }
}

impl Claim {
    /// Whether it no longer blocks anyone at `now`, recorded or not.
    #[must_use]
    pub fn has_lapsed(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// By which name something is claimed, and all that is.
pub type Held = (AppointmentId, Vec<Claim>);

/// Implemented by events: what the aggregate claims once the event has happened.
pub trait Claims {
    /// All claims of the aggregate after this event. `None`: the same as before it.
    ///
    /// It depends on the event alone, so that claims can be rebuilt from the log at any time.
    fn claims_after(&self) -> Option<Vec<Claim>> {
        None
    }

    /// What it claims as its reference once the event has happened. `None`: the same as before it.
    fn reference_after(&self) -> Option<Vec<Claim>> {
        None
    }

    /// Both, of the aggregate with this id, by the name that each is held by. What is not named is as before.
    fn held_after(&self, id: Uuid) -> Vec<Held> {
        let time = self.claims_after().map(|claims| (id.into(), claims));
        let reference = self.reference_after().map(|claims| (reference::holder(id), claims));
        time.into_iter().chain(reference).collect()
    }

    /// The same after several events: the last that says so gives the claims.
    fn held_after_all(events: &[Self], id: Uuid) -> Vec<Held>
    where
        Self: Sized,
    {
        let mut held: Vec<Held> = Vec::new();
        for (holder, claims) in events.iter().rev().flat_map(|event| event.held_after(id)) {
            if held.iter().all(|(other, _)| *other != holder) {
                held.push((holder, claims));
            }
        }
        held
    }
}
