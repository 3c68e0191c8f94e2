//! Which programs run, and which versions of projections they read.

use std::sync::Arc;
use std::time::Duration;

use daybook_store::Repeated;
use daybook_store::programs::{HEARTBEAT_INTERVAL, LivingProgram, Program, Role, SILENCE};
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::ProjectionId;

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
