//! How far projections are: what `/readyz`, `/v1/projections` and `daybook projections list` tell.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::{Log, Position};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};

use crate::rebuild::shadow;
use crate::runner::look;
use crate::{Phase, ProjectionId, schema};

/// Whether a projection can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It can.
    Ready,
    /// It is being built for the first time, or waits for that.
    Building,
    /// Its rebuild was cancelled before it could be read.
    Cancelled,
}

impl State {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Building => "building",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How far a rebuild of a projection is, the first one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuildProgress {
    /// What is done at present; `None`: nobody has begun.
    pub phase: Option<Phase>,
    /// Events that are done.
    pub events_done: u64,
    /// Events there are.
    pub events_total: u64,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// Why it has stalled.
    pub failure: Option<String>,
}

impl RebuildProgress {
    /// Events in a second, since it was begun.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn events_per_second(&self, now: DateTime<Utc>) -> f64 {
        let seconds = self.started_at.map_or(0.0, |began| (now - began).as_seconds_f64());
        if seconds > 0.0 { self.events_done as f64 / seconds } else { 0.0 }
    }

    /// How many seconds are left, if it goes on as it did.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn seconds_left(&self, now: DateTime<Utc>) -> Option<f64> {
        let rate = self.events_per_second(now);
        let left = self.events_total.saturating_sub(self.events_done);
        (rate > 0.0).then(|| left as f64 / rate)
    }
}

/// How far a projection is, over all tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub projection: ProjectionId,
    /// Whether it can be read.
    pub state: State,
    /// How far it is with being rebuilt.
    pub rebuild: Option<RebuildProgress>,
    /// For how many tenants there are events that it has not read.
    pub tenants_behind: u64,
    /// How many events it has not read, over all tenants.
    pub events_behind: u64,
    /// For how many tenants it is stalled at an event that it cannot apply.
    pub tenants_stalled: u64,
}

/// Whether a projection can be read, whatever it has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildStatus {
    pub projection: ProjectionId,
    pub state: State,
    /// How far it is with being rebuilt.
    pub rebuild: Option<RebuildProgress>,
}

/// How far a projection is with one tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantStatus {
    pub projection: ProjectionId,
    /// Whether it can be read.
    pub state: State,
    /// How far it is with being rebuilt, for all tenants.
    pub rebuild: Option<RebuildProgress>,
    /// How far it has read the log.
    pub position: Position,
    /// Where the log ends.
    pub head: Position,
    /// The event that it is stalled at, and why.
    pub stalled: Option<(Position, String)>,
}

pub(crate) async fn builds(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<BuildStatus>, sqlx::Error> {
    let made = made(pool, projections).await?;
    let status = |(projection, (state, rebuild))| BuildStatus { projection, state, rebuild };
    Ok(made.into_iter().map(status).collect())
}

/// Whoever rests has been read to the end, by all: by `log_heads_active`, and of these by `checkpoints_pkey`. Those that
/// are stalled by `checkpoints_stalled`.
pub(crate) const OF_ALL: &str = "
    WITH wanted AS (
        SELECT * FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS w (projection, version, n)),
         behind AS (
        SELECT w.n, h.position - coalesce(c.position, 0) AS events
          FROM log_heads h CROSS JOIN wanted w
               LEFT JOIN LATERAL (
                   SELECT position FROM checkpoints
                    WHERE tenant_id = h.tenant_id AND projection = w.projection AND version = w.version
                    LIMIT 1) AS c ON true
         WHERE h.active AND h.position > coalesce(c.position, 0))
    SELECT count(b.n) AS tenants_behind, coalesce(sum(b.events), 0)::bigint AS events_behind,
           (SELECT count(*) FROM checkpoints s
             WHERE s.projection = w.projection AND s.version = w.version
               AND s.failed_position IS NOT NULL) AS tenants_stalled
      FROM wanted w LEFT JOIN behind b ON b.n = w.n
     GROUP BY w.n, w.projection, w.version ORDER BY w.n";

pub(crate) async fn of_all(
    log: &Log,
    projections: &[ProjectionId],
) -> Result<Vec<Status>, sqlx::Error> {
    let mut made = made(log.pool(), projections).await?;
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let versions: Vec<i32> = projections.iter().map(|id| id.version).collect();
    let mut tx = log.pool().begin_with(look::BEGIN).await?;
    let rows = sqlx::query(OF_ALL).bind(names).bind(versions).fetch_all(&mut *tx).await?;
    tx.commit().await?;
    let status = |(projection, row): (ProjectionId, &PgRow)| {
        let (state, rebuild) = made.remove(&projection).unwrap_or((State::Building, None));
        let number = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
        Ok(Status {
            projection,
            state,
            rebuild,
            tenants_behind: number("tenants_behind")?,
            events_behind: number("events_behind")?,
            tenants_stalled: number("tenants_stalled")?,
        })
    };
    projections.iter().copied().zip(&rows).map(status).collect()
}

pub(crate) async fn of_tenant(
    log: &Log,
    projections: &[ProjectionId],
    tenant: &TenantId,
) -> Result<Vec<TenantStatus>, sqlx::Error> {
    let mut made = made(log.pool(), projections).await?;
    let rows = sqlx::query(
        "SELECT projection, version, position, failed_position, failure
           FROM checkpoints WHERE tenant_id = $1",
    )
    .bind(tenant.as_str())
    .fetch_all(log.pool())
    .await?;
    let head = log.head(tenant).await?.unwrap_or_default();
    let mut statuses = Vec::with_capacity(projections.len());
    for &projection in projections {
        let (state, rebuild) = made.remove(&projection).unwrap_or((State::Building, None));
        let (mut position, mut stalled) = (Position::START, None);
        for row in &rows {
            let (name, version): (&str, i32) =
                (row.try_get("projection")?, row.try_get("version")?);
            if (name, version) == (projection.name, projection.version) {
                position = Position::from_i64(row.try_get("position")?);
                let at: Option<i64> = row.try_get("failed_position")?;
                let why: Option<String> = row.try_get("failure")?;
                stalled = at.map(|at| (Position::from_i64(at), why.unwrap_or_default()));
            }
        }
        statuses.push(TenantStatus { projection, state, rebuild, position, head, stalled });
    }
    Ok(statuses)
}

type Made = HashMap<ProjectionId, (State, Option<RebuildProgress>)>;

async fn made(pool: &PgPool, projections: &[ProjectionId]) -> Result<Made, sqlx::Error> {
    let whole = schema::whole(pool, projections).await?;
    let shadows: Vec<String> = projections.iter().map(|id| shadow(*id).to_string()).collect();
    // All tenants are summed up only where something of these is being made: what was cancelled stays in the table.
    let rows = sqlx::query(
        "SELECT b.schema_name, b.phase, b.started_at, b.cancelled_at IS NOT NULL AS cancelled,
                b.failure, t.done AS tenants_done, t.target, p.events,
                CASE WHEN b.cancelled_at IS NULL
                     THEN (SELECT coalesce(sum(position), 0)::bigint FROM log_heads) END AS heads
           FROM builds b,
        LATERAL (SELECT coalesce(sum(position), 0)::bigint AS done,
                        coalesce(sum(target), 0)::bigint AS target
                   FROM build_tenants
                  WHERE schema_name = b.schema_name AND b.cancelled_at IS NULL) AS t,
        LATERAL (SELECT coalesce(sum(events), 0)::bigint AS events
                   FROM build_parts
                  WHERE schema_name = b.schema_name AND b.cancelled_at IS NULL) AS p
          WHERE b.schema_name = ANY($1)",
    )
    .bind(shadows)
    .fetch_all(pool)
    .await?;
    let mut made = Made::new();
    for &projection in projections {
        let mut state = if whole.contains(&projection) { State::Ready } else { State::Building };
        let mut rebuild = None;
        let schema = shadow(projection).to_string();
        for row in &rows {
            if row.try_get::<&str, _>("schema_name")? != schema {
                continue;
            }
            if row.try_get("cancelled")? {
                if state == State::Building {
                    state = State::Cancelled;
                }
                continue;
            }
            let phase = row.try_get::<Option<&str>, _>("phase")?.and_then(Phase::named);
            let number = |column| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
            let (done, total) = match phase {
                None => (0, number("heads")?),
                Some(Phase::Filling) => (number("events")?, number("target")?),
                Some(Phase::Indexing) if number("events")? > 0 => {
                    (number("target")?, number("target")?)
                }
                Some(Phase::Indexing | Phase::Following) => {
                    (number("tenants_done")?, number("heads")?)
                }
            };
            rebuild = Some(RebuildProgress {
                phase,
                events_done: done.min(total),
                events_total: total,
                started_at: row.try_get("started_at")?,
                failure: row.try_get("failure")?,
            });
        }
        made.insert(projection, (state, rebuild));
    }
    Ok(made)
}
