//! What has been on a calendar, whatever has become of it since.

use std::collections::BTreeSet;

use daybook_domain::TenantId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::appointments::Appointments;
use crate::kit::statement;

statement!(
    /// Served by the primary keys.
    EVER_OF: Appointments = "SELECT appointment_id FROM {schema}.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY ($2)
            AND (resource_ids @> ARRAY[$3::uuid] OR client_id = $3)
          UNION
         SELECT session_id FROM {schema}.sessions
          WHERE tenant_id = $1 AND session_id = ANY ($2) AND resource_ids @> ARRAY[$3::uuid]"
);

/// Which of these are of a resource or client, or once were.
pub(super) async fn of(
    pool: &PgPool,
    tenant: &TenantId,
    ids: &BTreeSet<Uuid>,
    party: Uuid,
) -> Result<BTreeSet<Uuid>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().copied().collect();
    let statement = EVER_OF.live();
    let found = sqlx::query_scalar(&statement).bind(tenant.as_str()).bind(ids).bind(party);
    Ok(found.fetch_all(pool).await?.into_iter().collect())
}
