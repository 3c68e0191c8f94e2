//! A resource's appointments as they are stored: read in their order and in parts, so that one that
//! has very many needs no more memory than another.

use chrono::{DateTime, Utc};
use daybook_domain::{ResourceId, TenantId};
use uuid::Uuid;

use super::Conflicts;
use super::row::{USES, UseRow};
use crate::Tables;
use crate::kit::statement;
use crate::page::keyset::StartKey;

/// How many are read at once.
const PART: u16 = 2_000;

statement!(
    /// Served by `uses_of_resource`.
    USES_OF_RESOURCE: Conflicts = format!(
        "SELECT {} FROM {{schema}}.uses
          WHERE tenant_id = $1 AND resource_id = $2 AND (start_at, appointment_id) > ($3, $4)
          ORDER BY start_at, appointment_id
          LIMIT $5",
        USES.names()
    )
);

/// Reads on and on through one resource's appointments.
pub(super) struct StoredUses<'a> {
    tenant: &'a TenantId,
    resource: ResourceId,
    after: StartKey,
    all: bool,
}

impl<'a> StoredUses<'a> {
    /// Those that start after this instant.
    pub(super) fn after(
        tenant: &'a TenantId,
        resource: ResourceId,
        instant: DateTime<Utc>,
    ) -> Self {
        let after = StartKey { start_at: instant, id: Uuid::max() };
        Self { tenant, resource, after, all: false }
    }

    /// The next part, by start; nothing: that was all.
    pub(super) async fn next(
        &mut self,
        tables: &mut Tables<'_>,
    ) -> Result<Vec<UseRow>, sqlx::Error> {
        if self.all {
            return Ok(Vec::new());
        }
        let part: Vec<UseRow> = sqlx::query_as(&tables.sql(&USES_OF_RESOURCE))
            .bind(self.tenant.as_str())
            .bind(self.resource.uuid())
            .bind(self.after.start_at)
            .bind(self.after.id)
            .bind(i64::from(PART))
            .fetch_all(tables.connection())
            .await?;
        self.all = part.len() < usize::from(PART);
        if let Some(last) = part.last() {
            let (start_at, id) = (last.during.start(), last.appointment_id.uuid());
            self.after = StartKey { start_at, id };
        }
        Ok(part)
    }
}
