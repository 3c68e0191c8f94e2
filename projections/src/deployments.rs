//! Which programs run and which versions of projections they read, and what none reads any more.

use std::sync::Arc;
use std::time::Duration;

use daybook_store::Repeated;
use daybook_store::programs::{HEARTBEAT_INTERVAL, LivingProgram, Program, Role, SILENCE};
use sqlx::{PgPool, Row as _};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::rebuild::LOCKED;
use crate::schema::run;
use crate::{ProjectionId, analytics};

/// How often it is written down again what a program reads.
const READERS_INTERVAL: &str = "10 seconds";

/// How long after that was written down last a program is taken for one that has ended: an SQL condition on a row of
/// `projection_readers`.
pub(crate) const READ_BY_SOMEBODY: &str = "seen_at >= clock_timestamp() - interval '1 minute'";

/// How long a heartbeat may take.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(2);

/// How long what programs that were killed have left behind is kept.
const FORGOTTEN_AFTER: &str = "10 minutes";

/// A running program: it says each second that it lives and what it reads, and hears which others do.
pub struct Deployment {
    pool: PgPool,
    projections: Vec<ProjectionId>,
    program: Program,
    heard: Arc<watch::Sender<Heard>>,
}

/// What a program has heard of all that live.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// When it was; `None`: never yet.
    pub at: Option<Instant>,
    /// All that lived then, this one among them.
    pub programs: Vec<LivingProgram>,
}

impl Heard {
    /// Whether somebody had this role then. `None`: nothing has been heard.
    #[must_use]
    pub fn has(&self, role: Role) -> Option<bool> {
        self.at.map(|_| self.programs.iter().any(|program| program.has(role)))
    }
}

impl Deployment {
    /// A program that reads these projections.
    #[must_use]
    pub fn new(pool: PgPool, program: Program, projections: Vec<ProjectionId>) -> Self {
        Self { pool, projections, program, heard: Arc::default() }
    }

    /// What this program hears, in memory.
    #[must_use]
    pub fn heard(&self) -> watch::Receiver<Heard> {
        self.heard.subscribe()
    }

    /// Sends heartbeats until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut tick = interval(HEARTBEAT_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let fails = Repeated::new("say that this program lives");
        while cancel.run_until_cancelled(tick.tick()).await.is_some() {
            // Not broken off by the end: what was sent could arrive after this program has said that it ends.
            match self.heartbeat().await {
                Ok(programs) => {
                    fails.succeeded();
                    self.heard.send_replace(Heard { at: Some(Instant::now()), programs });
                }
                Err(error) => fails.failed(&error),
            }
        }
        if !matches!(timeout(HEARTBEAT_LIMIT, self.leave()).await, Ok(Ok(()))) {
            tracing::debug!("it is left to be forgotten");
        }
    }

    /// One statement: that this program lives, what it reads, and who else lives.
    async fn heartbeat(&self) -> Result<Vec<LivingProgram>, sqlx::Error> {
        let names: Vec<&str> = self.projections.iter().map(|id| id.name).collect();
        let versions: Vec<i32> = self.projections.iter().map(|id| id.version).collect();
        let roles: Vec<&str> = self.program.roles.iter().map(|role| role.as_str()).collect();
        let sql = format!(
            "WITH ended AS (
                    DELETE FROM programs
                     WHERE heard_at < clock_timestamp() - interval '{FORGOTTEN_AFTER}' AND id <> $1),
                  forgotten AS (
                    DELETE FROM projection_readers
                     WHERE seen_at < clock_timestamp() - interval '{FORGOTTEN_AFTER}' AND program <> $1),
                  reads AS (
                    INSERT INTO projection_readers (program, projection, version, seen_at)
                    SELECT $1, u.name, u.version, clock_timestamp()
                      FROM unnest($5::text[], $6::int[]) AS u (name, version)
                    ON CONFLICT (program, projection, version)
                    DO UPDATE SET seen_at = excluded.seen_at
                     WHERE projection_readers.seen_at
                         < excluded.seen_at - interval '{READERS_INTERVAL}'),
                  this AS (
                    INSERT INTO programs AS p (id, roles, version, host, started_at, heard_at)
                    VALUES ($1, $2, $3, $4, clock_timestamp(), clock_timestamp())
                    ON CONFLICT (id) DO UPDATE SET heard_at = excluded.heard_at
                    RETURNING id, roles, version, host, started_at, heard_at)
             SELECT * FROM this
              UNION ALL
             SELECT id, roles, version, host, started_at, heard_at FROM programs
              WHERE id <> $1 AND heard_at > clock_timestamp() - interval '{SILENCE}'"
        );
        let deadline = Instant::now() + HEARTBEAT_LIMIT;
        let mut connection = by(deadline, self.pool.acquire()).await?;
        let said = sqlx::query(&sql)
            .bind(self.program.id)
            .bind(roles)
            .bind(&self.program.version)
            .bind(&self.program.host)
            .bind(names)
            .bind(versions)
            .fetch_all(&mut *connection);
        let rows = by(deadline, said).await;
        if rows.is_err() {
            // It may lead nowhere. The pool would ask it first, and wait for the answer.
            drop(connection.detach());
        }
        rows?.iter().map(LivingProgram::of).collect()
    }

    /// This program ends.
    async fn leave(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "WITH gone AS (DELETE FROM projection_readers WHERE program = $1)
             DELETE FROM programs WHERE id = $1",
        )
        .bind(self.program.id)
        .execute(&self.pool)
        .await
        .map(|_| ())
    }
}

async fn by<T>(
    deadline: Instant,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout_at(deadline, asked).await.map_err(|late| sqlx::Error::Io(late.into()))?
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
