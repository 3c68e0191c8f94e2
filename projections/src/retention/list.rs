//! Who is idle since before a moment.

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::Retention;
use crate::Limit;
use crate::kit::statement;

/// How many are counted at most: beyond it, that there are more is all that is said.
pub const MOST_COUNTED: u32 = 100_000;

/// Somebody who has nothing before or behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleClient {
    pub client_id: ClientId,
    pub idle_since: DateTime<Utc>,
}

/// How many are idle, each at most [`MOST_COUNTED`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleCount {
    /// Nothing keeps them.
    pub due: u32,
    /// They are kept because what is known of them is restricted.
    pub restricted: u32,
    /// They are kept because of a legal hold.
    pub on_legal_hold: u32,
}

statement!(
    /// Served by `clients_idle`.
    IDLE: Retention = "
    SELECT client_id, idle_since FROM {schema}.clients
     WHERE tenant_id = $1 AND idle_since < $2 AND NOT (restricted OR on_legal_hold OR erased)
       AND client_id <> ALL ($3)
     ORDER BY idle_since, client_id LIMIT $4"
);

statement!(
    /// Served by `clients_idle`.
    LONGEST: Retention = "
    SELECT min(idle_since) FROM {schema}.clients
     WHERE tenant_id = $1 AND NOT (restricted OR on_legal_hold OR erased)"
);

statement!(
    /// Served by `clients_idle` and `clients_kept`.
    COUNT: Retention = "
    SELECT (SELECT count(*) FROM (
                SELECT FROM {schema}.clients
                 WHERE tenant_id = $1 AND idle_since < $2 AND NOT (restricted OR on_legal_hold OR erased)
                 LIMIT $3) AS due) AS due,
           count(*) FILTER (WHERE restricted) AS restricted,
           count(*) FILTER (WHERE on_legal_hold) AS on_legal_hold
      FROM (SELECT restricted, on_legal_hold FROM {schema}.clients
             WHERE tenant_id = $1 AND idle_since < $2 AND (restricted OR on_legal_hold) AND NOT erased
             LIMIT $3) AS kept"
);

pub(super) async fn idle(
    pool: &PgPool,
    tenant: &TenantId,
    before: DateTime<Utc>,
    but: &[ClientId],
    limit: Limit,
) -> Result<Vec<IdleClient>, sqlx::Error> {
    let but: Vec<Uuid> = but.iter().map(|client| client.uuid()).collect();
    let rows: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(&IDLE.live())
        .bind(tenant.as_str())
        .bind(before)
        .bind(but)
        .bind(i64::try_from(limit.items()).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let idle = |(id, idle_since): (Uuid, _)| IdleClient { client_id: id.into(), idle_since };
    Ok(rows.into_iter().map(idle).collect())
}

pub(super) async fn longest(
    pool: &PgPool,
    tenant: &TenantId,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar(&LONGEST.live()).bind(tenant.as_str()).fetch_one(pool).await
}

pub(super) async fn count(
    pool: &PgPool,
    tenant: &TenantId,
    before: DateTime<Utc>,
) -> Result<IdleCount, sqlx::Error> {
    let row = sqlx::query(&COUNT.live())
        .bind(tenant.as_str())
        .bind(before)
        .bind(i64::from(MOST_COUNTED))
        .fetch_one(pool)
        .await?;
    let of = |name| {
        Ok::<_, sqlx::Error>(u32::try_from(row.try_get::<i64, _>(name)?).unwrap_or(u32::MAX))
    };
    Ok(IdleCount {
        due: of("due")?,
        restricted: of("restricted")?,
        on_legal_hold: of("on_legal_hold")?,
    })
}
