//! How a batch of events changes the rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::resource::ResourceEvent;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};
use uuid::Uuid;

use super::booked::{self, Booking};
use super::offered::{self, Terms};
use super::{resources, write};
use crate::{ApplyError, Tables};

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    offer(tables, tenant, events).await?;
    let before = needed(events);
    let stored = write::load(tables, tenant, &before).await?;
    let bookings = fold(stored, events)?;
    let used = bookings.values().flat_map(|booking| booking.resource_ids.iter());
    let used: BTreeSet<ResourceId> = used.collect();
    // A resource is registered before it is booked.
    let terms = resources::load(tables, tenant, &used.into_iter().collect::<Vec<_>>()).await?;
    let zone =
        |(id, terms): (&ResourceId, &Terms)| Some((*id, terms.resource.profile()?.time_zone));
    let zones: BTreeMap<ResourceId, Tz> = terms.iter().filter_map(zone).collect();
    Ok(write::save(tables, tenant, &before, &bookings, &zones).await?)
}

/// Works out what is offered: of the resources that have changed, and of all where days have come.
async fn offer(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), sqlx::Error> {
    let Some(newest) = events.iter().map(|recorded| recorded.recorded_at).max() else {
        return Ok(());
    };
    let known = resources::horizon(tables, tenant).await?;
    let horizon = offered::horizon(newest);
    let to = known.map_or(horizon, |known| known.max(horizon));
    let mut changes: BTreeMap<ResourceId, Vec<(DateTime<Utc>, &ResourceEvent)>> = BTreeMap::new();
    for recorded in events {
        if let AnyEvent::Resource(id, event) = &recorded.event {
            changes.entry(*id).or_default().push((recorded.recorded_at, event));
        }
    }
    if known != Some(to) {
        resources::set_horizon(tables, tenant, to).await?;
        let mut after = Uuid::nil();
        loop {
            let part = resources::next(tables, tenant, after).await?;
            let Some((last, _)) = part.last_key_value() else { break };
            after = last.uuid();
            let unchanged = part.into_iter().filter(|(id, _)| !changes.contains_key(id));
            let anew = unchanged
                .filter_map(|(id, terms)| Some((id, offered::fold(Some(terms), &[], known, to)?)));
            let anew = anew.collect();
            resources::save_days(tables, tenant, &anew).await?;
        }
    }
    let ids: Vec<ResourceId> = changes.keys().copied().collect();
    let mut before = resources::load(tables, tenant, &ids).await?;
    let anew = changes.into_iter().filter_map(|(id, events)| {
        Some((id, offered::fold(before.remove(&id), &events, known, to)?))
    });
    let anew = anew.collect();
    resources::save_terms(tables, tenant, &anew).await?;
    resources::save_days(tables, tenant, &anew).await
}

/// What must be known before the events are folded: all that is touched but not made by them.
fn needed(events: &[RecordedEvent]) -> Vec<Uuid> {
    let mut seen = BTreeSet::new();
    let first = events.iter().filter_map(|recorded| {
        let id = booked::subject(&recorded.event)?;
        seen.insert(id).then_some((id, booked::makes(&recorded.event)))
    });
    first.filter(|(_, makes)| !makes).map(|(id, _)| id).collect()
}

fn fold(
    mut stored: BTreeMap<Uuid, Booking>,
    events: &[RecordedEvent],
) -> Result<BTreeMap<Uuid, Booking>, ApplyError> {
    let mut touched = BTreeMap::new();
    for recorded in events {
        let Some(id) = booked::subject(&recorded.event) else { continue };
        let before = touched.remove(&id).or_else(|| stored.remove(&id));
        let Some(booking) = booked::after(before, recorded) else {
            let reason = format!("{id} was neither held, booked nor scheduled before");
            return Err(ApplyError::Event { position: recorded.position, reason });
        };
        touched.insert(id, booking);
    }
    Ok(touched)
}
