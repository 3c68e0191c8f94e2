//! How far a subscription has read its log, and who holds the lease on it: the rows of `checkpoints`.
//!
//! All statements on one row are served by its primary key.

use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::Position;
use daybook_store::log::has_ended;
pub(crate) use daybook_store::tenants::tenant_of;
use sqlx::{PgConnection, PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::ProjectionId;

/// A projection's subscription to a tenant's log: what has a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Subscription {
    pub(crate) tenant: TenantId,
    pub(crate) projection: ProjectionId,
}

/// The lease that a program asks for: who, and for how long by the database's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) leader: Uuid,
    pub(crate) length: Duration,
}

impl Lease {
    fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }
}

/// Takes or keeps the lease, unless another program that lives holds it; then `None`. A projection that has
/// read nothing of the log begins before its first event.
pub(crate) async fn acquire_lease(
    pool: &PgPool,
    subscription: &Subscription,
    lease: Lease,
) -> Result<Option<Position>, sqlx::Error> {
    // Each batch renews the lease; where enough of it is left, nothing is written here.
    let found: Option<(i64, bool)> = sqlx::query_as(
        "SELECT position, coalesce(
                leader = $4 AND lease_until > clock_timestamp() + make_interval(secs => $5) / 2, false)
           FROM checkpoints WHERE tenant_id = $1 AND projection = $2 AND version = $3",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(lease.leader)
    .bind(lease.seconds())
    .fetch_optional(pool)
    .await?;
    match found {
        Some((position, true)) => return Ok(Some(Position::from_i64(position))),
        Some((_, false)) => {}
        None => add(pool, subscription).await?,
    }
    let take = format!(
        "UPDATE checkpoints
            SET leader = $4, lease_until = clock_timestamp() + make_interval(secs => $5)
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND CASE WHEN leader IS NULL OR leader = $4 OR lease_until <= clock_timestamp() THEN true
                     ELSE {} END
         RETURNING position",
        has_ended("leader")
    );
    let position: Option<i64> = sqlx::query_scalar(&take)
        .bind(subscription.tenant.as_str())
        .bind(subscription.projection.name)
        .bind(subscription.projection.version)
        .bind(lease.leader)
        .bind(lease.seconds())
        .fetch_optional(pool)
        .await?;
    Ok(position.map(Position::from_i64))
}

/// Makes the checkpoint before the first event, unless it is there; not while the projection's tables are
/// replaced ([`hold_back_new`]).
async fn add(pool: &PgPool, subscription: &Subscription) -> Result<(), sqlx::Error> {
    let insert = format!(
        "INSERT INTO checkpoints (tenant_id, projection, version, position)
         SELECT $1, $2, $3, 0 FROM pg_advisory_xact_lock_shared({})
         ON CONFLICT DO NOTHING",
        new_of("$2", "$3")
    );
    sqlx::query(&insert)
        .bind(subscription.tenant.as_str())
        .bind(subscription.projection.name)
        .bind(subscription.projection.version)
        .execute(pool)
        .await?;
    Ok(())
}

/// The key of the lock under which new checkpoints of a projection are made.
fn new_of(name: &str, version: &str) -> String {
    format!(
        "hashtextextended('daybook new checkpoints ' || {name}::text || '_' || {version}::int, 0)"
    )
}

/// Until the transaction ends, no checkpoint of this projection comes into being but in it.
pub(crate) async fn hold_back_new(
    connection: &mut PgConnection,
    projection: ProjectionId,
) -> Result<(), sqlx::Error> {
    sqlx::query(&format!("SELECT pg_advisory_xact_lock({})", new_of("$1", "$2")))
        .bind(projection.name)
        .bind(projection.version)
        .execute(connection)
        .await?;
    Ok(())
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
            SET position = $6, lease_until = clock_timestamp() + make_interval(secs => $7),
                failed_position = NULL, failure = NULL
          WHERE tenant_id = $1 AND projection = $2 AND version = $3
            AND leader = $4 AND position = $5",
    )
    .bind(subscription.tenant.as_str())
    .bind(subscription.projection.name)
    .bind(subscription.projection.version)
    .bind(lease.leader)
    .bind(from.as_i64())
    .bind(to.as_i64())
    .bind(lease.seconds())
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

/// Gives up this program's leases on these.
pub(crate) async fn release_leases(
    pool: &PgPool,
    leader: Uuid,
    subscriptions: &[Subscription],
) -> Result<(), sqlx::Error> {
    let tenants: Vec<&str> = subscriptions.iter().map(|it| it.tenant.as_str()).collect();
    let names: Vec<&str> = subscriptions.iter().map(|it| it.projection.name).collect();
    let versions: Vec<i32> = subscriptions.iter().map(|it| it.projection.version).collect();
    sqlx::query(
        "UPDATE checkpoints SET leader = NULL, lease_until = NULL
           FROM unnest($2::text[], $3::text[], $4::int[]) AS u (tenant, name, of_version)
          WHERE tenant_id = u.tenant AND projection = u.name AND version = u.of_version
            AND leader = $1",
    )
    .bind(leader)
    .bind(tenants)
    .bind(names)
    .bind(versions)
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

/// Where a projection is, of each tenant in turn that it has begun with.
pub(crate) async fn positions(
    executor: impl PgExecutor<'_>,
    projection: ProjectionId,
) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    read_positions(executor, projection, "").await
}

/// The same; nobody moves it before this transaction is over.
pub(crate) async fn positions_for_update(
    connection: &mut PgConnection,
    projection: ProjectionId,
) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    read_positions(connection, projection, "FOR UPDATE").await
}

async fn read_positions(
    executor: impl PgExecutor<'_>,
    projection: ProjectionId,
    lock: &str,
) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    let sql = format!(
        "SELECT tenant_id, position FROM checkpoints
          WHERE projection = $1 AND version = $2 ORDER BY tenant_id {lock}"
    );
    let rows = sqlx::query(&sql)
        .bind(projection.name)
        .bind(projection.version)
        .fetch_all(executor)
        .await?;
    rows.iter()
        .map(|row| Ok((tenant_of(row)?, Position::from_i64(row.try_get("position")?))))
        .collect()
}
