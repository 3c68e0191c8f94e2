//! Holds that have lapsed.

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

/// Served by `appointments_holds`.
pub(super) async fn lapsed(
    pool: &PgPool,
    tenant: &TenantId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<AppointmentId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT appointment_id FROM search_3.appointments
          WHERE tenant_id = $1 AND status = 'held' AND hold_expires_at <= $2
          ORDER BY hold_expires_at
          LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(now)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(AppointmentId::from).collect())
}
