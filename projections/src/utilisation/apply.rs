//! How a batch of events changes the rows.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cqrs_es::Aggregate as _;
use daybook_domain::resource::ResourceEvent;
use daybook_domain::session::Session;
use daybook_domain::{ResourceId, SessionId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};
use uuid::Uuid;

use super::booked::{Booking, Taken};
use super::offered::{self, Terms};
use super::resources::{self, RESOURCES, TermsRow};
use super::taken::{self, TAKEN};
use crate::change::{self, AppointmentChanges};
use crate::sessions::fold;
use crate::{ApplyError, Tables};

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    offer(tables, tenant, events).await?;
    let earlier = change::earlier(tables, tenant, events).await?;
    let changes = AppointmentChanges::of(&earlier, events)?;
    let earlier = sessions(tables, tenant, events).await?;
    let sessions = after(&earlier, events)?;
    let appointments = changes.streams().filter_map(Booking::of_appointment);
    let sessions = sessions.iter().filter_map(|(id, session)| Booking::of_session(*id, session));
    let bookings: Vec<Booking> = appointments.chain(sessions).collect();
    let used = bookings.iter().flat_map(|booking| booking.resource_ids.iter());
    let used: BTreeSet<ResourceId> = used.collect();
    // A resource is registered before it is booked.
    let terms = resources::load(tables, tenant, used).await?;
    let zone =
        |(id, terms): (&ResourceId, &Terms)| Some((*id, terms.resource.profile()?.time_zone));
    let zones: BTreeMap<ResourceId, Tz> = terms.iter().filter_map(zone).collect();
    taken::forget(tables, tenant, &made_before(events)).await?;
    let rows: Vec<Taken> = bookings.iter().flat_map(|booking| booking.taken(&zones)).collect();
    TAKEN.insert(tables, tenant, &rows).await
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

/// The appointments and sessions that a batch touches and does not make.
fn made_before(events: &[RecordedEvent]) -> Vec<Uuid> {
    let touched = events.iter().filter(|recorded| recorded.sequence > 1);
    let ids = touched.filter_map(|recorded| match &recorded.event {
        AnyEvent::Appointment(id, _) => Some(id.uuid()),
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    });
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The events before a batch of the sessions that it touches.
async fn sessions(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<Vec<RecordedEvent>, ApplyError> {
    let id = |event: &AnyEvent| match event {
        AnyEvent::Session(id, _) => Some(id.uuid()),
        _ => None,
    };
    change::earlier_of(Session::TYPE, id, tables, tenant, events).await
}

/// The sessions after a batch.
fn after(
    earlier: &[RecordedEvent],
    events: &[RecordedEvent],
) -> Result<BTreeMap<SessionId, Session>, ApplyError> {
    let mut sessions = BTreeMap::new();
    for recorded in earlier.iter().chain(events) {
        let AnyEvent::Session(id, event) = &recorded.event else { continue };
        let session = fold::after(sessions.remove(id), *id, event, recorded)?;
        sessions.insert(*id, session);
    }
    Ok(sessions)
}
