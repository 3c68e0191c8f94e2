//! What was sent to endpoints, and what came of it: never what was in it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};
use uuid::Uuid;

use crate::Position;
use crate::followers::Follower;

/// For how many days deliveries are known.
pub const DELIVERIES_KEPT_DAYS: u16 = 30;

/// How many are forgotten in one statement.
const BATCH: i64 = 5_000;

/// An attempt to tell an endpoint an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: Uuid,
    pub position: Position,
    /// The how manieth in a row of this event.
    pub attempt: u32,
    pub at: DateTime<Utc>,
    /// Of the answer, where there was one.
    pub status: Option<u16>,
    /// Why it was not received, in a word.
    pub failure: Option<String>,
    pub took: Duration,
    pub body_sha256: Vec<u8>,
}

/// Some of an endpoint's deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryPage {
    pub items: Vec<Delivery>,
    /// After which the next page begins; `None`: it is the last.
    pub next: Option<Uuid>,
}

/// Keeps what has come of an attempt.
///
/// # Errors
/// When the database fails.
pub async fn record(
    connection: &mut PgConnection,
    follower: &Follower,
    delivery: &Delivery,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO webhook_deliveries (tenant_id, webhook_id, delivery_id, position, attempt, at, status,
                                         failure, duration_ms, body_sha256)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(follower.tenant.as_str())
    .bind(follower.id)
    .bind(delivery.id)
    .bind(delivery.position.as_i64())
    .bind(delivery.attempt.cast_signed())
    .bind(delivery.at)
    .bind(delivery.status.map(u16::cast_signed))
    .bind(&delivery.failure)
    .bind(i32::try_from(delivery.took.as_millis()).unwrap_or(i32::MAX))
    .bind(&delivery.body_sha256)
    .execute(connection)
    .await?;
    Ok(())
}

/// A page of an endpoint's deliveries, the latest first. By the primary key.
///
/// # Errors
/// When the database fails.
pub async fn deliveries(
    pool: &PgPool,
    tenant: &TenantId,
    webhook: Uuid,
    after: Option<Uuid>,
    limit: usize,
) -> Result<DeliveryPage, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT delivery_id, position, attempt, at, status, failure, duration_ms, body_sha256
           FROM webhook_deliveries
          WHERE tenant_id = $1 AND webhook_id = $2 AND ($3::uuid IS NULL OR delivery_id < $3)
          ORDER BY delivery_id DESC LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(webhook)
    .bind(after)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1))
    .fetch_all(pool)
    .await?;
    let items = rows.iter().take(limit).map(delivery).collect::<Result<Vec<_>, _>>()?;
    let next = items.last().filter(|_| rows.len() > limit).map(|last| last.id);
    Ok(DeliveryPage { items, next })
}

fn delivery(row: &PgRow) -> Result<Delivery, sqlx::Error> {
    let status: Option<i16> = row.try_get("status")?;
    let took = row.try_get::<i32, _>("duration_ms")?.unsigned_abs();
    Ok(Delivery {
        id: row.try_get("delivery_id")?,
        position: Position::from_i64(row.try_get("position")?),
        attempt: row.try_get::<i32, _>("attempt")?.unsigned_abs(),
        at: row.try_get("at")?,
        status: status.map(i16::cast_unsigned),
        failure: row.try_get("failure")?,
        took: Duration::from_millis(took.into()),
        body_sha256: row.try_get("body_sha256")?,
    })
}

/// Forgets those that were kept long enough. By `webhook_deliveries_at`.
///
/// # Errors
/// When the database fails.
pub async fn forget_deliveries(pool: &PgPool, now: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let before = now - TimeDelta::days(DELIVERIES_KEPT_DAYS.into());
    let mut forgotten = 0;
    loop {
        let batch = sqlx::query(
            "DELETE FROM webhook_deliveries WHERE ctid = ANY (ARRAY (
                 SELECT ctid FROM webhook_deliveries WHERE at < $1 LIMIT $2))",
        )
        .bind(before)
        .bind(BATCH)
        .execute(pool)
        .await?
        .rows_affected();
        forgotten += batch;
        if batch < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
