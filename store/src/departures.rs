//! Tenants that are suspended, and resumed or deleted.
//!
//! Whoever has a key of a suspended tenant is refused, in all programs at once, and nothing else changes. Deleting goes
//! through all tables in bounded batches, each a transaction of its own: it can be stopped anywhere, and goes on when it is
//! asked for again. The log's end goes first, so that nothing is appended any more; the tenant's own row last.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{PgConnection, PgPool};

use crate::audit::{self, AuditEntry, AuditKind};
use crate::keys::{self, tell};
use crate::what_if;

/// How many rows a statement deletes.
const BATCH: i64 = 5_000;

/// The tables that have rows of tenants, beside those of projections and the tenant's own.
const TABLES: [&str; 25] = [
    "api_keys",
    "analysts",
    "browser_sessions",
    "calendar_feeds",
    "templates",
    "issuers",
    "followers",
    "webhooks",
    "webhook_deliveries",
    "commands",
    "claims",
    // Whatever is left, nobody can read it.
    "personal_keys",
    "erasures",
    "restrictions_begun",
    "retention_turns",
    "events_being_sealed",
    "audit_entries",
    "audit_heads",
    "promotions",
    "imports",
    "imported_events",
    "build_parts",
    "build_tenants",
    "checkpoints",
    // Last, so that what is left of a tenant can be told by whoever looks for it.
    "events",
];

/// Why a tenant stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum DepartureError {
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    #[error("{0} is not suspended: `daybook tenant suspend {0}` first, and see who misses it")]
    NotSuspended(TenantId),
    #[error("{0} is being deleted: `daybook tenant delete {0}` goes on with that")]
    Deleting(TenantId),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Refuses all keys of a tenant from now on, everywhere. One that is suspended stays so.
///
/// # Errors
/// When there is no such tenant, or the database fails.
pub async fn suspend(
    pool: &PgPool,
    tenant: &TenantId,
    now: DateTime<Utc>,
) -> Result<(), DepartureError> {
    let mut tx = pool.begin().await?;
    let suspended = sqlx::query(
        "UPDATE tenants SET suspended_at = COALESCE(suspended_at, $2) WHERE tenant_id = $1",
    )
    .bind(tenant.as_str())
    .bind(now)
    .execute(&mut *tx)
    .await?;
    if suspended.rows_affected() == 0 {
        return Err(DepartureError::NoTenant(tenant.clone()));
    }
    tell(&mut tx, keys::ANY).await?;
    record(&mut tx, tenant, audit::entry(now, AuditKind::TenantSuspended)).await?;
    Ok(tx.commit().await?)
}

/// Tells the tenant's audit log, and that of whoever runs daybook.
async fn record(
    tx: &mut PgConnection,
    tenant: &TenantId,
    entry: AuditEntry,
) -> Result<(), sqlx::Error> {
    let entry = entry.to(tenant);
    audit::append(tx, &[(Some(tenant.clone()), entry.clone()), (None, entry)]).await
}

/// Takes a tenant's keys again, everywhere.
///
/// # Errors
/// When there is no such tenant, it is being deleted, or the database fails.
pub async fn resume(
    pool: &PgPool,
    tenant: &TenantId,
    now: DateTime<Utc>,
) -> Result<(), DepartureError> {
    let mut tx = pool.begin().await?;
    let deleting_at: Option<Option<DateTime<Utc>>> =
        sqlx::query_scalar("SELECT deleting_at FROM tenants WHERE tenant_id = $1 FOR UPDATE")
            .bind(tenant.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    match deleting_at {
        None => return Err(DepartureError::NoTenant(tenant.clone())),
        Some(Some(_)) => return Err(DepartureError::Deleting(tenant.clone())),
        Some(None) => {}
    }
    sqlx::query("UPDATE tenants SET suspended_at = NULL WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
    tell(&mut tx, keys::ANY).await?;
    record(&mut tx, tenant, audit::entry(now, AuditKind::TenantResumed)).await?;
    Ok(tx.commit().await?)
}

/// Which of these tenants are suspended, and since when.
///
/// # Errors
/// When the database fails.
pub async fn suspended(
    pool: &PgPool,
    tenants: &[TenantId],
) -> Result<HashMap<TenantId, DateTime<Utc>>, sqlx::Error> {
    let names: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let found: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT tenant_id, suspended_at FROM tenants
          WHERE tenant_id = ANY ($1) AND suspended_at IS NOT NULL",
    )
    .bind(names)
    .fetch_all(pool)
    .await?;
    let tenant = |(name, since): (String, _)| {
        let tenant = name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok((tenant, since))
    };
    found.into_iter().map(tenant).collect()
}

/// Whether a tenant's deletion was begun and is not done.
///
/// # Errors
/// When the database fails.
pub async fn is_leaving(pool: &PgPool, tenant: &TenantId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = $1 AND deleting_at IS NOT NULL)",
    )
    .bind(tenant.as_str())
    .fetch_one(pool)
    .await
}

/// Deletes all that there is of a suspended tenant, also in these schemas of projections. How many rows that were.
///
/// # Errors
/// When there is no such tenant, it is not suspended, or the database fails: then it goes on when it is asked for again.
pub async fn delete(
    pool: &PgPool,
    tenant: &TenantId,
    schemas: &[String],
    now: DateTime<Utc>,
) -> Result<u64, DepartureError> {
    begin(pool, tenant, now).await?;
    let mut rows = 0;
    loop {
        let before = rows;
        for table in tables(pool, schemas).await? {
            loop {
                let batch = delete_batch(pool, &table, tenant).await?;
                rows += batch;
                if batch == 0 {
                    break;
                }
            }
        }
        // A program that was at it when it began may have written once more.
        if rows == before {
            break;
        }
    }
    let mut tx = pool.begin().await?;
    sqlx::query("INSERT INTO deleted_tenants (tenant_id, deleted_at) VALUES ($1, $2)")
        .bind(tenant.as_str())
        .bind(now)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM tenants WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
    let deleted = audit::entry(now, AuditKind::TenantDeleted).to(tenant);
    audit::append(&mut tx, &[(None, deleted)]).await?;
    tx.commit().await?;
    Ok(rows)
}

/// From now on nothing is appended, and nothing undoes it.
async fn begin(pool: &PgPool, tenant: &TenantId, now: DateTime<Utc>) -> Result<(), DepartureError> {
    let mut tx = pool.begin().await?;
    let suspended_at: Option<Option<DateTime<Utc>>> =
        sqlx::query_scalar("SELECT suspended_at FROM tenants WHERE tenant_id = $1 FOR UPDATE")
            .bind(tenant.as_str())
            .fetch_optional(&mut *tx)
            .await?;
    match suspended_at {
        None => return Err(DepartureError::NoTenant(tenant.clone())),
        Some(None) => return Err(DepartureError::NotSuspended(tenant.clone())),
        Some(Some(_)) => {}
    }
    let mark = "UPDATE tenants SET deleting_at = COALESCE(deleting_at, $2) WHERE tenant_id = $1";
    sqlx::query(mark).bind(tenant.as_str()).bind(now).execute(&mut *tx).await?;
    sqlx::query("DELETE FROM log_heads WHERE tenant_id = $1")
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// The tables that can have rows of a tenant.
async fn tables(pool: &PgPool, schemas: &[String]) -> Result<Vec<String>, sqlx::Error> {
    let mut schemas = schemas.to_vec();
    schemas.extend(what_if::all_schemas(pool).await?);
    // Other programs may have tables in this database that have such a column: only ours are looked at.
    let derived: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid
          WHERE n.nspname = ANY ($1) AND c.relkind = 'r'
            AND a.attname = 'tenant_id' AND NOT a.attisdropped
          ORDER BY 1",
    )
    .bind(&schemas)
    .fetch_all(pool)
    .await?;
    Ok(derived.into_iter().chain(TABLES.map(str::to_owned)).collect())
}

async fn delete_batch(pool: &PgPool, table: &str, tenant: &TenantId) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "DELETE FROM {table} WHERE ctid = ANY
             (ARRAY (SELECT ctid FROM {table} WHERE tenant_id = $1 LIMIT {BATCH} FOR UPDATE))"
    );
    match sqlx::query(&sql).bind(tenant.as_str()).execute(pool).await {
        Ok(deleted) => Ok(deleted.rows_affected()),
        // A schema of a projection that was replaced meanwhile: what has come in its place is looked at next time.
        Err(error) if is_gone(&error) => Ok(0),
        Err(error) => Err(error),
    }
}

fn is_gone(error: &sqlx::Error) -> bool {
    const UNDEFINED_TABLE: &str = "42P01";
    const INVALID_SCHEMA: &str = "3F000";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| [UNDEFINED_TABLE, INVALID_SCHEMA].contains(&&*code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{House, a_booking, noon, submission, uuid};
    use crate::{Position, tenants};

    #[tokio::test]
    async fn the_tables_that_have_rows_of_tenants_are_all_of_them() {
        let house = House::new().await;
        let mut all: Vec<String> = sqlx::query_scalar(
            "SELECT table_name::text FROM information_schema.columns
              WHERE table_schema = current_schema() AND column_name = 'tenant_id'",
        )
        .fetch_all(&house.pool)
        .await
        .unwrap();
        all.retain(|table| !["tenants", "deleted_tenants", "log_heads"].contains(&&**table));
        all.sort();
        let mut ours = TABLES.map(str::to_owned);
        ours.sort();
        assert_eq!(all, ours);
    }

    #[tokio::test]
    async fn a_tenant_is_deleted_whole_and_others_stay() {
        let house = House::new().await;
        let (log, pool, tenant) = (house.log(), &house.pool, &house.tenant);
        let other = house.another_tenant("another").await;
        for (tenant, n) in [(tenant, 1), (&other, 2)] {
            let booking = submission(tenant, uuid(n), 0, &a_booking(&[1], 0, 30));
            log.append(booking).await.unwrap();
        }
        let refused = delete(pool, tenant, &[], noon()).await;
        assert!(matches!(refused, Err(DepartureError::NotSuspended(_))), "{refused:?}");
        suspend(pool, tenant, noon()).await.unwrap();
        resume(pool, tenant, noon()).await.unwrap();
        suspend(pool, tenant, noon()).await.unwrap();
        let rows = delete(pool, tenant, &[], noon()).await.unwrap();
        assert!(rows >= 2, "an event and a claim at least: {rows}");
        for table in TABLES {
            let left: i64 =
                sqlx::query_scalar(&format!("SELECT count(*) FROM {table} WHERE tenant_id = $1"))
                    .bind(tenant.as_str())
                    .fetch_one(pool)
                    .await
                    .unwrap();
            assert_eq!(left, 0, "{table}");
        }
        assert_eq!(tenants::read(pool, tenant).await.unwrap(), None);
        assert_eq!(log.head(tenant).await.unwrap(), None);
        assert_eq!(log.head(&other).await.unwrap(), Some(Position::START.plus(1)));
        assert!(!tenants::create(pool, tenant, "UTC", noon()).await.unwrap(), "its name is gone");
        let again = delete(pool, tenant, &[], noon()).await;
        assert!(matches!(again, Err(DepartureError::NoTenant(_))), "{again:?}");
    }

    #[tokio::test]
    async fn what_was_stopped_in_the_middle_goes_on_and_is_not_undone() {
        let house = House::new().await;
        let (log, pool, tenant) = (house.log(), &house.pool, &house.tenant);
        let booking = submission(tenant, uuid(1), 0, &a_booking(&[1], 0, 30));
        log.append(booking).await.unwrap();
        suspend(pool, tenant, noon()).await.unwrap();
        begin(pool, tenant, noon()).await.unwrap();
        let resumed = resume(pool, tenant, noon()).await;
        assert!(matches!(resumed, Err(DepartureError::Deleting(_))), "{resumed:?}");
        assert!(!tenants::create(pool, tenant, "UTC", noon()).await.unwrap());
        assert_eq!(log.head(tenant).await.unwrap(), None, "it has no log to be appended to");
        delete(pool, tenant, &[], noon()).await.unwrap();
        assert_eq!(tenants::read(pool, tenant).await.unwrap(), None);
    }
}
