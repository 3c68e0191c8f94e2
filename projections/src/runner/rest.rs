//! Which logs are active: who clears that, and who sets it again where it should not have been cleared.
//!
//! `append_batch` sets it, in the statement that moves the head. It is cleared by compare-and-set on the head's
//! position: an append that comes first makes it fail, and one that comes later sets it again, so no commit is
//! ever overlooked. What that does not cover is a projection that nobody is known to read while it is cleared, and
//! that somebody reads later. Therefore all logs are compared when a program begins to read a projection, when one
//! has been rebuilt, and now and then.

use daybook_domain::TenantId;
use daybook_store::followers::LET_REST;
use sqlx::{Connection as _, PgConnection, PgPool, Row as _};

use super::look;
use crate::ProjectionId;
use crate::checkpoint::tenant_of;
use crate::deployments::READ_BY_SOMEBODY;

/// Tenants that are compared in one statement.
const PAGE: i64 = 1_000;

/// Clears what has rested for so many seconds, of one page of active logs: where all projections that this program
/// or any other reads are at the end. Whoever commits at this moment is passed over. Who follows such a log outside
/// and has not been told all of it is due from then on, by the same statement.
pub(crate) async fn let_rest(
    connection: &mut PgConnection,
    projections: &[ProjectionId],
    (after, up_to): (Option<&TenantId>, Option<&TenantId>),
    rested: f64,
) -> Result<u64, sqlx::Error> {
    let sql = format!(
        r#"WITH wanted AS (
                SELECT * FROM unnest($1::text[], $2::int[]) AS w (projection, version)
                UNION SELECT projection, version FROM projection_readers WHERE {READ_BY_SOMEBODY}),
              made AS MATERIALIZED (
                SELECT w.* FROM wanted w
                  JOIN pg_namespace n ON n.nspname = w.projection || '_' || w.version),
              resting AS MATERIALIZED (
                SELECT h.tenant_id, h.position FROM log_heads h
                 WHERE h.active AND h.tenant_id COLLATE "C" > $3
                   AND ($4::text IS NULL OR h.tenant_id COLLATE "C" <= $4)
                   AND h.recorded_at < clock_timestamp() - make_interval(secs => $5)
                   AND NOT EXISTS (
                       SELECT FROM made m
                        WHERE h.position > coalesce((
                              SELECT c.position FROM checkpoints c
                               WHERE c.tenant_id = h.tenant_id AND c.projection = m.projection
                                 AND c.version = m.version), 0))
                   FOR UPDATE OF h SKIP LOCKED),
              cleared AS (
                UPDATE log_heads h SET active = false FROM resting r
                 WHERE h.tenant_id = r.tenant_id AND h.position = r.position AND h.active
                RETURNING h.tenant_id, h.position),
              handed_over AS ({LET_REST})
         SELECT count(*) FROM cleared"#
    );
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let versions: Vec<i32> = projections.iter().map(|id| id.version).collect();
    let mut tx = connection.begin_with(look::BEGIN).await?;
    let cleared: i64 = sqlx::query_scalar(&sql)
        .bind(names)
        .bind(versions)
        .bind(after.map_or("", TenantId::as_str))
        .bind(up_to.map(TenantId::as_str))
        .bind(rested)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(cleared.unsigned_abs())
}

/// What was found in a page of all logs.
pub(crate) struct Compared {
    /// The last one, where there may be more.
    pub(crate) more_after: Option<TenantId>,
    /// How many were made active.
    pub(crate) made_active: u64,
}

/// Makes those logs active that are not and that these projections have not read to the end: of one page of all
/// logs, after this tenant's. Whoever commits at this moment is passed over: that commit
/// makes the log active.
pub(crate) async fn compare(
    pool: &PgPool,
    projections: &[ProjectionId],
    after: Option<&TenantId>,
) -> Result<Compared, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let versions: Vec<i32> = projections.iter().map(|id| id.version).collect();
    let mut tx = pool.begin_with(look::BEGIN).await?;
    let row = sqlx::query(
        "WITH page AS MATERIALIZED (
                SELECT tenant_id, position, active FROM log_heads
                 WHERE tenant_id > $3 ORDER BY tenant_id LIMIT $4),
              left_behind AS MATERIALIZED (
                SELECT h.tenant_id FROM page p JOIN log_heads h ON h.tenant_id = p.tenant_id
                 WHERE NOT p.active AND NOT h.active AND p.position > 0
                   AND EXISTS (
                       SELECT FROM unnest($1::text[], $2::int[]) AS w (projection, version)
                        WHERE p.position > coalesce((
                              SELECT c.position FROM checkpoints c
                               WHERE c.tenant_id = p.tenant_id AND c.projection = w.projection
                                 AND c.version = w.version), 0))
                   FOR UPDATE OF h SKIP LOCKED),
              made AS (
                UPDATE log_heads h SET active = true FROM left_behind l
                 WHERE h.tenant_id = l.tenant_id AND NOT h.active RETURNING 1)
         SELECT (SELECT max(tenant_id) FROM page) AS tenant_id, (SELECT count(*) FROM page) AS seen,
                (SELECT count(*) FROM made) AS made_active",
    )
    .bind(names)
    .bind(versions)
    .bind(after.map_or("", TenantId::as_str))
    .bind(PAGE)
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    let full = row.try_get::<i64, _>("seen")? == PAGE;
    Ok(Compared {
        more_after: full.then(|| tenant_of(&row)).transpose()?,
        made_active: row.try_get::<i64, _>("made_active")?.cast_unsigned(),
    })
}
