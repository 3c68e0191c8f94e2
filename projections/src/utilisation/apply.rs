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
use super::resources::{self, RESOURCES, TermsRow};
use super::write;
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
    let terms = resources::load(tables, tenant, used).await?;
    let zone =
        |(id, terms): (&ResourceId, &Terms)| Some((*id, terms.resource.profile()?.time_zone));
    let zones: BTreeMap<ResourceId, Tz> = terms.iter().filter_map(zone).collect();
    write::save(tables, tenant, &before, bookings, &zones).await
}

/// Works out what is offered: of the resources that have changed, and of all where days have come.
async fn offer(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
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
            let Some(last) = part.last() else { break };
            after = last.resource_id.uuid();
            let unchanged = part.into_iter().filter(|row| !changes.contains_key(&row.resource_id));
            let days = unchanged.filter_map(|row| {
                let (_, days) = offered::fold(Some(row.terms), &[], known, to)?;
                Some((row.resource_id, days))
            });
            let days = days.collect();
            resources::save_days(tables, tenant, &days).await?;
        }
    }
    let mut before = resources::load(tables, tenant, changes.keys().copied()).await?;
    let (mut rows, mut days) = (Vec::new(), BTreeMap::new());
    for (resource_id, events) in changes {
        let before = before.remove(&resource_id);
        if let Some((terms, anew)) = offered::fold(before, &events, known, to) {
            rows.push(TermsRow { resource_id, terms });
            days.insert(resource_id, anew);
        }
    }
    RESOURCES.upsert(tables, tenant, &rows).await?;
    resources::save_days(tables, tenant, &days).await
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
