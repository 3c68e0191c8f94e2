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
        "INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
         VALUES ($1, 0, $2, $3, false)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Position;
    use crate::testing::{House, a_booking, noon, submission, uuid};

    #[tokio::test]
    async fn a_tenant_is_made_once_and_keeps_its_log() {
        let house = House::new().await;
        let log = house.log();
        let booking = submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30));
        log.append(booking).await.unwrap();
        assert!(!create(&house.pool, &house.tenant, "UTC", noon()).await.unwrap());
        let zone = time_zone(&house.pool, &house.tenant).await.unwrap();
        assert_eq!(zone.as_deref(), Some("Europe/Oslo"));
        assert_eq!(log.head(&house.tenant).await.unwrap(), Some(Position::START.plus(1)));
        assert!(create(&house.pool, &"salon".parse().unwrap(), "UTC", noon()).await.unwrap());
    }
}
