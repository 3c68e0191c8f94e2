//! Are a projection's rows what the log says? They are made again beside, and compared row by row.

use std::sync::Arc;

use daybook_domain::TenantId;
use sqlx::{PgConnection, Row as _};
use tokio_util::sync::CancellationToken;

use crate::build::{BuildError, Builder, Site, state};
use crate::checkpoint::{self, Key};
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
}

/// A row that is there and should not be, or should be there and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{tenant}: {table} {what}: {row}", what = if *.too_much { "should not have" } else { "lacks" })]
pub struct Difference {
    /// Whose.
    pub tenant: TenantId,
    /// In which table.
    pub table: String,
    /// Whether it is there; else it should be.
    pub too_much: bool,
    /// The row, as JSON.
    pub row: String,
}

/// Makes a projection's rows again, up to where the rows that are read are, and compares. Nobody has
/// to wait for it, and nothing of it remains.
///
/// # Errors
/// When it cannot be compared. [`BuildError::TakenOver`]: somebody else verifies it at present.
pub async fn verify(
    builder: &Builder,
    projection: &Arc<dyn Projection>,
    cancel: &CancellationToken,
) -> Result<Verification, BuildError> {
    let site = builder.site(projection, "verifying", cancel);
    let Some(lock) = site.lock().await? else { return Err(BuildError::TakenOver) };
    clear_away(&site).await?;
    let verified = compare(builder, &site).await;
    clear_away(&site).await?;
    lock.release().await;
    verified
}

async fn compare(builder: &Builder, site: &Arc<Site>) -> Result<Verification, BuildError> {
    let (pool, id) = (site.log.pool(), site.projection.id());
    state::request(pool, &site.schema, id, builder.clock.now()).await?;
    let targets: Vec<_> = checkpoint::all(pool, &[id])
        .await?
        .into_iter()
        .map(|(key, checkpoint)| (key.tenant, checkpoint.position))
        .collect();
    builder.fill_to(site, &targets).await?;
    let mut found = Verification { tenants: 0, rows: 0, difference: None };
    for rows in state::tenants(pool, &site.schema).await? {
        site.go_on().await?;
        found.tenants += 1;
        // The position and the rows of one moment.
        let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
        let key = Key { tenant: rows.tenant.clone(), projection: id };
        let live = checkpoint::position(&mut *tx, &key).await?.unwrap_or_default();
        let from = rows.position.unwrap_or_default();
        crate::build::catch_up(site, &mut tx, &rows.tenant, from, live).await?;
        let difference = differs(&mut tx, site, &rows.tenant, &mut found.rows).await?;
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
    site: &Site,
    tenant: &TenantId,
    compared: &mut u64,
) -> Result<Option<Difference>, sqlx::Error> {
    let live = Schema::of(site.projection.id());
    for table in schema::tables_of(connection, &live).await? {
        let made = &site.schema;
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

async fn clear_away(site: &Site) -> Result<(), sqlx::Error> {
    let mut tx = site.log.pool().begin().await?;
    run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", site.schema)).await?;
    state::remove(&mut tx, &site.schema).await?;
    tx.commit().await
}
