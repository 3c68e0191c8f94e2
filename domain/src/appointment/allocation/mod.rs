//! Where an appointment comes to be: on which resources, on which places of them, and on which
//! numbered places of the limits that it counts towards.
//!
//! First it is worked out what is fixed and what is left to choose ([`Allocation`]); where anything is,
//! the claims are queried; then it is chosen ([`Allocation::allocate`]). The snapshot may be stale.
//! The claims decide, and a decision that loses is made again.

mod order;
mod quotas;
mod roles;
mod rule_check;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::{AppointmentRefusal, Copied, Seats, Slot, Takes};
use crate::claim::{ClaimQuery, ClaimSnapshot};
use crate::resource::{Capacity, Resource, ResourceProfile};
use crate::service::ServiceTerms;
use crate::time::{Buffer, Interval, date_in};
use crate::{Facts, QuotaSlot, ResourceId, ResourceIds};
pub(super) use quotas::Quota;
pub(crate) use roles::Needed;
use roles::Slots;
pub(super) use roles::fits_in;
pub(super) use rule_check::RuleCheck;

/// How many candidates one role has: the first in its order.
const MAX_CANDIDATES: usize = 1_000;

/// A resource that is open for all of the time.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    id: ResourceId,
    profile: &'a ResourceProfile,
}

impl Candidate<'_> {
    /// The local date of an instant.
    fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        date_in(self.profile.time_zone, at)
    }
}

/// When an appointment is, with the time that is kept free around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) during: Interval,
    pub(super) buffer_before: Buffer,
    pub(super) buffer_after: Buffer,
    takes: Takes,
}

impl Span {
    /// With the buffers of a service.
    pub(crate) fn of(terms: &ServiceTerms, during: Interval) -> Self {
        let ServiceTerms { buffer_before, buffer_after, .. } = *terms;
        Self { during, buffer_before, buffer_after, takes: Takes::Place }
    }

    /// It takes the time of its resources so.
    pub(super) fn taking(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    /// As long as it was, with the buffers that it had.
    pub(crate) fn moved(slot: &Slot, start: DateTime<Utc>) -> Self {
        let Slot { buffer_before, buffer_after, transparent, .. } = *slot;
        let takes = if transparent { Takes::Nothing } else { Takes::Place };
        Self { during: slot.during.moved_to(start), buffer_before, buffer_after, takes }
    }

    /// At another time, and of another length, with the buffers that it had.
    pub(super) fn copied(slot: &Slot, copied: Copied) -> Self {
        let Slot { buffer_before, buffer_after, .. } = *slot;
        let Copied { during, takes } = copied;
        Self { during, buffer_before, buffer_after, takes }
    }

    pub(crate) fn slot(self, allocated: Allocated) -> Slot {
        let Self { during, buffer_before, buffer_after, takes } = self;
        let Allocated { resource_ids, seats, quota_slots, zones: _ } = allocated;
        Slot {
            resource_ids,
            during,
            buffer_before,
            buffer_after,
            seats,
            quota_slots,
            session_id: None,
            transparent: takes == Takes::Nothing,
        }
    }

    fn claimed(&self) -> Interval {
        self.during.widened(self.buffer_before.delta(), self.buffer_after.delta())
    }
}

/// What is fixed about where an appointment comes to be, and what is left to choose.
#[derive(Debug)]
pub(crate) struct Allocation<'a> {
    span: Span,
    /// The resources that were named, in that order.
    named: Vec<Candidate<'a>>,
    slots: Slots<'a>,
    quotas: Vec<Quota>,
}

/// Where it came to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Allocated {
    pub(super) resource_ids: ResourceIds,
    pub(super) seats: Seats,
    pub(super) quota_slots: Vec<QuotaSlot>,
    /// The zones of its resources.
    pub(crate) zones: Vec<Tz>,
}

impl<'a> Allocation<'a> {
    /// On the resources that were named, which are in the facts, and on others as `needed` says.
    ///
    /// # Errors
    /// When a resource is not there, or cannot be what it is needed for.
    pub(crate) fn new(
        span: Span,
        needed: Option<Needed<'a>>,
        facts: &'a Facts,
    ) -> Result<Self, AppointmentRefusal> {
        let named = named(facts)?;
        let slots = match needed {
            Some(needed) => Slots::new(needed, &named, &span.during, facts)?,
            None => Slots::default(),
        };
        if named.is_empty() && slots.is_empty() {
            return Err(AppointmentRefusal::NoResources);
        }
        Ok(Self { span, named, slots, quotas: Vec::new() })
    }

    /// It counts towards these limits.
    pub(super) fn counting(self, quotas: impl IntoIterator<Item = Quota>) -> Self {
        Self { quotas: quotas.into_iter().collect(), ..self }
    }

    /// The claims to query, because there is something to choose; else none.
    pub(crate) fn claim_queries(&self) -> Vec<ClaimQuery> {
        let one_place_each = self.named.iter().all(|named| named.profile.capacity.is_one());
        let no_choice_of_place = match self.span.takes {
            Takes::Place => one_place_each,
            Takes::PlaceOrMore => false,
            Takes::Nothing => true,
        };
        if no_choice_of_place && self.slots.are_filled() && self.quotas.is_empty() {
            return Vec::new();
        }
        let during = self.span.claimed();
        let named = self.named.iter().map(|named| ClaimQuery { resource: named.id, during });
        let others = self.slots.claim_queries(&during, self.start());
        let dates = self.dates();
        let quotas = self.quotas.iter().flat_map(|quota| quota.claim_queries(&dates));
        named.chain(others).chain(quotas).collect()
    }

    /// Chooses. Of what is free, so many are skipped: see [`Facts::skip`].
    ///
    /// # Errors
    /// When nothing is free of what is needed, as far as can be seen.
    pub(crate) fn allocate(&self, facts: &Facts) -> Result<Allocated, AppointmentRefusal> {
        let (claims, skip) = (&facts.claims, facts.skip);
        let during = self.span.claimed();
        let mut chosen: Vec<(Candidate<'_>, u16)> = Vec::new();
        let mut quota_slots = Vec::with_capacity(self.quotas.len());
        if self.claim_queries().is_empty() {
            // Nothing to choose: the claims say whether it is free.
            chosen.extend(self.named.iter().map(|named| (*named, 0)));
        } else {
            for named in &self.named {
                let seat = match self.span.takes {
                    Takes::Place => seat_or_refusal(named, &during, claims, skip)?,
                    Takes::PlaceOrMore => seat_or_more(named, &during, claims, skip)?,
                    Takes::Nothing => 0,
                };
                chosen.push((*named, seat));
            }
            for other in self.slots.fill(&during, self.start(), claims, skip)? {
                chosen.push((other, seat_or_refusal(&other, &during, claims, skip)?));
            }
            if let Some((first, _)) = chosen.first() {
                for quota in &self.quotas {
                    quota_slots.push(quota.take(first.date(self.start()), claims, skip)?);
                }
            }
        }
        let seats = Seats::new(chosen.iter().map(|(_, seat)| *seat).collect());
        let zones = chosen.iter().map(|(each, _)| each.profile.time_zone).collect();
        let ids: Vec<ResourceId> = chosen.iter().map(|(each, _)| each.id).collect();
        let resource_ids =
            ResourceIds::try_from(ids).map_err(|_| AppointmentRefusal::NoResources)?;
        Ok(Allocated { resource_ids, seats, quota_slots, zones })
    }

    fn start(&self) -> DateTime<Utc> {
        self.span.during.start()
    }

    /// The local dates on which it can start, by the zone of its first resource.
    fn dates(&self) -> BTreeSet<NaiveDate> {
        match self.named.first() {
            Some(first) => BTreeSet::from([first.date(self.start())]),
            None => self.slots.dates(self.start()),
        }
    }
}

/// The named resources, all of them active. Whether they are open is for the rules to say: staff may
/// override that.
fn named(facts: &Facts) -> Result<Vec<Candidate<'_>>, AppointmentRefusal> {
    fn candidate(
        (id, resource): &(ResourceId, Arc<Resource>),
    ) -> Result<Candidate<'_>, AppointmentRefusal> {
        let resource_id = *id;
        match resource.as_ref() {
            Resource::Unregistered => Err(AppointmentRefusal::UnknownResource { resource_id }),
            Resource::Retired(_) => Err(AppointmentRefusal::RetiredResource { resource_id }),
            Resource::Active(profile) => Ok(Candidate { id: resource_id, profile }),
        }
    }
    facts.resources.iter().map(candidate).collect()
}

/// A place for one more resource, at the time with its buffers.
///
/// # Errors
/// When none is free, as far as can be seen.
pub(super) fn a_seat(
    id: ResourceId,
    profile: &ResourceProfile,
    claimed: &Interval,
    facts: &Facts,
) -> Result<u16, AppointmentRefusal> {
    // Nothing to choose: the claims say whether it is free.
    if profile.capacity.is_one() {
        return Ok(0);
    }
    seat_or_refusal(&Candidate { id, profile }, claimed, &facts.claims, facts.skip)
}

/// A place that is free for all of the time.
fn seat(
    candidate: &Candidate<'_>,
    during: &Interval,
    claims: &ClaimSnapshot,
    skip: usize,
) -> Option<u16> {
    let free = claims.free_seats(candidate.id, candidate.profile.capacity.places(), during);
    free.get(skip % free.len().max(1)).copied()
}

/// A place that is free for all of the time: where it has none, one beyond those that it has.
fn seat_or_more(
    candidate: &Candidate<'_>,
    during: &Interval,
    claims: &ClaimSnapshot,
    skip: usize,
) -> Result<u16, AppointmentRefusal> {
    let own = seat(candidate, during, claims, skip);
    let any = || claims.free_seats(candidate.id, Capacity::MAX, during).first().copied();
    own.or_else(any).map_or_else(|| seat_or_refusal(candidate, during, claims, skip), Ok)
}

fn seat_or_refusal(
    candidate: &Candidate<'_>,
    during: &Interval,
    claims: &ClaimSnapshot,
    skip: usize,
) -> Result<u16, AppointmentRefusal> {
    seat(candidate, during, claims, skip).ok_or_else(|| {
        let resource_id = candidate.id;
        let during = claims.ends_first(resource_id, during).map_or(*during, |taken| taken.during);
        AppointmentRefusal::SlotTaken { resource_id, during }
    })
}
