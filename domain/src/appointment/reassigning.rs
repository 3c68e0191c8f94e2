//! Another resource instead of one, at the same time.

use super::allocation::{a_seat, fits_in};
use super::checks::not_past;
use super::hold::not_lapsed;
use super::{AppointmentReassigned, AppointmentRefusal, AppointmentState, Details, Slot};
use crate::claim::ClaimQuery;
use crate::resource::{Resource, ResourceProfile};
use crate::{Facts, Personal, Reason, ResourceId, ResourceIds};

/// Which resource is to be replaced by which.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replacement {
    pub(super) from: ResourceId,
    pub(super) to: ResourceId,
}

/// The time stays, so what depends on the time alone is not asked again; nor are the resources that
/// stay: each conflict is resolved by itself.
pub(super) fn reassigned(
    details: &Details,
    state: &AppointmentState,
    replacement: Replacement,
    reason: Option<Personal<Reason>>,
    facts: &Facts,
) -> Result<AppointmentReassigned, AppointmentRefusal> {
    let hold_expires_at = not_lapsed(state, facts.now)?;
    let Replacement { from, to } = replacement;
    let slot = &details.slot;
    not_past(slot.during.start(), facts.now)?;
    if let Some(session_id) = slot.session_id {
        return Err(AppointmentRefusal::InSession { session_id });
    }
    let (resource_ids, nth) = replaced(&slot.resource_ids, replacement)?;
    let profile = active(to, facts)?;
    let during = slot.during;
    if !profile.is_open(&during) {
        return Err(AppointmentRefusal::OutsideOpeningHours { resource_id: to, during });
    }
    if let Some(terms) = facts.service.terms() {
        let others = facts.resources.iter().filter(|(id, _)| *id != to);
        let staying: Vec<_> = others.filter_map(|(id, it)| Some((*id, it.profile()?))).collect();
        fits_in(&terms.needs, &staying, (to, profile))?;
    }
    let seat = a_seat(to, profile, &slot.claimed(), facts)?;
    let seats = slot.seats.with(resource_ids.count(), nth, seat);
    let slot = Slot { resource_ids, seats, ..slot.clone() };
    Ok(AppointmentReassigned { slot, from, to, reason, hold_expires_at })
}

/// The claims on the resource that is to be used, where it has places to choose from.
pub(super) fn queries_of_replacement(
    details: &Details,
    to: ResourceId,
    facts: &Facts,
) -> Vec<ClaimQuery> {
    match active(to, facts) {
        Ok(profile) if !profile.capacity.is_one() => {
            vec![ClaimQuery { resource: to, during: details.slot.claimed() }]
        }
        _ => Vec::new(),
    }
}

fn active(resource_id: ResourceId, facts: &Facts) -> Result<&ResourceProfile, AppointmentRefusal> {
    let known = facts.resources.iter().find(|(id, _)| *id == resource_id);
    match known.map(|(_, resource)| resource.as_ref()) {
        None | Some(Resource::Unregistered) => {
            Err(AppointmentRefusal::UnknownResource { resource_id })
        }
        Some(Resource::Retired(_)) => Err(AppointmentRefusal::RetiredResource { resource_id }),
        Some(Resource::Active(profile)) => Ok(profile),
    }
}

/// In the order in which they were, so that each of the others keeps its place; and which of them is
/// the new one.
fn replaced(
    resource_ids: &ResourceIds,
    Replacement { from, to }: Replacement,
) -> Result<(ResourceIds, usize), AppointmentRefusal> {
    let mut ids: Vec<ResourceId> = resource_ids.clone().into();
    let nth = ids.iter().position(|id| *id == from);
    let nth = nth.ok_or(AppointmentRefusal::ResourceNotUsed { resource_id: from })?;
    let used = AppointmentRefusal::ResourceUsedAlready { resource_id: to };
    if ids.contains(&to) {
        return Err(used);
    }
    ids[nth] = to;
    ids.try_into().map(|ids| (ids, nth)).map_err(|_| used)
}
