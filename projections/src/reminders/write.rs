//! How the rows are read and written.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::{AppointmentId, ResourceId, ServiceId, TenantId};
use daybook_store::RecordedEvent;
use uuid::Uuid;

use super::Reminders;
use super::fold::{self, Touched};
use super::row::{
    APPOINTMENTS, Booked, REMINDERS, RESOURCES, ReminderRow, SERVICES, ServiceRules, Since,
};
use crate::kit::statement;
use crate::kit::table::OnConflict;
use crate::{ApplyError, Tables};

/// How many appointments of a service are read at once when it gets other rules.
const PART: i64 = 2_000;

/// What has become of a reminder stays; planned is only what nothing has become of.
const UNLESS_KNOWN: OnConflict = OnConflict::Do("DO NOTHING");

statement!(
    /// Served by the primary key.
    FORGET_APPOINTMENTS: Reminders =
        "DELETE FROM {schema}.appointments WHERE tenant_id = $1 AND appointment_id = ANY($2)"
);

statement!(
    /// Served by `reminders_of_appointment`.
    FORGET_PLANNED: Reminders =
        "DELETE FROM {schema}.reminders
          WHERE tenant_id = $1 AND appointment_id = ANY($2) AND status = 'planned'"
);

statement!(
    /// Served by `reminders_of_service`.
    FORGET_RULES: Reminders =
        "DELETE FROM {schema}.reminders
          WHERE tenant_id = $1 AND service_id = $2 AND status = 'planned' AND rule <> ALL($3)"
);

statement!(
    /// Served by `appointments_of_service`.
    NEXT: Reminders = format!(
        "SELECT {} FROM {{schema}}.appointments
          WHERE tenant_id = $1 AND service_id = $2 AND (start_at, appointment_id) > ($3, $4)
          ORDER BY start_at, appointment_id LIMIT $5",
        APPOINTMENTS.names()
    )
);

/// What is known of services and resources, as far as it was asked for.
#[derive(Default)]
struct Known {
    services: HashMap<ServiceId, ServiceRules>,
    clocks: HashMap<ResourceId, Tz>,
}

impl Known {
    async fn services(
        &mut self,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        ids: impl IntoIterator<Item = ServiceId>,
    ) -> Result<(), sqlx::Error> {
        let ids: BTreeSet<ServiceId> = ids.into_iter().collect();
        let unknown = ids.into_iter().filter(|id| !self.services.contains_key(id));
        let unknown: Vec<Uuid> = unknown.map(ServiceId::uuid).collect();
        for row in SERVICES.load(tables, tenant, unknown).await? {
            self.services.insert(row.service_id, row);
        }
        Ok(())
    }

    async fn clocks(
        &mut self,
        tables: &mut Tables<'_>,
        tenant: &TenantId,
        booked: impl IntoIterator<Item = &Booked>,
    ) -> Result<(), sqlx::Error> {
        let ids: BTreeSet<ResourceId> = booked.into_iter().map(|it| it.resource_id).collect();
        let unknown = ids.into_iter().filter(|id| !self.clocks.contains_key(id));
        let unknown: Vec<Uuid> = unknown.map(ResourceId::uuid).collect();
        for row in RESOURCES.load(tables, tenant, unknown).await? {
            self.clocks.insert(row.resource_id, row.time_zone);
        }
        Ok(())
    }

    fn planned(&self, booked: &Booked, rules: &[Since]) -> Vec<ReminderRow> {
        let Some(zone) = self.clocks.get(&booked.resource_id) else { return Vec::new() };
        rules.iter().filter_map(|since| ReminderRow::planned(booked, *since, *zone)).collect()
    }
}

/// A service that has other rules by now.
struct Changed {
    service: ServiceRules,
    /// Those that hold as they did.
    kept: Vec<Since>,
    added: Vec<Since>,
}

impl Changed {
    fn of(before: Option<&ServiceRules>, after: &ServiceRules) -> Option<Self> {
        let before = before.map(|it| it.rules.as_slice()).unwrap_or_default();
        if before == after.rules {
            return None;
        }
        let (kept, added) = after.rules.iter().partition(|it| before.contains(it));
        Some(Self { service: after.clone(), kept, added })
    }
}

pub(super) async fn apply(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    events: &[RecordedEvent],
    (touched, ledgers): (Touched, Vec<ReminderRow>),
) -> Result<(), ApplyError> {
    RESOURCES.upsert(tables, tenant, &fold::clocks(events)).await?;
    let mut known = Known::default();
    let revised = fold::services(events);
    known.services(tables, tenant, revised.iter().copied()).await?;
    let before = known.services.clone();
    fold::revise(&mut known.services, events);
    let ids: BTreeSet<ServiceId> = revised.into_iter().collect();
    let changed = ids.iter().filter_map(|id| Changed::of(before.get(id), known.services.get(id)?));
    let changed: Vec<Changed> = changed.collect();
    let rules: Vec<ServiceRules> = changed.iter().map(|it| it.service.clone()).collect();
    SERVICES.upsert(tables, tenant, &rules).await?;
    REMINDERS.upsert(tables, tenant, &ledgers).await?;
    plan_touched(tables, tenant, touched, &mut known).await?;
    for service in &changed {
        plan_service(tables, tenant, service, &mut known).await?;
    }
    Ok(())
}

/// The reminders of appointments that have changed.
async fn plan_touched(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    touched: Touched,
    known: &mut Known,
) -> Result<(), ApplyError> {
    let ids: Vec<AppointmentId> = touched.keys().copied().collect();
    let booked: Vec<Booked> = touched.into_values().flatten().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().map(AppointmentId::uuid).collect();
    for forget in [&FORGET_APPOINTMENTS, &FORGET_PLANNED] {
        let forget = tables.sql(forget);
        let query = sqlx::query(&forget).bind(tenant.as_str()).bind(&ids);
        query.execute(tables.connection()).await?;
    }
    APPOINTMENTS.insert(tables, tenant, &booked).await?;
    known.services(tables, tenant, booked.iter().map(|it| it.service_id)).await?;
    let with_rules = |it: &&Booked| {
        known.services.get(&it.service_id).is_some_and(|service| !service.rules.is_empty())
    };
    let booked: Vec<Booked> = booked.iter().filter(with_rules).cloned().collect();
    known.clocks(tables, tenant, &booked).await?;
    let planned = booked.iter().flat_map(|it| {
        let rules = known.services.get(&it.service_id).map(|service| service.rules.as_slice());
        known.planned(it, rules.unwrap_or_default())
    });
    let planned: Vec<ReminderRow> = planned.collect();
    REMINDERS.insert_or(UNLESS_KNOWN, tables, tenant, &planned).await?;
    Ok(())
}

/// A service has other rules: what was planned by those that have gone goes, and what is planned by new ones comes.
async fn plan_service(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    Changed { service, kept, added }: &Changed,
    known: &mut Known,
) -> Result<(), ApplyError> {
    let id = service.service_id;
    let kept: Vec<String> = kept.iter().map(|it| it.rule.to_string()).collect();
    let forget = tables.sql(&FORGET_RULES);
    let query = sqlx::query(&forget).bind(tenant.as_str()).bind(id.uuid()).bind(kept);
    query.execute(tables.connection()).await?;
    // What has started when the first of them began to hold has nothing that is to come.
    let Some(mut after) = added.iter().map(|it| it.since).min() else { return Ok(()) };
    let mut last = Uuid::nil();
    loop {
        let part = next(tables, tenant, id, (after, last)).await?;
        let Some(end) = part.last() else { return Ok(()) };
        (after, last) = (end.start, end.appointment_id.uuid());
        known.clocks(tables, tenant, &part).await?;
        let planned = part.iter().flat_map(|it| known.planned(it, added));
        let planned: Vec<ReminderRow> = planned.collect();
        REMINDERS.insert_or(UNLESS_KNOWN, tables, tenant, &planned).await?;
    }
}

async fn next(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    service: ServiceId,
    (after, last): (DateTime<Utc>, Uuid),
) -> Result<Vec<Booked>, sqlx::Error> {
    sqlx::query_as(&tables.sql(&NEXT))
        .bind(tenant.as_str())
        .bind(service.uuid())
        .bind(after)
        .bind(last)
        .bind(PART)
        .fetch_all(tables.connection())
        .await
}
