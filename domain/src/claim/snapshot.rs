//! What is claimed, as a decision that has a choice sees it.
//!
//! It is a snapshot: it may be stale when the decision is appended, and then the claims conflict,
//! which are taken under the log's lock. A decision that lost is made again on a new snapshot.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Claim, ClaimConflict};
use crate::time::Interval;
use crate::{AppointmentId, ResourceId};

/// A resource and a time range whose claims a decision has to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimQuery {
    pub resource: ResourceId,
    pub during: Interval,
}

/// A claim, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    pub claim: Claim,
    /// By which appointment.
    pub holder: AppointmentId,
}

/// What is claimed of the resources that were queried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimSnapshot(HashMap<ResourceId, Vec<Claimed>>);

impl ClaimSnapshot {
    /// These claims, without those that have lapsed at `now`.
    pub fn at(now: DateTime<Utc>, claims: impl IntoIterator<Item = Claimed>) -> Self {
        let mut by_resource: HashMap<ResourceId, Vec<Claimed>> = HashMap::new();
        for claimed in claims.into_iter().filter(|claimed| !claimed.claim.has_lapsed(now)) {
            by_resource.entry(claimed.claim.resource).or_default().push(claimed);
        }
        Self(by_resource)
    }

    /// Also what an appointment is about to claim.
    pub fn add(&mut self, holder: AppointmentId, claims: &[Claim]) {
        for claim in claims {
            self.0.entry(claim.resource).or_default().push(Claimed { claim: *claim, holder });
        }
    }

    /// Only what these holders claim.
    pub fn retain(&mut self, keep: impl Fn(AppointmentId) -> bool) {
        for claims in self.0.values_mut() {
            claims.retain(|claimed| keep(claimed.holder));
        }
    }

    /// The claim of another that keeps this one from being had.
    #[must_use]
    pub fn conflict_with(&self, claim: &Claim) -> Option<ClaimConflict> {
        let mut others = self.conflicting(claim.resource, &claim.during);
        let other = others.find(|other| other.claim.seat == claim.seat)?;
        Some(ClaimConflict::from(other))
    }

    /// The places, of so many, that nobody has at any time of `during`.
    ///
    /// A place must be free for all of it. Appointments of unequal lengths can so lie that at each
    /// moment some place is free, but none is all the time; nobody is asked to change places.
    #[must_use]
    pub fn free_seats(&self, resource: ResourceId, places: u16, during: &Interval) -> Vec<u16> {
        let mut free = vec![true; places.into()];
        for claimed in self.conflicting(resource, during) {
            // Where there were more places once, some have higher numbers.
            if let Some(free) = free.get_mut(usize::from(claimed.claim.seat)) {
                *free = false;
            }
        }
        (0..places).zip(free).filter_map(|(seat, free)| free.then_some(seat)).collect()
    }

    /// What conflicts with `during` and ends first; `None`: nothing does.
    #[must_use]
    pub fn ends_first(&self, resource: ResourceId, during: &Interval) -> Option<ClaimConflict> {
        let first =
            self.conflicting(resource, during).min_by_key(|each| each.claim.during.end())?;
        Some(ClaimConflict::from(first))
    }

    /// How much of a time is claimed, of all places together.
    #[must_use]
    pub fn claimed_within(&self, resource: ResourceId, time: &Interval) -> TimeDelta {
        let within = |claimed: &Claimed| {
            let during = claimed.claim.during;
            during.end().min(time.end()) - during.start().max(time.start())
        };
        self.conflicting(resource, time).map(within).sum()
    }

    /// The appointment that was made last of those in this time. Ids sort by when they were made.
    #[must_use]
    pub fn last_given(&self, resource: ResourceId, time: &Interval) -> Option<AppointmentId> {
        self.conflicting(resource, time).map(|claimed| claimed.holder).max()
    }

    /// What is claimed of a resource, and by whom.
    #[must_use]
    pub fn of(&self, resource: ResourceId) -> &[Claimed] {
        self.0.get(&resource).map_or(&[], Vec::as_slice)
    }

    fn conflicting(
        &self,
        resource: ResourceId,
        during: &Interval,
    ) -> impl Iterator<Item = &Claimed> {
        self.of(resource).iter().filter(|claimed| claimed.claim.during.overlaps(during))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn minute(m: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(m)
    }

    fn interval(from: i64, to: i64) -> Interval {
        Interval::new(minute(from), minute(to)).unwrap()
    }

    fn resource() -> ResourceId {
        Uuid::from_u128(1).into()
    }

    fn claimed(holder: u128, seat: u16, from: i64, to: i64) -> Claimed {
        let during = interval(from, to);
        let claim = Claim { resource: resource(), seat, during, expires_at: None };
        Claimed { claim, holder: Uuid::from_u128(holder).into() }
    }

    #[test]
    fn a_place_is_free_when_nobody_has_it_at_any_time() {
        let claims = ClaimSnapshot::at(minute(0), [claimed(1, 0, 0, 30), claimed(2, 2, 20, 50)]);
        let free = |from, to| claims.free_seats(resource(), 3, &interval(from, to));
        assert_eq!(free(0, 20), [1, 2]);
        assert_eq!(free(0, 21), [1]);
        assert_eq!(free(30, 40), [0, 1]);
        assert_eq!(free(50, 60), [0, 1, 2]);
    }

    #[test]
    fn places_that_a_resource_no_longer_has_are_not_conflicting() {
        let claims = ClaimSnapshot::at(minute(0), [claimed(1, 7, 0, 30)]);
        assert_eq!(claims.free_seats(resource(), 1, &interval(0, 30)), [0]);
    }

    #[test]
    fn a_lapsed_hold_is_not_conflicting() {
        let mut hold = claimed(1, 0, 60, 90);
        hold.claim.expires_at = Some(minute(10));
        assert!(
            ClaimSnapshot::at(minute(9), [hold])
                .ends_first(resource(), &interval(60, 90))
                .is_some()
        );
        assert_eq!(ClaimSnapshot::at(minute(10), [hold]), ClaimSnapshot::default());
    }

    #[test]
    fn what_is_claimed_of_a_day_is_only_what_lies_in_it() {
        let claims = ClaimSnapshot::at(minute(0), [claimed(1, 0, 0, 30), claimed(2, 1, 90, 130)]);
        let day = interval(10, 100);
        assert_eq!(claims.claimed_within(resource(), &day), TimeDelta::minutes(30));
        assert_eq!(claims.last_given(resource(), &day), Some(Uuid::from_u128(2).into()));
        assert_eq!(claims.last_given(resource(), &interval(200, 300)), None);
    }

    proptest! {
        /// Against a model that goes minute by minute: a place is found exactly when there is one
        /// that is free all the time, and never do more have the resource than it has places.
        #[test]
        fn a_place_is_found_exactly_when_one_is_free_throughout(
            places in 1u16..5,
            wishes in prop::collection::vec((0i64..200, 1i64..60), 1..60),
        ) {
            let mut taken: Vec<Claimed> = Vec::new();
            let mut minutes = vec![vec![false; 300]; places.into()];
            for (n, (from, length)) in (1u128..).zip(wishes) {
                let during = interval(from, from + length);
                let span = usize::try_from(from).unwrap()..usize::try_from(from + length).unwrap();
                let model: Vec<u16> = (0..places)
                    .filter(|seat| !minutes[usize::from(*seat)][span.clone()].contains(&true))
                    .collect();
                let free = ClaimSnapshot::at(minute(0), taken.clone()).free_seats(resource(), places, &during);
                prop_assert_eq!(&free, &model);
                if let Some(seat) = free.first() {
                    taken.push(claimed(n, *seat, from, from + length));
                    minutes[usize::from(*seat)][span].fill(true);
                }
            }
            for m in 0..260 {
                let now = interval(m, m + 1);
                let at_once = taken.iter().filter(|each| each.claim.during.overlaps(&now)).count();
                prop_assert!(at_once <= usize::from(places));
            }
        }
    }
}
