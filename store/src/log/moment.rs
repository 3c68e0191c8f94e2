//! Moments of a log: up to which event it had come by an instant.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{PgConnection, PgPool};

use super::Position;

/// A moment of a tenant's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The last event that had happened.
    pub position: Position,
    /// What the clock showed.
    pub at: DateTime<Utc>,
    /// Where the log ends by now: how much has happened since.
    pub head: Position,
}

/// Which moment is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// When the clock showed this.
    Instant(DateTime<Utc>),
    /// Just after the event at this position.
    Position(Position),
}

/// A moment that has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMoment {
    /// The instant is in the future.
    #[error("it is only {now}")]
    Future {
        /// What the clock shows.
        now: DateTime<Utc>,
    },
    /// There is no event at the position.
    #[error("the log has the positions 1 to {head}")]
    NoPosition {
        /// Where the log ends.
        head: Position,
    },
}

/// `recorded_at` never falls from one position to the next, so an instant is looked for by halving:
/// each step reads one row from `events_tenant_id_position_key`, and all steps are one statement.
pub(crate) const POSITION_AT: &str = "
    WITH RECURSIVE halved (low, high) AS (
         SELECT 0::bigint, position FROM log_heads WHERE tenant_id = $1
         UNION ALL
         SELECT CASE WHEN e.recorded_at <= $2 THEN e.position ELSE h.low END,
                CASE WHEN e.recorded_at <= $2 THEN h.high ELSE e.position - 1 END
           FROM halved h
          CROSS JOIN LATERAL (
                SELECT position, recorded_at FROM events
                 WHERE tenant_id = $1 AND position = (h.low + h.high + 1) / 2) AS e
          WHERE h.low < h.high)
    SELECT low, (SELECT position FROM log_heads WHERE tenant_id = $1) AS head
      FROM halved WHERE low = high";

/// When the event at a position was recorded; `None`: there is none.
///
/// # Errors
/// When the database fails.
pub async fn recorded_at(
    connection: &mut PgConnection,
    tenant: &TenantId,
    position: Position,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar("SELECT recorded_at FROM events WHERE tenant_id = $1 AND position = $2")
        .bind(tenant.as_str())
        .bind(position.as_i64())
        .fetch_optional(connection)
        .await
}

pub(super) async fn moment(
    pool: &PgPool,
    tenant: &TenantId,
    as_of: AsOf,
    now: DateTime<Utc>,
) -> Result<Result<Moment, NoMoment>, sqlx::Error> {
    match as_of {
        AsOf::Instant(at) if at > now => Ok(Err(NoMoment::Future { now })),
        AsOf::Instant(at) => {
            let (position, head) = position_and_head(pool, tenant, at).await?;
            Ok(Ok(Moment { position, at, head }))
        }
        AsOf::Position(position) => {
            let found: Option<(DateTime<Utc>, i64)> = sqlx::query_as(
                "SELECT e.recorded_at, h.position FROM events e JOIN log_heads h USING (tenant_id)
                  WHERE e.tenant_id = $1 AND e.position = $2",
            )
            .bind(tenant.as_str())
            .bind(position.as_i64())
            .fetch_optional(pool)
            .await?;
            if let Some((at, head)) = found {
                return Ok(Ok(Moment { position, at, head: Position::from_i64(head) }));
            }
            let head = super::reader::head(pool, tenant).await?.unwrap_or_default();
            Ok(Err(NoMoment::NoPosition { head }))
        }
    }
}

/// The last position that was recorded by then.
pub(crate) async fn position_at(
    pool: &PgPool,
    tenant: &TenantId,
    at: DateTime<Utc>,
) -> Result<Position, sqlx::Error> {
    Ok(position_and_head(pool, tenant, at).await?.0)
}

async fn position_and_head(
    pool: &PgPool,
    tenant: &TenantId,
    at: DateTime<Utc>,
) -> Result<(Position, Position), sqlx::Error> {
    // Planned each time: a plan that was made while the log was short would read all of it.
    let found: Option<(i64, i64)> = sqlx::query_as(POSITION_AT)
        .persistent(false)
        .bind(tenant.as_str())
        .bind(at)
        .fetch_optional(pool)
        .await?;
    let (position, head) = found.unwrap_or_default();
    Ok((Position::from_i64(position), Position::from_i64(head)))
}
