//! What may be done with an entry of the waiting list.

use chrono::SubsecRound as _;

use super::{
    EntryState, Joined, WaitingCommand, WaitingEntry, WaitingEvent, WaitingListJoined,
    WaitingListLeft, WaitingOfferLapsed, WaitingPlaceOffered, WaitingPlaceTaken, WaitingRefusal,
    WaitingWishesPassed, WishedDays, Wishes,
};
use uuid::Uuid;

use crate::appointment::AppointmentRefusal;
use crate::claim::ClaimQuery;
use crate::quota::QuotaSlots;
use crate::resource::Resource;
use crate::rights::Placed;
use crate::service::{Roles, Service};
use crate::{ClientId, Decide, Facts, Needs, Refusal, ResourceId};

impl Decide for WaitingEntry {
    fn decide(&self, command: WaitingCommand, facts: &Facts) -> Result<WaitingEvent, Refusal> {
        match (self, command) {
            (Self::Unjoined, WaitingCommand::Join { client_id, wishes, limits, part }) => {
                can_be_waited_for(client_id, &wishes, facts)?;
                let joined_at = facts.now.trunc_subsecs(6);
                let last = wishes.days.last().date();
                let quotas = limits.quotas((client_id, &wishes), part, joined_at);
                let quotas = quotas.ok_or(WaitingRefusal::WishesPassed { last })?;
                let seen = (&facts.claims, facts.skip);
                let quota_slots = limits.take(client_id, quotas, seen)?;
                let joined = WaitingListJoined { client_id, wishes, joined_at, quota_slots };
                Ok(WaitingEvent::WaitingListJoined(joined))
            }
            (Self::Unjoined, _) => Err(WaitingRefusal::EntryNotFound.into()),
            (Self::Joined(_), WaitingCommand::Join { .. }) => {
                Err(WaitingRefusal::EntryExists.into())
            }
            (Self::Joined(joined), command) => Ok(decide_joined(joined, &command, facts)?),
        }
    }

    fn placed(&self, _: Uuid) -> Placed<'_> {
        self.joined().map_or(Placed::Nowhere, Joined::placed)
    }

    fn claim_queries(&self, command: &WaitingCommand, facts: &Facts) -> Vec<ClaimQuery> {
        let WaitingCommand::Join { client_id, wishes, limits, part } = command else {
            return Vec::new();
        };
        let quotas = limits.quotas((*client_id, wishes), *part, facts.now.trunc_subsecs(6));
        quotas.iter().flatten().map(QuotaSlots::query).collect()
    }

    fn needs(&self, command: &WaitingCommand) -> Needs {
        let WaitingCommand::Join { client_id, wishes, .. } = command else {
            return Needs::default();
        };
        Needs {
            service: Some(wishes.service_id),
            resources: wishes.resource_ids.clone().map(Into::into).unwrap_or_default(),
            client: Some(*client_id),
            ..Needs::default()
        }
    }
}

fn decide_joined(
    joined: &Joined,
    command: &WaitingCommand,
    facts: &Facts,
) -> Result<WaitingEvent, WaitingRefusal> {
    use WaitingCommand as C;
    let closed = || WaitingRefusal::EntryClosed { waiting_status: joined.state.status() };
    match (command, joined.state) {
        (C::Join { .. }, _) => Err(WaitingRefusal::EntryExists),
        (
            _,
            EntryState::Taken(_) | EntryState::Lapsed(_) | EntryState::Left | EntryState::Expired,
        ) => Err(closed()),
        (C::OfferPlace(offer), EntryState::Waiting) => {
            Ok(WaitingEvent::WaitingPlaceOffered(WaitingPlaceOffered { offer: *offer }))
        }
        (C::OfferPlace(_), EntryState::Offered(_)) => Err(WaitingRefusal::OfferOpen),
        (C::TakePlace, EntryState::Offered(_)) => {
            Ok(WaitingEvent::WaitingPlaceTaken(WaitingPlaceTaken {}))
        }
        (C::LapseOffer, EntryState::Offered(_)) => {
            Ok(WaitingEvent::WaitingOfferLapsed(WaitingOfferLapsed {}))
        }
        (C::TakePlace | C::LapseOffer, EntryState::Waiting) => Err(WaitingRefusal::NoOffer),
        (C::PassWishes, EntryState::Waiting) if joined.wishes.have_passed(facts.now) => {
            Ok(WaitingEvent::WaitingWishesPassed(WaitingWishesPassed {}))
        }
        (C::PassWishes, _) => Err(WaitingRefusal::WishesStand),
        (C::Leave, EntryState::Waiting | EntryState::Offered(_)) => {
            Ok(WaitingEvent::WaitingListLeft(WaitingListLeft {}))
        }
    }
}

/// What can never be had is not waited for. Whether it is free now is not asked: then it is offered
/// at once.
fn can_be_waited_for(client_id: ClientId, wishes: &Wishes, facts: &Facts) -> Result<(), Refusal> {
    let service_id = wishes.service_id;
    let terms = match facts.service.as_ref() {
        Service::Offered(terms) => terms,
        Service::Undefined => {
            return Err(AppointmentRefusal::UnknownService { service_id }.into());
        }
        Service::Retired(_) => {
            return Err(AppointmentRefusal::RetiredService { service_id }.into());
        }
    };
    facts.client.may_book(client_id)?;
    let in_sessions = terms.session_places.is_some();
    if !in_sessions && terms.needs.is_empty() && facts.resources.is_empty() {
        return Err(AppointmentRefusal::NoResources.into());
    }
    can_be_named(&terms.needs, facts)?;
    let length = wishes.duration.unwrap_or(terms.duration);
    if let Some(broken) = terms.rules.durations.broken_by(terms.duration, length) {
        return Err(AppointmentRefusal::RuleBroken(broken).into());
    }
    let last = wishes.days.last().date();
    if wishes.have_passed(facts.now) {
        return Err(WaitingRefusal::WishesPassed { last }.into());
    }
    let required = WishedDays::latest(wishes.days.time_zone(), facts.now);
    if last > required {
        return Err(WaitingRefusal::TooFarAhead { required, found: last }.into());
    }
    Ok(())
}

/// Each resource is there, and would do for something.
fn can_be_named(needs: &Roles, facts: &Facts) -> Result<(), AppointmentRefusal> {
    let unfit = |resource_id: ResourceId| {
        let roles = needs.places().map(|role| role.name.clone()).collect();
        AppointmentRefusal::UnfitResource { resource_id, roles }
    };
    for (resource_id, resource) in &facts.resources {
        let resource_id = *resource_id;
        match resource.as_ref() {
            Resource::Unregistered => {
                return Err(AppointmentRefusal::UnknownResource { resource_id });
            }
            Resource::Retired(_) => {
                return Err(AppointmentRefusal::RetiredResource { resource_id });
            }
            Resource::Active(profile) => {
                let fits = needs.places().any(|role| role.fits(resource_id, profile));
                if !needs.is_empty() && !fits {
                    return Err(unfit(resource_id));
                }
            }
        }
    }
    Ok(())
}
