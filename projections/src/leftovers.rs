//! Schemas of projections that no program reads any more.

use sqlx::{PgPool, Row as _};

use crate::deployments::READ_BY_SOMEBODY;
use crate::rebuild::LOCKED;
use crate::schema::run;
use crate::{ProjectionId, analytics};

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

/// The catalogue is read from end to end, whose cost is nothing to compile a plan for.
pub(crate) const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL jit = off";

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
    let mut tx = pool.begin_with(BEGIN).await?;
    let rows = sqlx::query(&statement()).bind(mine).bind(names).fetch_all(&mut *tx).await?;
    tx.commit().await?;
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

/// The schemas of projections, whether or not anybody reads them; `$2` are the names of those that this program has.
const FOUND: &str = "WITH RECURSIVE begun (name) AS (
                SELECT min(projection COLLATE \"C\") FROM checkpoints
                UNION ALL
                SELECT (SELECT min(c.projection COLLATE \"C\") FROM checkpoints c
                         WHERE c.projection COLLATE \"C\" > b.name)
                  FROM begun b WHERE b.name IS NOT NULL),
              known (name) AS (
                SELECT unnest($2::text[])
                UNION SELECT name COLLATE \"default\" FROM begun WHERE name IS NOT NULL
                UNION SELECT projection FROM builds),
              found AS (
                SELECT n.nspname::text AS schema_name, k.name AS projection,
                       regexp_match(n.nspname, '_([0-9]{1,9})(_([a-z]+))?$') AS parts
                  FROM pg_namespace n
                  JOIN known k
                    ON n.nspname ~ ('^' || k.name || '_[0-9]{1,9}(_(building|replaced|verifying))?$'))";

/// The schemas in which any version of any projection has rows: those that are read, made or left over.
///
/// # Errors
/// When the database fails.
pub async fn all_schemas(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<String>, sqlx::Error> {
    let names: Vec<&str> = projections.iter().map(|id| id.name).collect();
    // `$1` is for the statement about leftovers alone.
    let sql = format!("{FOUND} SELECT DISTINCT schema_name FROM found WHERE $1::text IS NULL");
    sqlx::query_scalar(&sql).bind(None::<&str>).bind(names).fetch_all(pool).await
}

/// What has begun at some time comes from `checkpoints_of_projections`, from one name to the next: there is a row for
/// each tenant and projection.
pub(crate) fn statement() -> String {
    format!(
        "{FOUND},
              candidate AS (
                SELECT schema_name, projection, parts[1]::int AS version, parts[3] AS shadow,
                       projection || '_' || parts[1] = ANY ($1) AS mine,
                       EXISTS (
                           SELECT FROM projection_readers r
                            WHERE r.projection = f.projection AND r.version = parts[1]::int
                              AND {READ_BY_SOMEBODY}) AS read,
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
    )
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
            sqlx::query(&format!(
                "DELETE FROM {table} WHERE projection COLLATE \"C\" = $1 AND version = $2"
            ))
            .bind(&leftover.projection)
            .bind(leftover.version)
            .execute(&mut *tx)
            .await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}
