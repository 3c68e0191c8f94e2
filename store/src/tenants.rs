//! Tenants: each has one log.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::PgPool;

use crate::log::genesis;

/// Makes a tenant and the start of its log, unless they are there. `true`: it was made now.
///
/// # Errors
/// When the database fails.
pub async fn create(
    pool: &PgPool,
    tenant: &TenantId,
    time_zone: &str,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let made = sqlx::query(
        "INSERT INTO tenants (tenant_id, time_zone, created_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(time_zone)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO log_heads (tenant_id, position, hash, recorded_at) VALUES ($1, 0, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(genesis(tenant).as_slice())
    .bind(now)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(made.rows_affected() == 1)
}

/// The IANA name of the zone in which a tenant's dates are read; `None`: no such tenant.
///
/// # Errors
/// When the database fails.
pub async fn time_zone(pool: &PgPool, tenant: &TenantId) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT time_zone FROM tenants WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .fetch_optional(pool)
        .await
}
