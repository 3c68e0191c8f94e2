//! Why a moment is not offered.

use chrono::{DateTime, Utc};

use super::{Calendar, Wanted};
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
    Closed {
        /// Which resource.
        resource: ResourceId,
    },
    /// Every place of the resource is claimed for some of it, buffers included.
    Claimed {
        /// Which resource.
        resource: ResourceId,
        /// The claim that ends first of those in the way.
        during: Interval,
    },
}

impl Calendar<'_> {
    /// Everything that keeps the wanted appointment from starting at `start` on this resource;
    /// nothing: it is offered, if it is looked for at that time.
    #[must_use]
    pub fn blockers(&self, start: DateTime<Utc>, wanted: &Wanted<'_>) -> Vec<Blocker> {
        let during = Interval::lasting(start, wanted.length);
        let zones = [self.zone];
        let proposal = Proposal { during, now: wanted.now, zones: &zones };
        let past = (start < wanted.now).then_some(Blocker::InThePast);
        let mut all: Vec<Blocker> = past.into_iter().collect();
        all.extend(wanted.rules.broken_by(&proposal).map(Blocker::Rule));
        if !self.hours.cover(self.zone, &during) {
            all.push(Blocker::Closed { resource: self.resource });
        }
        let claim = during.widened(wanted.buffer_before.delta(), wanted.buffer_after.delta());
        all.extend(self.in_the_way(&claim));
        all
    }

    /// The claim that ends first, if no place is free for all of `wanted`.
    fn in_the_way(&self, wanted: &Interval) -> Option<Blocker> {
        let in_the_way = || self.claims.iter().filter(|claim| claim.during.overlaps(wanted));
        let free = |place: u16| in_the_way().all(|claim| claim.seat != place);
        if (0..self.places).any(free) {
            return None;
        }
        let first = in_the_way().min_by_key(|claim| claim.during.end())?;
        Some(Blocker::Claimed { resource: self.resource, during: first.during })
    }
}
