//! Logs that a projection has not read to the end although nobody looks at them, or has read further than they go.
//!
//! What lists and metrics say of a projection's lag is about active logs. This compares the ends of all logs with the
//! checkpoints, slowly, a page at a time.

use std::fmt;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::{PgPool, Row as _};
use tokio::time::{Instant, sleep};

use crate::ProjectionId;
use crate::checkpoint::tenant_of;
use crate::runner::look;

/// Logs that are compared in one statement.
const PAGE: i64 = 1_000;

/// After a page it is rested so many times as long as that took, and at most so long.
const RESTS: u32 = 2;
const MAX_REST: Duration = Duration::from_secs(1);

/// Logs that are out of step with a projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfStep {
    /// How many.
    pub logs: u64,
    /// Whose the first of them is.
    pub tenant: TenantId,
    /// How far the projection has read it.
    pub read: Position,
    /// Where it ends.
    pub head: Position,
}

impl fmt::Display for OutOfStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logs, tenant, read, head } = self;
        write!(
            formatter,
            "{logs} logs are out of step; that of {tenant} ends at {head}, and is read up to {read}"
        )?;
        if read < head { write!(formatter, " while nobody looks at it") } else { Ok(()) }
    }
}

/// The page by `log_heads_pkey`, the checkpoints by `checkpoints_pkey`; all of one moment.
const COMPARED: &str = "
    WITH page AS MATERIALIZED (
        SELECT tenant_id, position, active FROM log_heads
         WHERE tenant_id > $3 ORDER BY tenant_id LIMIT $4),
         wrong AS MATERIALIZED (
        SELECT p.tenant_id, p.position AS head, coalesce(c.position, 0) AS read
          FROM page p LEFT JOIN LATERAL (
               SELECT position FROM checkpoints
                WHERE tenant_id = p.tenant_id AND projection = $1 AND version = $2
                LIMIT 1) AS c ON true
         WHERE p.position < coalesce(c.position, 0)
            OR p.position > coalesce(c.position, 0) AND NOT p.active)
    SELECT page.tenant_id, page.logs, (SELECT count(*) FROM wrong) AS wrong,
           w.tenant_id AS first, w.head, w.read
      FROM (SELECT max(tenant_id) AS tenant_id, count(*) AS logs FROM page) AS page
           LEFT JOIN (SELECT * FROM wrong ORDER BY tenant_id LIMIT 1) AS w ON true";

/// `None`: each log is read to its end, or is looked at.
pub(crate) async fn out_of_step(
    pool: &PgPool,
    projection: ProjectionId,
) -> Result<Option<OutOfStep>, sqlx::Error> {
    let (mut found, mut after): (Option<OutOfStep>, Option<TenantId>) = (None, None);
    loop {
        let began = Instant::now();
        let mut tx = pool.begin_with(look::BEGIN).await?;
        let row = sqlx::query(COMPARED)
            .bind(projection.name)
            .bind(projection.version)
            .bind(after.as_ref().map_or("", TenantId::as_str))
            .bind(PAGE)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        let wrong = row.try_get::<i64, _>("wrong")?.cast_unsigned();
        match &mut found {
            Some(found) => found.logs += wrong,
            None if wrong == 0 => {}
            None => {
                let first: &str = row.try_get("first")?;
                found = Some(OutOfStep {
                    logs: wrong,
                    tenant: first.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
                    read: Position::from_i64(row.try_get("read")?),
                    head: Position::from_i64(row.try_get("head")?),
                });
            }
        }
        if row.try_get::<i64, _>("logs")? < PAGE {
            return Ok(found);
        }
        after = Some(tenant_of(&row)?);
        sleep((began.elapsed() * RESTS).min(MAX_REST)).await;
    }
}
