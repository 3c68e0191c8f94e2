//! How a batch of events changes the rows.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::appointment::ConflictReason;
use daybook_domain::resource::Resource;
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};

use super::fold::{self, Touched};
use super::judge::{Change, Changing};
use super::row::{Judged, USES, UseRow};
use super::stored::StoredUses;
use super::{resources, write};
use crate::change::{self, AppointmentChanges};
use crate::{ApplyError, Tables};

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
) -> Result<(), ApplyError> {
    let earlier = change::earlier(tables, tenant, events).await?;
    let changes = AppointmentChanges::of(&earlier, events)?;
    let before = changes.streams().filter_map(|stream| Some(stream.earlier.last()?.id));
    let before: Vec<AppointmentId> = before.collect();
    let stored = write::load(tables, tenant, &before).await?;
    let mut touched = fold::fold(stored, &changes);
    let resources = changing(tables, tenant, events, &touched).await?;
    judge_touched(&mut touched, &resources);
    for (resource, changing) in &resources {
        judge_stored(tables, tenant, *resource, changing, &touched).await?;
    }
    let changing = resources.iter().filter(|(_, it)| !it.changes.is_empty());
    let last: BTreeMap<ResourceId, Resource> =
        changing.map(|(id, changing)| (*id, changing.last())).collect();
    resources::save(tables, tenant, last).await?;
    write::save(tables, tenant, &before, touched).await
}

/// The resources that change, and those that appointments begin to use.
async fn changing<'a>(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &'a [RecordedEvent],
    touched: &Touched,
) -> Result<BTreeMap<ResourceId, Changing<'a>>, sqlx::Error> {
    let mut changes: BTreeMap<ResourceId, Vec<Change<'a>>> = BTreeMap::new();
    for recorded in events {
        if let AnyEvent::Resource(id, event) = &recorded.event {
            let (position, recorded_at) = (recorded.position, recorded.recorded_at);
            changes.entry(*id).or_default().push(Change { position, recorded_at, event });
        }
    }
    let new = touched.values().flatten().flat_map(|judged| &judged.uses);
    let new = new.filter(|(_, used)| used.since.is_some()).map(|(id, _)| *id);
    let ids: BTreeSet<ResourceId> = new.chain(changes.keys().copied()).collect();
    let ids: Vec<ResourceId> = ids.into_iter().collect();
    let mut before = resources::load(tables, tenant, &ids).await?;
    let with_changes = |id: ResourceId| {
        let before = before.remove(&id).unwrap_or_default();
        (id, Changing { before, changes: changes.remove(&id).unwrap_or_default() })
    };
    Ok(ids.into_iter().map(with_changes).collect())
}

fn judge_touched(touched: &mut Touched, resources: &BTreeMap<ResourceId, Changing<'_>>) {
    let mut due: BTreeMap<ResourceId, Vec<_>> = BTreeMap::new();
    for Judged { standing, excused, uses } in touched.values_mut().flatten() {
        let (during, excused) = (standing.during, &*excused);
        for (id, used) in uses {
            let Some(changing) = resources.get(id) else { continue };
            if let Some(after) = changing.judged_after(during.start(), used.since) {
                due.entry(*id).or_default().push((after, during, excused, used));
            }
        }
    }
    for (id, mut due) in due {
        let Some(changing) = resources.get(&id) else { continue };
        due.sort_by_key(|(after, ..)| *after);
        let mut states = changing.states();
        for (after, during, excused, used) in due {
            let found = ConflictReason::of(states.after(after), &during);
            used.conflict = excused.unexcused(id, found);
        }
    }
}

/// All other appointments of a resource that changes.
async fn judge_stored(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    resource: ResourceId,
    changing: &Changing<'_>,
    touched: &Touched,
) -> Result<(), ApplyError> {
    let Some(first) = changing.changes.first() else { return Ok(()) };
    let mut uses = StoredUses::after(tenant, resource, first.recorded_at);
    let mut states = changing.states();
    loop {
        let part = uses.next(tables).await?;
        if part.is_empty() {
            return Ok(());
        }
        let mut found = Vec::new();
        for used in part.into_iter().filter(|used| !touched.contains_key(&used.appointment_id)) {
            // In the order of their starts, and so in the order of the states.
            let Some(after) = changing.judged_after(used.during.start(), None) else { continue };
            let conflict = used.conflict_with(states.after(after));
            if conflict != used.conflict {
                found.push(UseRow { conflict, ..used });
            }
        }
        USES.update(&["conflict"], tables, tenant, &found).await?;
    }
}
