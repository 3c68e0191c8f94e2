//! Are a projection's rows what the log says? It is rebuilt in a shadow schema, and compared row by row.

use std::sync::Arc;

use daybook_domain::TenantId;
use sqlx::{PgConnection, Row as _};
use tokio_util::sync::CancellationToken;

use crate::checkpoint::{self, Subscription};
use crate::out_of_step::{OutOfStep, out_of_step};
use crate::rebuild::{RebuildError, RebuildTarget, Rebuilder, state};
use crate::schema::{self, run};
use crate::{Projection, Schema};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// For how many tenants.
    pub tenants: u64,
    /// How many rows were compared, of all tables.
    pub rows: u64,
    /// The first row that is not as it should be.
    pub difference: Option<Difference>,
    /// The logs that it has not read to the end although nobody looks at them.
    pub out_of_step: Option<OutOfStep>,
}

/// A row that is there and should not be, or should be there and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{tenant}: {table} {what}: {row}", what = if *.too_much { "should not have" } else { "lacks" })]
pub struct Difference {
    pub tenant: TenantId,
    /// In which table.
    pub table: String,
    /// Whether it is there; else it should be.
    pub too_much: bool,
    /// The row, as JSON.
    pub row: String,
}

/// Rebuilds a projection's rows, up to where the live ones are, and compares; and compares with the ends of all logs how
/// far they have been read. Nobody has to wait for it, and nothing of it remains.
///
/// # Errors
/// When it cannot be compared. [`RebuildError::TakenOver`]: somebody else verifies it at present.
pub async fn verify(
    rebuilder: &Rebuilder,
    projection: &Arc<dyn Projection>,
    cancel: &CancellationToken,
) -> Result<Verification, RebuildError> {
    let target = rebuilder.target(projection, "verifying", cancel);
    let Some(lock) = target.lock().await? else { return Err(RebuildError::TakenOver) };
    discard(&target).await?;
    let verified = compare(rebuilder, &target).await;
    discard(&target).await?;
    lock.release().await;
    verified
}

async fn compare(
    rebuilder: &Rebuilder,
    target: &Arc<RebuildTarget>,
) -> Result<Verification, RebuildError> {
    let (pool, id) = (target.log.pool(), target.projection.id());
    state::request(pool, &target.schema, id, rebuilder.clock.now()).await?;
    let heads = checkpoint::positions(pool, id).await?;
    rebuilder.fill_to(target, &heads).await?;
    let mut found = Verification { tenants: 0, rows: 0, difference: None, out_of_step: None };
    // What is not made yet has not read anything.
    if !schema::whole(pool, &[id]).await?.is_empty() {
        found.out_of_step = out_of_step(pool, id).await?;
    }
    for rows in state::tenants(pool, &target.schema).await? {
        target.ensure_wanted().await?;
        found.tenants += 1;
        // The position and the rows of one moment.
        let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
        let subscription = Subscription { tenant: rows.tenant.clone(), projection: id };
        let live = checkpoint::position(&mut *tx, &subscription).await?.unwrap_or_default();
        let from = rows.position.unwrap_or_default();
        crate::rebuild::catch_up(target, &mut tx, &rows.tenant, from, live).await?;
        let difference = differs(&mut tx, target, &rows.tenant, &mut found.rows).await?;
        tx.rollback().await?;
        if difference.is_some() {
            return Ok(Verification { difference, ..found });
        }
    }
    Ok(found)
}

/// The first row that is in one of the schemas only.
async fn differs(
    connection: &mut PgConnection,
    target: &RebuildTarget,
    tenant: &TenantId,
    compared: &mut u64,
) -> Result<Option<Difference>, sqlx::Error> {
    let live = Schema::of(target.projection.id());
    for table in schema::tables_of(connection, &live).await? {
        let made = &target.schema;
        let rows: i64 = sqlx::query_scalar(&format!(
            "SELECT count(*) FROM {live}.{table} WHERE tenant_id = $1"
        ))
        .bind(tenant.as_str())
        .fetch_one(&mut *connection)
        .await?;
        *compared += rows.cast_unsigned();
        let sql = format!(
            "WITH live AS (SELECT to_jsonb(t)::text AS r FROM {live}.{table} t WHERE tenant_id = $1),
                  made AS (SELECT to_jsonb(t)::text AS r FROM {made}.{table} t WHERE tenant_id = $1)
             (SELECT true AS too_much, r FROM (TABLE live EXCEPT ALL TABLE made) AS l LIMIT 1)
             UNION ALL
             (SELECT false, r FROM (TABLE made EXCEPT ALL TABLE live) AS m LIMIT 1)"
        );
        let row = sqlx::query(&sql).bind(tenant.as_str()).fetch_optional(&mut *connection).await?;
        if let Some(row) = row {
            return Ok(Some(Difference {
                tenant: tenant.clone(),
                table: format!("{live}.{table}"),
                too_much: row.try_get("too_much")?,
                row: row.try_get("r")?,
            }));
        }
    }
    Ok(None)
}

async fn discard(target: &RebuildTarget) -> Result<(), sqlx::Error> {
    let mut tx = target.log.owners_pool().begin().await?;
    run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", target.schema)).await?;
    state::remove(&mut tx, &target.schema).await?;
    tx.commit().await
}
