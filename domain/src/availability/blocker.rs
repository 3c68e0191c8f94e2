//! Why a moment is not offered.

use chrono::{DateTime, Utc};

use super::{Calendar, SlotQuery};
use crate::ResourceId;
use crate::service::rules::{Broken, Proposal};
use crate::time::Interval;

/// Something that keeps an appointment from starting at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocker {
    /// The moment has passed.
    InThePast,
    /// A rule of the service.
    Rule(Broken),
    /// The resource is not open for all of it.
    Closed { resource: ResourceId },
    /// Every place of the resource is claimed for some of it, buffers included.
    Claimed {
        resource: ResourceId,
        /// The claim that ends first of those that conflict.
        during: Interval,
    },
}

impl Calendar<'_> {
    /// Everything that keeps the appointment from starting at `start` on this resource;
    /// nothing: it is offered, if the query covers that time.
    #[must_use]
    pub fn blockers(&self, start: DateTime<Utc>, query: &SlotQuery<'_>) -> Vec<Blocker> {
        let during = Interval::lasting(start, query.length);
        let zones = [self.zone];
        let proposal = Proposal { during, now: query.now, zones: &zones };
        let past = (start < query.now).then_some(Blocker::InThePast);
        let mut all: Vec<Blocker> = past.into_iter().collect();
        all.extend(query.rules.broken_by(&proposal).map(Blocker::Rule));
        if !self.hours.cover(self.zone, &during) {
            all.push(Blocker::Closed { resource: self.resource });
        }
        let claim = during.widened(query.buffer_before.delta(), query.buffer_after.delta());
        all.extend(self.conflicting(&claim));
        all
    }

    /// The claim that ends first, if no place is free for all of `query`.
    fn conflicting(&self, query: &Interval) -> Option<Blocker> {
        let conflicting = || self.claims.iter().filter(|claim| claim.during.overlaps(query));
        let free = |place: u16| conflicting().all(|claim| claim.seat != place);
        if (0..self.places).any(free) {
            return None;
        }
        let first = conflicting().min_by_key(|claim| claim.during.end())?;
        Some(Blocker::Claimed { resource: self.resource, during: first.during })
    }
}
