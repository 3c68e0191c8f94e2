//! A resource's appointments as they are stored: read in their order and in parts, so that one that
//! has very many needs no more memory than another.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::ConflictReason;
use daybook_domain::resource::Resource;
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use sqlx::Row as _;
use uuid::Uuid;

use super::row::{during, reason};

use crate::Tables;

/// How many are read at once.
const PART: u16 = 2_000;

/// That an appointment uses a resource, as it is stored.
#[derive(Debug, Clone)]
pub(super) struct StoredUse {
    pub(super) appointment_id: AppointmentId,
    pub(super) during: Interval,
    pub(super) conflict: Option<ConflictReason>,
    excused: Vec<ConflictReason>,
}

impl StoredUse {
    /// Why the resource, as it is given, cannot be had then, unless that is excused.
    pub(super) fn conflict_with(&self, resource: &Resource) -> Option<ConflictReason> {
        let found = ConflictReason::of(resource, &self.during);
        found.filter(|reason| !self.excused.contains(reason))
    }
}

/// Reads on and on through one resource's appointments.
pub(super) struct StoredUses<'a> {
    tenant: &'a TenantId,
    resource: ResourceId,
    after: (DateTime<Utc>, AppointmentId),
    all: bool,
}

impl<'a> StoredUses<'a> {
    /// Those that start after this instant.
    pub(super) fn after(
        tenant: &'a TenantId,
        resource: ResourceId,
        instant: DateTime<Utc>,
    ) -> Self {
        Self { tenant, resource, after: (instant, Uuid::max().into()), all: false }
    }

    /// The next part, by start; nothing: that was all. Served by `uses_of_resource`.
    pub(super) async fn next(
        &mut self,
        tables: &mut Tables<'_>,
    ) -> Result<Vec<StoredUse>, sqlx::Error> {
        if self.all {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(&tables.sql(
            "SELECT appointment_id, start_at, end_at, conflict, excused FROM conflicts_1.uses
              WHERE tenant_id = $1 AND resource_id = $2 AND (start_at, appointment_id) > ($3, $4)
              ORDER BY start_at, appointment_id
              LIMIT $5",
        ))
        .bind(self.tenant.as_str())
        .bind(self.resource.uuid())
        .bind(self.after.0)
        .bind(self.after.1.uuid())
        .bind(i64::from(PART))
        .fetch_all(tables.connection())
        .await?;
        let mut part = Vec::with_capacity(rows.len());
        for row in &rows {
            let excused: Vec<String> = row.try_get("excused")?;
            part.push(StoredUse {
                appointment_id: row.try_get::<Uuid, _>("appointment_id")?.into(),
                during: during(row)?,
                conflict: row.try_get::<Option<&str>, _>("conflict")?.map(reason).transpose()?,
                excused: excused.iter().map(|text| reason(text)).collect::<Result<_, _>>()?,
            });
        }
        self.all = part.len() < usize::from(PART);
        if let Some(last) = part.last() {
            self.after = (last.during.start(), last.appointment_id);
        }
        Ok(part)
    }
}

/// Writes what was found anew. Served by the primary key.
pub(super) async fn mark(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    resource: ResourceId,
    found: &[(AppointmentId, Option<ConflictReason>)],
) -> Result<(), sqlx::Error> {
    if found.is_empty() {
        return Ok(());
    }
    let marked = sqlx::query(&tables.sql(
        "UPDATE conflicts_1.uses AS s SET conflict = u.conflict
           FROM unnest($3::uuid[], $4::text[]) AS u (appointment_id, conflict)
          WHERE s.tenant_id = $1 AND s.resource_id = $2 AND s.appointment_id = u.appointment_id",
    ))
    .bind(tenant.as_str())
    .bind(resource.uuid())
    .bind(found.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind(found.iter().map(|(_, it)| it.map(ConflictReason::as_str)).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    let all = marked.rows_affected() == found.len() as u64;
    if all { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}
