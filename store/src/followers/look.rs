//! Who has something to be told.
//!
//! A follower that is behind is in one of two places: its log is active, or it is due. A log that comes to rest makes those due that
//! have not been told all of it ([`LET_REST`]), in the transaction in which it does; one that fails is due when it is to be tried
//! again. So whoever looks at both has looked at all, and what rests costs nothing.

use std::collections::BTreeSet;

use daybook_domain::TenantId;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::rows::follower_of;
use super::{Follower, FollowerKind, rows};
use crate::log::has_ended;
use crate::tenants::tenant_of;

/// Active logs in one look. Where there are more, looks follow each other through all of them.
const LOGS: i64 = 500;

/// So many that are due are taken at once.
const DUE: i64 = 500;

/// What is done in the statement that lets logs rest: those that follow them and have not been told all are due from then on.
/// `cleared` has those logs, each with its tenant and its end.
pub const LET_REST: &str = "UPDATE followers f SET due_at = clock_timestamp() FROM cleared c
      WHERE f.tenant_id = c.tenant_id AND f.position < c.position
        AND f.due_at IS NULL AND f.state = 'following'";

/// Where the statistics of a table are old, the planner would read all of it.
const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan = off";

/// Those of these tenants. Each by the primary key.
pub(super) async fn of_tenants(
    pool: &PgPool,
    kind: FollowerKind,
    tenants: &BTreeSet<TenantId>,
) -> Result<Vec<Follower>, sqlx::Error> {
    let tenants: Vec<&str> = tenants.iter().map(TenantId::as_str).collect();
    let found = sqlx::query(
        "SELECT f.tenant_id, f.follower_id
           FROM followers f JOIN log_heads h ON h.tenant_id = f.tenant_id
          WHERE f.tenant_id = ANY ($1) AND f.kind = $2 AND f.state = 'following' AND f.due_at IS NULL
            AND f.position < h.position",
    )
    .bind(tenants)
    .bind(kind.as_str())
    .fetch_all(pool)
    .await?;
    found.iter().map(|row| follower_of(row, kind)).collect()
}

/// Makes those of these tenants that are missing, where each log has one.
pub(super) async fn make_missing(
    pool: &PgPool,
    kind: FollowerKind,
    tenants: &BTreeSet<TenantId>,
) -> Result<(), sqlx::Error> {
    let tenants: Vec<String> = tenants.iter().map(ToString::to_string).collect();
    rows::add_for(pool, kind, &tenants).await.map(drop)
}

/// What a look at active logs has found.
pub(super) struct Page {
    pub(super) behind: Vec<Follower>,
    /// The tenants of all logs that were looked at.
    pub(super) tenants: BTreeSet<TenantId>,
    /// The last of them, where there may be more.
    pub(super) more_after: Option<TenantId>,
}

/// Those of a page of active logs. By `log_heads_active` and the primary key.
pub(super) async fn of_active_logs(
    pool: &PgPool,
    kind: FollowerKind,
    after: Option<&TenantId>,
) -> Result<Page, sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let rows = sqlx::query(
        r#"WITH page AS MATERIALIZED (
               SELECT tenant_id, position FROM log_heads
                WHERE active AND tenant_id COLLATE "C" > $2 ORDER BY tenant_id COLLATE "C" LIMIT $3)
           SELECT p.tenant_id, f.follower_id
             FROM page p LEFT JOIN followers f
               ON f.tenant_id = p.tenant_id AND f.kind = $1 AND f.state = 'following'
                  AND f.due_at IS NULL AND f.position < p.position
            ORDER BY p.tenant_id COLLATE "C""#,
    )
    .bind(kind.as_str())
    .bind(after.map_or("", TenantId::as_str))
    .bind(LOGS)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let mut page = Page { behind: Vec::new(), tenants: BTreeSet::new(), more_after: None };
    for row in &rows {
        let id: Option<Uuid> = row.try_get("follower_id")?;
        let tenant = tenant_of(row)?;
        page.tenants.insert(tenant.clone());
        page.behind.extend(id.map(|id| Follower { tenant, kind, id }));
    }
    if page.tenants.len() >= usize::try_from(LOGS).unwrap_or(usize::MAX) {
        page.more_after = rows.last().map(tenant_of).transpose()?;
    }
    Ok(page)
}

/// Those that are due, but for what another program tells at present. By `followers_due`.
pub(super) async fn due(
    pool: &PgPool,
    kind: FollowerKind,
    me: Uuid,
) -> Result<Vec<Follower>, sqlx::Error> {
    let sql = format!(
        "SELECT tenant_id, follower_id FROM followers
          WHERE kind = $1 AND due_at <= clock_timestamp()
            AND CASE WHEN leader IS NULL OR leader = $2 OR lease_until <= clock_timestamp() THEN true
                     ELSE {} END
          ORDER BY due_at LIMIT $3",
        has_ended("leader")
    );
    let rows = sqlx::query(&sql).bind(kind.as_str()).bind(me).bind(DUE).fetch_all(pool).await?;
    rows.iter().map(|row| follower_of(row, kind)).collect()
}

/// What followers of a kind have not been told.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Backlog {
    /// Events, of all that are behind.
    pub events: u64,
    /// For how long the first of them has waited.
    pub seconds: f64,
    /// How many followers were given up.
    pub stopped: u64,
}

/// What has not been told: of those that are due, and those of active logs; but not of tenants that are suspended, of whom nobody is told.
///
/// # Errors
/// When the database fails.
pub async fn backlog(pool: &PgPool, kind: FollowerKind) -> Result<Backlog, sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let row = sqlx::query(
        r#"WITH behind AS MATERIALIZED (
               SELECT f.tenant_id, f.position, h.position - f.position AS events
                 FROM followers f JOIN log_heads h ON h.tenant_id = f.tenant_id
                WHERE f.kind = $1 AND f.due_at IS NOT NULL AND f.position < h.position
               UNION ALL
               SELECT f.tenant_id, f.position, h.position - f.position
                 FROM log_heads h JOIN followers f ON f.tenant_id = h.tenant_id
                WHERE h.active AND h.tenant_id COLLATE "C" > '' AND f.kind = $1 AND f.due_at IS NULL
                  AND f.state = 'following' AND f.position < h.position)
           SELECT coalesce(sum(events), 0)::bigint AS events,
                  coalesce(extract(epoch FROM clock_timestamp() - min((
                      SELECT e.recorded_at FROM events e
                       WHERE e.tenant_id = b.tenant_id AND e.position = b.position + 1))), 0)::float8 AS seconds,
                  (SELECT count(*) FROM followers WHERE kind = $1 AND state = 'stopped') AS stopped
             FROM behind b
            WHERE NOT EXISTS (SELECT FROM tenants t
                               WHERE t.tenant_id = b.tenant_id AND t.suspended_at IS NOT NULL)"#,
    )
    .bind(kind.as_str())
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Backlog {
        events: row.try_get::<i64, _>("events")?.unsigned_abs(),
        seconds: row.try_get::<f64, _>("seconds")?.max(0.0),
        stopped: row.try_get::<i64, _>("stopped")?.unsigned_abs(),
    })
}
