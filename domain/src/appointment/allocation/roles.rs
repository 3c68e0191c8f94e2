//! The roles of a service, filled by the resources that were named and by others.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};

use super::order::Order;
use super::{Candidate, MAX_CANDIDATES, RuleCheck, seat};
use crate::appointment::AppointmentRefusal;
use crate::claim::{ClaimQuery, ClaimSnapshot};
use crate::matching::Matching;
use crate::resource::ResourceProfile;
use crate::service::rules::Broken;
use crate::service::{Choose, Role, Roles, ServiceTerms};
use crate::time::Interval;
use crate::{Facts, ResourceId};

/// What a service says about the resources that it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needed<'a> {
    roles: &'a Roles,
    choose: Choose,
    /// The rules that must allow a resource in its zone; `None`: they do not matter.
    check: Option<RuleCheck<'a>>,
}

impl<'a> Needed<'a> {
    pub(in crate::appointment) fn by(
        terms: &'a ServiceTerms,
        check: &RuleCheck<'a>,
        overridden: bool,
    ) -> Self {
        let check = (!overridden).then_some(*check);
        Self { roles: &terms.needs, choose: terms.choose, check }
    }

    /// No rule says when, whichever resource is chosen.
    pub(crate) fn whenever(terms: &'a ServiceTerms) -> Self {
        Self { roles: &terms.needs, choose: terms.choose, check: None }
    }

    /// The rule that keeps a resource from being chosen.
    fn broken_by(&self, profile: &ResourceProfile) -> Option<Broken> {
        self.check.as_ref()?.broken(&[profile.time_zone]).into_iter().next()
    }
}

/// The slots that resources are put into: each role as often as resources fill it.
#[derive(Debug, Default)]
pub(super) struct Slots<'a> {
    roles: Vec<&'a Role>,
    order: Order,
    /// Those that were named, and then the others that would do, where some slot is left to them.
    candidates: Vec<Candidate<'a>>,
    named: usize,
    /// For each slot, the candidates that would do: others in the order of the list, then named ones.
    would_do: Vec<Vec<usize>>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(
        needed: Needed<'a>,
        named: &[Candidate<'a>],
        during: &Interval,
        facts: &'a Facts,
    ) -> Result<Self, AppointmentRefusal> {
        let roles: Vec<&Role> = needed.roles.places().collect();
        if roles.is_empty() {
            return Ok(Self::default());
        }
        let fits = |slot: usize, thing: usize| {
            let Candidate { id, profile } = named[thing];
            roles[slot].fits(id, profile)
        };
        let mut matching = Matching::new(roles.len(), named.len());
        if let Some(unfit) = (0..named.len()).find(|thing| !matching.place(*thing, fits)) {
            let open = roles.iter().zip(matching.of_slots()).filter(|(_, thing)| thing.is_none());
            let mut roles: Vec<_> = open.map(|(role, _)| role.name.clone()).collect();
            roles.dedup();
            let resource_id = named[unfit].id;
            return Err(AppointmentRefusal::UnfitResource { resource_id, roles });
        }
        let mut candidates = named.to_vec();
        let mut broken = None;
        if named.len() < roles.len() {
            let fit = facts.directory.iter().filter(|(id, profile)| {
                !named.iter().any(|named| named.id == *id)
                    && roles.iter().any(|role| role.fits(*id, profile))
                    && profile.is_open(during)
            });
            for (id, profile) in fit {
                match needed.broken_by(profile) {
                    None => candidates.push(Candidate { id, profile }),
                    rule => broken = broken.or(rule),
                }
            }
        }
        let others = candidates.len() - named.len();
        let order = Order::new(needed.choose, facts.least_booked_days, others.min(MAX_CANDIDATES));
        let mut slots = Self { roles, order, candidates, named: named.len(), would_do: vec![] };
        slots.would_do = slots.listed(during.start());
        // Whether there are enough at all, before claims are queried.
        slots.matched(&slots.would_do).map_err(|Short { role, found }| {
            // If there would be more but for a rule, that is the reason.
            broken.map_or_else(
                || {
                    let (role, required) = (role.name.clone(), role.count);
                    AppointmentRefusal::RoleUnfilled { role, required, found }
                },
                AppointmentRefusal::RuleBroken,
            )
        })?;
        Ok(slots)
    }

    fn listed(&self, start: DateTime<Utc>) -> Vec<Vec<usize>> {
        let fits = |role: &Role, n: usize| {
            let Candidate { id, profile } = self.candidates[n];
            role.fits(id, profile)
        };
        let of_role = |role: &&Role| {
            let mut would_do: Vec<usize> =
                (self.named..self.candidates.len()).filter(|n| fits(role, *n)).collect();
            self.order.listed(&self.candidates, &mut would_do, role, start);
            would_do.truncate(MAX_CANDIDATES);
            would_do.extend((0..self.named).filter(|n| fits(role, *n)));
            would_do
        };
        self.roles.iter().map(of_role).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    /// Whether those that were named fill all of them.
    pub(super) fn are_filled(&self) -> bool {
        self.named == self.roles.len() || self.is_empty()
    }

    /// The claims to query: of all others that would do.
    pub(super) fn claim_queries(
        &self,
        claimed: &Interval,
        start: DateTime<Utc>,
    ) -> impl Iterator<Item = ClaimQuery> {
        let others: BTreeSet<usize> =
            self.would_do.iter().flatten().copied().filter(|n| *n >= self.named).collect();
        others.into_iter().map(move |n| {
            let candidate = &self.candidates[n];
            let window = self.order.window(candidate, start);
            let during = window.map_or(*claimed, |window| claimed.hull(&window));
            ClaimQuery { resource: candidate.id, during }
        })
    }

    /// The local dates of a start for those that can be in the first slot.
    pub(super) fn dates(&self, start: DateTime<Utc>) -> BTreeSet<NaiveDate> {
        let first = self.would_do.iter().take(1).flatten();
        first.map(|n| self.candidates[*n].date(start)).collect()
    }

    /// Who fills the slots that nobody was named for, in the order of the roles.
    pub(super) fn fill(
        &self,
        claimed: &Interval,
        start: DateTime<Utc>,
        claims: &ClaimSnapshot,
        skip: usize,
    ) -> Result<Vec<Candidate<'a>>, AppointmentRefusal> {
        let free = |n: &usize| seat(&self.candidates[*n], claimed, claims, 0).is_some();
        let of_slot = |would_do: &Vec<usize>| {
            let others = would_do.iter().copied().filter(|n| *n >= self.named);
            let mut others: Vec<usize> = others.filter(free).collect();
            self.order.by_claims(&self.candidates, &mut others, start, claims);
            let passed = skip % others.len().max(1);
            others.rotate_left(passed);
            others.extend(would_do.iter().copied().filter(|n| *n < self.named));
            others
        };
        let would_do: Vec<Vec<usize>> = self.would_do.iter().map(of_slot).collect();
        let matching = self.matched(&would_do).map_err(|Short { role, found }| {
            let (role, required) = (role.name.clone(), role.count);
            AppointmentRefusal::RoleTaken { role, required, found, during: *claimed }
        })?;
        let chosen = matching.of_slots().iter().flatten().filter(|n| **n >= self.named);
        Ok(chosen.map(|n| self.candidates[*n]).collect())
    }

    /// All slots filled, each that was named in one of them.
    fn matched(&self, would_do: &[Vec<usize>]) -> Result<Matching, Short<'a>> {
        let mut matching = Matching::new(self.roles.len(), self.candidates.len());
        for named in 0..self.named {
            matching.place(named, |slot, thing| would_do[slot].contains(&thing));
        }
        for slot in 0..self.roles.len() {
            if matching.of_slots()[slot].is_none() && !matching.fill(slot, would_do) {
                let role = self.roles[slot];
                let of_role = self.roles.iter().zip(matching.of_slots());
                let filled =
                    of_role.filter(|(other, thing)| other.name == role.name && thing.is_some());
                let found = u8::try_from(filled.count()).unwrap_or(role.count);
                return Err(Short { role, found });
            }
        }
        Ok(matching)
    }
}

/// A role for which there are too few.
struct Short<'a> {
    role: &'a Role,
    found: u8,
}

/// Whether a resource can fill a role when those that stay keep theirs.
///
/// Those that stay may do what the service asked for when it was booked; where they fill no role
/// today, they keep no role from others.
///
/// # Errors
/// When it can fill none.
pub(in crate::appointment) fn fits_in(
    roles: &Roles,
    staying: &[(ResourceId, &ResourceProfile)],
    new: (ResourceId, &ResourceProfile),
) -> Result<(), AppointmentRefusal> {
    let roles: Vec<&Role> = roles.places().collect();
    if roles.is_empty() {
        return Ok(());
    }
    let all: Vec<_> = staying.iter().copied().chain([new]).collect();
    let fits = |slot: usize, thing: usize| {
        let (id, profile) = all[thing];
        roles[slot].fits(id, profile)
    };
    let mut matching = Matching::new(roles.len(), all.len());
    for thing in 0..staying.len() {
        matching.place(thing, fits);
    }
    if matching.place(staying.len(), fits) {
        return Ok(());
    }
    let open = roles.iter().zip(matching.of_slots()).filter(|(_, thing)| thing.is_none());
    let mut roles: Vec<_> = open.map(|(role, _)| role.name.clone()).collect();
    roles.dedup();
    Err(AppointmentRefusal::UnfitResource { resource_id: new.0, roles })
}
