//! Which running programs read which versions of projections, and what none reads any more.

use std::time::Duration;

use sqlx::{PgPool, Row as _};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rebuild::LOCKED;
use crate::schema::run;
use crate::{ProjectionId, analytics};

/// How often a program says what it reads.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// How long after its last heartbeat a program is taken for one that has ended, in PostgreSQL's words.
const HEARTBEAT_TIMEOUT: &str = "1 minute";

/// A running program, and what it reads.
pub struct Deployment {
    pool: PgPool,
    projections: Vec<ProjectionId>,
    program: Uuid,
}

impl Deployment {
    /// One that reads these projections.
    #[must_use]
    pub fn new(pool: PgPool, projections: Vec<ProjectionId>) -> Self {
        Self { pool, projections, program: Uuid::now_v7() }
    }

    /// Sends heartbeats until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        while !cancel.is_cancelled() {
            if let Err(error) = self.heartbeat().await {
                tracing::warn!(%error, "cannot say which projections are read");
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = sleep(HEARTBEAT_INTERVAL) => {}
            }
        }
        let gone = sqlx::query("DELETE FROM projection_readers WHERE program = $1");
        if let Err(error) = gone.bind(self.program).execute(&self.pool).await {
            tracing::debug!(%error, "it is left to be forgotten");
        }
    }

    async fn heartbeat(&self) -> Result<(), sqlx::Error> {
        let names: Vec<&str> = self.projections.iter().map(|id| id.name).collect();
        let versions: Vec<i32> = self.projections.iter().map(|id| id.version).collect();
        sqlx::query(
            "INSERT INTO projection_readers (program, projection, version, seen_at)
             SELECT $1, u.name, u.version, now()
               FROM unnest($2::text[], $3::int[]) AS u (name, version)
             ON CONFLICT (program, projection, version) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(self.program)
        .bind(names)
        .bind(versions)
        .execute(&self.pool)
        .await?;
        let forget = format!(
            "DELETE FROM projection_readers WHERE seen_at < now() - interval '{HEARTBEAT_TIMEOUT}' * 10"
        );
        sqlx::query(&forget).execute(&self.pool).await?;
        Ok(())
    }
}

/// A schema of a projection that no program is known to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    pub schema: String,
    /// Which projection it is, or was to become.
    pub projection: String,
    /// Of which version.
    pub version: i32,
    /// Whether it is a shadow schema that was left behind.
    pub unfinished: bool,
}

/// What neither this program nor any that runs reads, rebuilds or verifies.
///
/// # Errors
/// When the database fails.
pub async fn leftovers(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<Leftover>, sqlx::Error> {
    let mine: Vec<String> = projections.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    let sql = format!(
        "WITH known (name) AS (
                SELECT unnest($2::text[]) UNION SELECT projection FROM checkpoints
                UNION SELECT projection FROM builds),
              found AS (
                SELECT n.nspname::text AS schema_name, k.name AS projection,
                       regexp_match(n.nspname, '_([0-9]{{1,9}})(_([a-z]+))?$') AS parts
                  FROM pg_namespace n
                  JOIN known k
                    ON n.nspname ~ ('^' || k.name || '_[0-9]{{1,9}}(_(building|replaced|verifying))?$')),
              candidate AS (
                SELECT schema_name, projection, parts[1]::int AS version, parts[3] AS shadow,
                       projection || '_' || parts[1] = ANY ($1) AS mine,
                       EXISTS (
                           SELECT FROM projection_readers r
                            WHERE r.projection = f.projection AND r.version = parts[1]::int
                              AND r.seen_at >= now() - interval '{HEARTBEAT_TIMEOUT}') AS read,
                       EXISTS (SELECT FROM builds b WHERE b.schema_name = f.schema_name) AS recorded,
                       EXISTS (
                           SELECT FROM pg_locks l
                            WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
                              AND l.database
                                  = (SELECT oid FROM pg_database WHERE datname = current_database())
                              AND ((l.classid::bigint << 32) | l.objid::bigint)
                                  = hashtextextended('{LOCKED}' || f.schema_name, 0)) AS held
                  FROM found f)
         SELECT schema_name, projection, version, shadow IS NOT NULL AS unfinished FROM candidate
          WHERE CASE shadow
                WHEN 'verifying' THEN NOT held
                -- What is recorded is resumed, as long as there is a program that would.
                WHEN 'building' THEN NOT held AND NOT (recorded AND (mine OR read))
                WHEN 'replaced' THEN true
                ELSE NOT (mine OR read) END
          ORDER BY 1"
    );
    let rows = sqlx::query(&sql).bind(mine).bind(names).fetch_all(pool).await?;
    rows.iter()
        .map(|row| {
            Ok(Leftover {
                schema: row.try_get("schema_name")?,
                projection: row.try_get("projection")?,
                version: row.try_get("version")?,
                unfinished: row.try_get("unfinished")?,
            })
        })
        .collect()
}

/// Drops it, with its checkpoints and with the record of its rebuild. `false`: somebody is at it again.
///
/// # Errors
/// When the database fails, or somebody reads it at this moment.
pub async fn drop_leftover(pool: &PgPool, leftover: &Leftover) -> Result<bool, sqlx::Error> {
    if leftover.unfinished {
        // Tables that were replaced take the views that are still about them along.
        analytics::follow_replaced(pool).await?;
    }
    let mut tx = pool.begin_with("BEGIN; SET LOCAL lock_timeout = '5s'").await?;
    let free: bool =
        sqlx::query_scalar("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(format!("{LOCKED}{}", leftover.schema))
            .fetch_one(&mut *tx)
            .await?;
    if !free {
        return Ok(false);
    }
    run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", leftover.schema)).await?;
    for table in ["build_parts", "build_tenants", "builds"] {
        sqlx::query(&format!("DELETE FROM {table} WHERE schema_name = $1"))
            .bind(&leftover.schema)
            .execute(&mut *tx)
            .await?;
    }
    if !leftover.unfinished {
        for table in ["checkpoints", "projection_readers", "builds"] {
            sqlx::query(&format!("DELETE FROM {table} WHERE projection = $1 AND version = $2"))
                .bind(&leftover.projection)
                .bind(leftover.version)
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}
