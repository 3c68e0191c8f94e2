//! How far a subscription has read its log, and who holds the lease on it: the rows of `checkpoints`.
//!
//! All statements on one row are served by its primary key.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::ProjectionId;

/// A projection's subscription to a tenant's log: what has a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subscription {
    pub(crate) tenant: TenantId,
    pub(crate) projection: ProjectionId,
}

/// A checkpoint as it was seen.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    pub(crate) position: Position,
    pub(crate) leader: Option<Uuid>,
    pub(crate) lease_until: Option<DateTime<Utc>>,
    pub(crate) failed_position: Option<Position>,
}

/// The lease that a program asks for: who, by what time, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) leader: Uuid,
    pub(crate) now: DateTime<Utc>,
    pub(crate) length: Duration,
}

impl Lease {
    fn until(&self) -> DateTime<Utc> {
        self.now + self.length
    }
}

/// Makes the checkpoint before the first event, unless it is there.
pub(crate) async fn add(pool: &PgPool, subscription: &Subscription) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO checkpoints (tenant_id, projection, version, position) VALUES ($1, $2, $3, 0)
         ON CONFLICT DO NOTHING",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .execute(pool)
    .await?;
    Ok(())
}

/// Takes or keeps the lease, unless another program holds it; then `None`.
pub(crate) async fn acquire_lease(
    pool: &PgPool,
    subscription: &Subscription,
    lease: Lease,
) -> Result<Option<Position>, sqlx::Error> {
    // Each batch renews the lease; where enough of it is left, nothing is written here.
    let leads: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM checkpoints
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND leader = $4 AND lease_until > $5",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(lease.leader)
    .bind(lease.now + lease.length / 2)
    .fetch_optional(pool)
    .await?;
    if let Some(position) = leads {
        return Ok(Some(Position::from_i64(position)));
    }
    let position: Option<i64> = sqlx::query_scalar(
        "UPDATE checkpoints
            SET leader = $4, lease_until = $5
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND (leader IS NULL OR leader = $4 OR lease_until <= $6)
         RETURNING position",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(lease.leader)
    .bind(lease.until())
    .bind(lease.now)
    .fetch_optional(pool)
    .await?;
    Ok(position.map(Position::from_i64))
}

/// Moves the checkpoint, if it is still where it was and ours; this also renews the lease.
///
/// `false`: the lease is lost, and nothing may be written.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    subscription: &Subscription,
    lease: Lease,
    from: Position,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE checkpoints
            SET position = $6, lease_until = $7, failed_position = NULL, failure = NULL
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND leader = $4 AND position = $5",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(lease.leader)
    .bind(from.as_i64())
    .bind(to.as_i64())
    .bind(lease.until())
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Records at which event the subscription has stalled, and why. `false`: the lease is lost.
pub(crate) async fn stall(
    pool: &PgPool,
    subscription: &Subscription,
    leader: Uuid,
    at: Position,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query(
        "UPDATE checkpoints
            SET failed_position = $5, failure = $6
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND leader = $4 AND position = $5 - 1",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(leader)
    .bind(at.as_i64())
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Gives up all leases of this program. A statement over all tenants: for the end only.
pub(crate) async fn release_leases(pool: &PgPool, leader: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE checkpoints SET leader = NULL, lease_until = NULL WHERE leader = $1")
        .bind(leader)
        .execute(pool)
        .await?;
    Ok(())
}

/// Where one projection of one tenant is; `None`: it has not begun.
pub(crate) async fn position(
    executor: impl PgExecutor<'_>,
    subscription: &Subscription,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM checkpoints
          WHERE tenant_id = $1 AND projection = $2 AND version = $3",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .fetch_optional(executor)
    .await?;
    Ok(position.map(Position::from_i64))
}

/// Where a projection is, of each tenant in turn; nobody moves it before this transaction is over.
pub(crate) async fn positions_for_update(
    connection: &mut PgConnection,
    projection: ProjectionId,
) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT tenant_id, position FROM checkpoints
          WHERE projection = $1 AND version = $2 ORDER BY tenant_id FOR UPDATE",
    )
    .bind(projection.name)
    .bind(projection.version)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((tenant_of(row)?, Position::from_i64(row.try_get("position")?))))
        .collect()
}

/// Whose row it is.
pub(crate) fn tenant_of(row: &PgRow) -> Result<TenantId, sqlx::Error> {
    let tenant: &str = row.try_get("tenant_id")?;
    tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// The checkpoints of these projections. Of all tenants: not for a hot path.
pub(crate) async fn all(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<(Subscription, Checkpoint)>, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let versions: Vec<i32> = projections.iter().map(|id| id.version).collect();
    let rows = sqlx::query(
        "SELECT c.tenant_id, wanted.n, c.position, c.leader, c.lease_until, c.failed_position
           FROM checkpoints c
           JOIN unnest($1::text[], $2::int[]) WITH ORDINALITY AS wanted (projection, version, n)
                USING (projection, version)",
    )
    .bind(names)
    .bind(versions)
    .fetch_all(pool)
    .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let tenant = tenant_of(row)?;
        let nth = usize::try_from(row.try_get::<i64, _>("n")?).unwrap_or_default();
        let Some(&projection) = projections.get(nth.wrapping_sub(1)) else { continue };
        let checkpoint = Checkpoint {
            position: Position::from_i64(row.try_get("position")?),
            leader: row.try_get("leader")?,
            lease_until: row.try_get("lease_until")?,
            failed_position: row
                .try_get::<Option<i64>, _>("failed_position")?
                .map(Position::from_i64),
        };
        found.push((Subscription { tenant, projection }, checkpoint));
    }
    Ok(found)
}
