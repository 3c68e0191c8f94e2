//! Whose clients are erased when they have not been there for long: the tenants that have settled on it, each with the time at which it is
//! looked at next. All others have no row here, and cost nothing.
//!
//! Programs take turns: whoever takes up a tenant puts its time off first, so that another takes the next. If it ends in the middle of it,
//! the tenant's time comes again.

use std::time::Duration;

use daybook_domain::{RetentionDays, TenantId};
use sqlx::{PgConnection, PgPool};

/// For how long nobody else looks at a tenant that was taken up.
const LEASE: Duration = Duration::from_mins(2);

/// A tenant has settled on something: it is looked at soon, or never again.
pub(crate) async fn settled(
    tx: &mut PgConnection,
    tenant: &TenantId,
    days: RetentionDays,
) -> Result<(), sqlx::Error> {
    let statement = if days.is_never() {
        "DELETE FROM retention_turns WHERE tenant_id = $1"
    } else {
        "INSERT INTO retention_turns (tenant_id, look_at) VALUES ($1, now())
         ON CONFLICT (tenant_id) DO UPDATE SET look_at = now()"
    };
    sqlx::query(statement).bind(tenant.as_str()).execute(tx).await?;
    Ok(())
}

/// Takes up the tenant whose time came first; `None`: nobody's has come.
///
/// # Errors
/// When the database fails.
pub async fn take_turn(pool: &PgPool) -> Result<Option<TenantId>, sqlx::Error> {
    // Served by `retention_turns_by_time`.
    let taken: Option<String> = sqlx::query_scalar(
        "UPDATE retention_turns SET look_at = now() + make_interval(secs => $1)
          WHERE tenant_id = (SELECT tenant_id FROM retention_turns WHERE look_at <= now()
                              ORDER BY look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING tenant_id",
    )
    .bind(LEASE.as_secs_f64())
    .fetch_optional(pool)
    .await?;
    let tenant = |name: String| name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)));
    taken.map(tenant).transpose()
}

/// Looks at a tenant again after this time, unless that comes by itself sooner.
///
/// # Errors
/// When the database fails.
pub async fn rest(pool: &PgPool, tenant: &TenantId, time: Duration) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE retention_turns SET look_at = now() + make_interval(secs => $2)
          WHERE tenant_id = $1 AND look_at > now()",
    )
    .bind(tenant.as_str())
    .bind(time.as_secs_f64())
    .execute(pool)
    .await?;
    Ok(())
}
