//! One look at which subscriptions are behind: at those tenants only whose logs are active.

use daybook_domain::TenantId;
use daybook_store::Position;
use daybook_store::log::has_ended;
use sqlx::{Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::ProjectionId;
use crate::checkpoint::{Subscription, tenant_of};

/// Tenants in one look. Where there are more, looks follow each other through all of them.
const PAGE: i64 = 500;

/// A subscription that is behind.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) subscription: Subscription,
    pub(super) head: Position,
    pub(super) position: Position,
    pub(super) is_stalled: bool,
    /// Whether the lease can be had: it is this program's or nobody's, has lapsed, or its leader has ended.
    pub(super) is_free: bool,
    /// How long ago the first event was recorded that it has not read, by the database's clock.
    pub(super) seconds: f64,
}

/// What was seen.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) behind: Vec<Behind>,
    /// The last tenant that was looked at, where there may be more.
    pub(super) more_after: Option<TenantId>,
    /// Whether there are active logs that have rested for a while.
    pub(super) some_rest: bool,
}

/// Where the statistics of a table are old, the planner would read all of it.
pub(crate) const BEGIN: &str = "BEGIN; SET LOCAL enable_seqscan = off";

/// The page from the index `log_heads_active`; checkpoints and events each from its primary or unique key. The
/// last row is about the page.
const LOOK: &str = r#"
    WITH page AS MATERIALIZED (
        SELECT tenant_id, position, recorded_at FROM log_heads
         WHERE active AND tenant_id COLLATE "C" > $3 ORDER BY tenant_id COLLATE "C" LIMIT $4)
    SELECT p.tenant_id, w.n, p.position AS head, coalesce(c.position, 0) AS position,
           c.failed_position IS NOT NULL AS is_stalled,
           CASE WHEN c.leader IS NULL OR c.leader = $5 OR c.lease_until <= clock_timestamp() THEN true
                ELSE {has_ended} END AS is_free,
           coalesce(extract(epoch FROM clock_timestamp() - (
               SELECT e.recorded_at FROM events e
                WHERE e.tenant_id = p.tenant_id AND e.position = coalesce(c.position, 0) + 1)), 0)::float8
               AS seconds
      FROM page p
           CROSS JOIN unnest($1::text[], $2::int[]) WITH ORDINALITY AS w (projection, version, n)
           LEFT JOIN LATERAL (
               SELECT * FROM checkpoints
                WHERE tenant_id = p.tenant_id AND projection = w.projection AND version = w.version
                LIMIT 1) AS c ON true
     WHERE p.position > coalesce(c.position, 0)
    UNION ALL
    SELECT max(tenant_id COLLATE "C"), NULL, count(*),
           count(*) FILTER (WHERE recorded_at < clock_timestamp() - make_interval(secs => $6)),
           false, false, 0
      FROM page"#;

pub(crate) fn statement() -> String {
    LOOK.replace("{has_ended}", &has_ended("c.leader"))
}

/// Looks at the active logs after this tenant's, and at these projections; `rested`: in seconds.
pub(super) async fn look(
    connection: &mut PgConnection,
    projections: &[ProjectionId],
    after: Option<&TenantId>,
    me: Uuid,
    rested: f64,
) -> Result<Look, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let versions: Vec<i32> = projections.iter().map(|id| id.version).collect();
    let mut tx = connection.begin_with(BEGIN).await?;
    let rows = sqlx::query(&statement())
        .bind(names)
        .bind(versions)
        .bind(after.map_or("", TenantId::as_str))
        .bind(PAGE)
        .bind(me)
        .bind(rested)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    let mut look = Look { behind: Vec::new(), more_after: None, some_rest: false };
    for row in &rows {
        let (head, position): (i64, i64) = (row.try_get("head")?, row.try_get("position")?);
        let Some(nth) = row.try_get::<Option<i64>, _>("n")? else {
            if head == PAGE {
                look.more_after = Some(tenant_of(row)?);
            }
            look.some_rest = position > 0;
            continue;
        };
        let nth = usize::try_from(nth).unwrap_or_default();
        let Some(&projection) = projections.get(nth.wrapping_sub(1)) else { continue };
        look.behind.push(Behind {
            subscription: Subscription { tenant: tenant_of(row)?, projection },
            head: Position::from_i64(head),
            position: Position::from_i64(position),
            is_stalled: row.try_get("is_stalled")?,
            is_free: row.try_get("is_free")?,
            seconds: row.try_get("seconds")?,
        });
    }
    Ok(look)
}
