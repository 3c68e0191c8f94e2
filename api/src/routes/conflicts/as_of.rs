//! What was in conflict at a moment: each appointment that stood then and had not begun is judged by what its resources
//! were like. Of these that is the whole rule, for every change up to the moment was recorded before they start.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::appointment::{Appointment, Conflict, ConflictReason};
use daybook_domain::resource::Resource;
use daybook_domain::rights::Limits;
use daybook_domain::{ResourceId, TenantId};
use daybook_projections::appointments::Appointments;
use daybook_projections::conflicts::{ConflictFilter, InConflict};
use daybook_projections::search::FoundAppointment;
use daybook_projections::{Cursor, Limit, Page};
use daybook_store::log::Moment;
use uuid::Uuid;

use crate::App;
use crate::http::Problem;

/// For one page so many parts of the standing appointments are looked at.
const MAX_PARTS: usize = 25;

/// What resources were like.
type Resources = BTreeMap<ResourceId, Resource>;

impl App {
    /// A page of the conflicts that there were at a moment.
    pub(super) async fn conflicts_as_of(
        &self,
        tenant: &TenantId,
        asked: (&ConflictFilter, &Limits),
        (cursor, limit): (Option<&Cursor>, Limit),
        moment: Moment,
    ) -> Result<Page<InConflict>, Problem> {
        self.wait_for(tenant, Appointments::ID, moment.position).await?;
        let mut standing = self.history.standing(tenant, asked, cursor, moment)?;
        let (filter, _) = asked;
        let (mut items, mut resources): (Vec<InConflict>, _) = (Vec::new(), Resources::new());
        let mut last = None;
        for _ in 0..MAX_PARTS {
            let Some(part) = standing.next().await? else { break };
            self.learn(tenant, &part, moment, &mut resources).await?;
            for (found, conflicts) in self.judged(tenant, part, &resources, moment).await? {
                let wanted = |one: &Conflict| {
                    filter.resource_ids.is_empty() || filter.resource_ids.contains(&one.resource_id)
                };
                if !conflicts.iter().any(wanted) {
                    continue;
                }
                if items.len() == limit.items() {
                    return Ok(Page { items, next: last });
                }
                last = Some(standing.cursor_after(&found));
                items.push(in_conflict(found, conflicts));
            }
        }
        Ok(Page { items, next: standing.cursor() })
    }

    /// What the resources of these appointments were like.
    async fn learn(
        &self,
        tenant: &TenantId,
        part: &[FoundAppointment],
        moment: Moment,
        resources: &mut Resources,
    ) -> Result<(), Problem> {
        let used = part.iter().flat_map(|found| found.resource_ids.iter());
        let unknown: BTreeSet<ResourceId> = used.filter(|id| !resources.contains_key(id)).collect();
        let unknown: Vec<Uuid> = unknown.into_iter().map(ResourceId::uuid).collect();
        let found = self.each_known::<Resource>(tenant, &unknown, Some(moment)).await?;
        let found = unknown.into_iter().zip(found);
        resources
            .extend(found.map(|(id, it)| (id.into(), it.map(|it| it.state).unwrap_or_default())));
        Ok(())
    }

    /// Those that are in conflict, with what is not excused of it.
    async fn judged(
        &self,
        tenant: &TenantId,
        part: Vec<FoundAppointment>,
        resources: &Resources,
        moment: Moment,
    ) -> Result<Vec<(FoundAppointment, Vec<Conflict>)>, Problem> {
        let reasons = |found: &FoundAppointment| -> Vec<Conflict> {
            let each = found.resource_ids.iter().filter_map(|resource_id| {
                let reason = ConflictReason::of(resources.get(&resource_id)?, &found.during)?;
                Some(Conflict { resource_id, reason })
            });
            each.collect()
        };
        let broken = part.into_iter().map(|found| (reasons(&found), found));
        let broken: Vec<_> = broken.filter(|(conflicts, _)| !conflicts.is_empty()).collect();
        let ids: Vec<Uuid> = broken.iter().map(|(_, it)| it.appointment_id.uuid()).collect();
        let loaded = self.each_known::<Appointment>(tenant, &ids, Some(moment));
        let judged = broken.into_iter().zip(loaded.await?).map(|((conflicts, found), loaded)| {
            let appointment = loaded.map(|known| known.state).unwrap_or_default();
            let excused = appointment.excused();
            let stands = |one: &Conflict| excused.is_none_or(|excused| !excused.contains(one));
            let mut conflicts: Vec<Conflict> = conflicts.into_iter().filter(stands).collect();
            conflicts.sort_by_key(|one| one.resource_id);
            (found, conflicts)
        });
        Ok(judged.filter(|(_, conflicts)| !conflicts.is_empty()).collect())
    }
}

fn in_conflict(found: FoundAppointment, conflicts: Vec<Conflict>) -> InConflict {
    InConflict {
        appointment_id: found.appointment_id,
        during: found.during,
        hold_expires_at: found.hold_expires_at,
        service_id: found.service_id,
        client_id: found.client_id,
        title: found.title,
        resource_ids: found.resource_ids,
        version: found.version,
        position: found.position,
        conflicts,
    }
}
