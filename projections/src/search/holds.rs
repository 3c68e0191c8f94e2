//! Holds that have lapsed.

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::appointments::Appointments;
use crate::kit::statement;

statement!(
    /// Served by `current_holds`.
    LAPSED: Appointments = "
    SELECT appointment_id FROM {schema}.appointments
     WHERE tenant_id = $1 AND status = 'held' AND hold_expires_at <= $2 AND until_position IS NULL
     ORDER BY hold_expires_at
     LIMIT $3"
);

pub(super) async fn lapsed(
    pool: &PgPool,
    tenant: &TenantId,
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<AppointmentId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(&LAPSED.live())
        .bind(tenant.as_str())
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    Ok(ids.into_iter().map(AppointmentId::from).collect())
}
