//! The record of a rebuild: the rows of `builds`, `build_tenants` and `build_parts`.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, PgPool, Row as _};

use super::shadow;
use crate::checkpoint::tenant_of;
use crate::{ProjectionId, Schema};

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Streams are folded, and their rows copied.
    Filling,
    /// Indexes are made.
    Indexing,
    /// What has happened since, or all of it, is applied in the order of the log.
    Following,
}

impl Phase {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filling => "filling",
            Self::Indexing => "indexing",
            Self::Following => "following",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Filling, Self::Indexing, Self::Following].into_iter().find(|it| it.as_str() == name)
    }
}

/// A rebuild as it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct RebuildRecord {
    pub(crate) phase: Option<Phase>,
    pub(crate) cancelled: bool,
}

/// How far a tenant's rows are.
#[derive(Debug, Clone)]
pub(crate) struct TenantProgress {
    pub(crate) tenant: TenantId,
    pub(crate) target: Position,
    /// `None`: streams are being folded.
    pub(crate) position: Option<Position>,
}

/// A part that is done: up to which stream, and whether there are more.
#[derive(Debug, Clone)]
pub(crate) struct RecordedPart {
    pub(crate) upto: String,
    pub(crate) more: bool,
}

/// Those of these projections that are missing or to be rebuilt.
pub(crate) async fn wanted(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<ProjectionId>, sqlx::Error> {
    let live: Vec<String> = projections.iter().map(ToString::to_string).collect();
    let shadows: Vec<String> = projections.iter().map(|id| shadow(*id).to_string()).collect();
    let wanted: Vec<String> = sqlx::query_scalar(
        "SELECT w.live FROM unnest($1::text[], $2::text[]) AS w (live, shadow)
          WHERE EXISTS (SELECT FROM builds WHERE schema_name = w.shadow)
             OR NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = w.live)",
    )
    .bind(live)
    .bind(shadows)
    .fetch_all(pool)
    .await?;
    Ok(projections.iter().copied().filter(|id| wanted.contains(&id.to_string())).collect())
}

/// Asks for a rebuild; one that was cancelled begins anew.
pub(crate) async fn request(
    pool: &PgPool,
    schema: &Schema,
    projection: ProjectionId,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO builds (schema_name, projection, version, requested_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (schema_name) DO UPDATE SET cancelled_at = NULL, failure = NULL",
    )
    .bind(schema.to_string())
    .bind(projection.name)
    .bind(projection.version)
    .bind(now)
    .execute(pool)
    .await?;
    Ok(())
}

const RECORD: &str =
    "SELECT phase, cancelled_at IS NOT NULL AS cancelled FROM builds WHERE schema_name = $1";

pub(crate) async fn record(
    pool: &PgPool,
    schema: &Schema,
) -> Result<Option<RebuildRecord>, sqlx::Error> {
    read(sqlx::query(RECORD).bind(schema.to_string()).fetch_optional(pool).await?)
}

/// The same, and nobody cancels it or asks for it before this transaction is over.
pub(crate) async fn record_for_update(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<Option<RebuildRecord>, sqlx::Error> {
    let sql = format!("{RECORD} FOR UPDATE");
    read(sqlx::query(&sql).bind(schema.to_string()).fetch_optional(connection).await?)
}

fn read(row: Option<PgRow>) -> Result<Option<RebuildRecord>, sqlx::Error> {
    row.map(|row| {
        let phase = row.try_get::<Option<&str>, _>("phase")?.and_then(Phase::named);
        Ok(RebuildRecord { phase, cancelled: row.try_get("cancelled")? })
    })
    .transpose()
}

/// Cancels it. `false`: there is nothing to cancel.
pub(crate) async fn cancel(
    pool: &PgPool,
    schema: &Schema,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE builds SET cancelled_at = $2 WHERE schema_name = $1 AND cancelled_at IS NULL",
    )
    .bind(schema.to_string())
    .bind(now)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Records where each tenant's rows are to begin.
pub(crate) async fn add_tenants(
    connection: &mut PgConnection,
    schema: &Schema,
    targets: &[(TenantId, Position)],
    position: Option<Position>,
) -> Result<(), sqlx::Error> {
    let tenants: Vec<&str> = targets.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let heads: Vec<i64> = targets.iter().map(|(_, head)| head.as_i64()).collect();
    sqlx::query(
        "INSERT INTO build_tenants (schema_name, tenant_id, target, position)
         SELECT $1, u.tenant_id, u.target, $4
           FROM unnest($2::text[], $3::bigint[]) AS u (tenant_id, target)
         ON CONFLICT DO NOTHING",
    )
    .bind(schema.to_string())
    .bind(tenants)
    .bind(heads)
    .bind(position.map(Position::as_i64))
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn enter(
    connection: &mut PgConnection,
    schema: &Schema,
    phase: Phase,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE builds SET phase = $2, started_at = coalesce(started_at, $3), failure = NULL
          WHERE schema_name = $1",
    )
    .bind(schema.to_string())
    .bind(phase.as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn fail(pool: &PgPool, schema: &Schema, why: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE builds SET failure = $2 WHERE schema_name = $1")
        .bind(schema.to_string())
        .bind(why)
        .execute(pool)
        .await?;
    Ok(())
}

pub(crate) async fn tenants(
    executor: impl PgExecutor<'_>,
    schema: &Schema,
) -> Result<Vec<TenantProgress>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT tenant_id, target, position FROM build_tenants
          WHERE schema_name = $1 ORDER BY tenant_id",
    )
    .bind(schema.to_string())
    .fetch_all(executor)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(TenantProgress {
                tenant: tenant_of(row)?,
                target: Position::from_i64(row.try_get("target")?),
                position: row.try_get::<Option<i64>, _>("position")?.map(Position::from_i64),
            })
        })
        .collect()
}

/// Moves a tenant's rows on, if they are where they were. `false`: somebody else did.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    schema: &Schema,
    tenant: &TenantId,
    from: Option<Position>,
    to: Position,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE build_tenants SET position = $4
          WHERE schema_name = $1 AND tenant_id = $2 AND position IS NOT DISTINCT FROM $3",
    )
    .bind(schema.to_string())
    .bind(tenant.as_str())
    .bind(from.map(Position::as_i64))
    .bind(to.as_i64())
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// The part after this stream, if it is done.
pub(crate) async fn recorded_part(
    pool: &PgPool,
    schema: &Schema,
    tenant: &TenantId,
    kind: &str,
    after: &str,
) -> Result<Option<RecordedPart>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT upto, more FROM build_parts
          WHERE schema_name = $1 AND tenant_id = $2 AND kind = $3 AND after = $4",
    )
    .bind(schema.to_string())
    .bind(tenant.as_str())
    .bind(kind)
    .bind(after)
    .fetch_optional(pool)
    .await?;
    row.map(|row| Ok(RecordedPart { upto: row.try_get("upto")?, more: row.try_get("more")? }))
        .transpose()
}

/// What a part is of.
pub(crate) struct Part<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) after: &'a str,
    pub(crate) upto: &'a str,
    pub(crate) more: bool,
    pub(crate) events: usize,
}

/// Records a part as done. `false`: it was done before, or is not to be done any more.
pub(crate) async fn record_part(
    connection: &mut PgConnection,
    schema: &Schema,
    part: &Part<'_>,
) -> Result<bool, sqlx::Error> {
    let added = sqlx::query(
        "INSERT INTO build_parts (schema_name, tenant_id, kind, after, upto, more, events)
         SELECT schema_name, $2, $3, $4, $5, $6, $7 FROM builds
          WHERE schema_name = $1 AND cancelled_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind(schema.to_string())
    .bind(part.tenant)
    .bind(part.kind)
    .bind(part.after)
    .bind(part.upto)
    .bind(part.more)
    .bind(i64::try_from(part.events).unwrap_or(i64::MAX))
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Forgets what was done of a tenant's streams.
pub(crate) async fn forget_parts(
    connection: &mut PgConnection,
    schema: &Schema,
    tenant: &TenantId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM build_parts WHERE schema_name = $1 AND tenant_id = $2")
        .bind(schema.to_string())
        .bind(tenant.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets all about a rebuild but its row in `builds`.
pub(crate) async fn forget(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<(), sqlx::Error> {
    for table in ["build_parts", "build_tenants"] {
        sqlx::query(&format!("DELETE FROM {table} WHERE schema_name = $1"))
            .bind(schema.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Forgets a rebuild.
pub(crate) async fn remove(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<(), sqlx::Error> {
    forget(connection, schema).await?;
    sqlx::query("DELETE FROM builds WHERE schema_name = $1")
        .bind(schema.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets how far a rebuild is, but not that it was cancelled.
pub(crate) async fn restart(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<(), sqlx::Error> {
    forget(connection, schema).await?;
    sqlx::query("UPDATE builds SET phase = NULL, started_at = NULL WHERE schema_name = $1")
        .bind(schema.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
