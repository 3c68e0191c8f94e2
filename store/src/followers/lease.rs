//! The one program that tells a follower at a time, and what came of it.
//!
//! A lease is by the database's clock, and ends with its program: see `log/liveness`. It is what keeps two programs from telling the
//! same event at once; that nothing is lost rests on the position alone, which moves by compare-and-set.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Row as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Follower, Pauses};
use crate::Position;
use crate::log::has_ended;

/// How long a follower is a program's after it was last moved.
const LENGTH: Duration = Duration::from_secs(45);

/// A tenant that is suspended is told nothing: after so long it is looked at again.
const SUSPENDED_PAUSE: Duration = Duration::from_mins(1);

/// A follower that this program tells at present.
#[derive(Debug)]
pub struct Taken {
    pub follower: Follower,
    /// Up to here it was told.
    pub position: Position,
    /// How many tries have failed in a row.
    pub failures: u32,
    leader: Uuid,
    /// What `due_at` was when it was taken.
    due_at: Option<DateTime<Utc>>,
    until: Instant,
}

/// What has come of asking for a follower.
pub(super) enum Asked {
    Taken(Taken),
    /// Another program has it, or it is told nothing.
    Not,
}

/// Takes a follower, unless another program that lives has it.
pub(super) async fn take(
    pool: &PgPool,
    leader: Uuid,
    follower: Follower,
) -> Result<Asked, sqlx::Error> {
    let asked_at = Instant::now();
    let sql = format!(
        "UPDATE followers f
            SET leader = $4, lease_until = clock_timestamp() + make_interval(secs => $5)
          WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3 AND state = 'following'
            AND CASE WHEN leader IS NULL OR leader = $4 OR lease_until <= clock_timestamp() THEN true
                     ELSE {} END
         RETURNING position, due_at, failures, EXISTS (
                     SELECT FROM tenants t
                      WHERE t.tenant_id = f.tenant_id AND t.suspended_at IS NOT NULL) AS is_suspended",
        has_ended("leader")
    );
    let row = sqlx::query(&sql)
        .bind(follower.tenant.as_str())
        .bind(follower.kind.as_str())
        .bind(follower.id)
        .bind(leader)
        .bind(LENGTH.as_secs_f64())
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(Asked::Not) };
    let taken = Taken {
        position: Position::from_i64(row.try_get("position")?),
        failures: row.try_get::<i32, _>("failures")?.unsigned_abs(),
        due_at: row.try_get("due_at")?,
        until: asked_at + LENGTH,
        follower,
        leader,
    };
    if row.try_get("is_suspended")? {
        taken.end(pool, false, Some(SUSPENDED_PAUSE)).await?;
        return Ok(Asked::Not);
    }
    Ok(Asked::Taken(taken))
}

impl Taken {
    /// Whether nobody else has it before so long has passed: what takes longer may happen beside another program.
    #[must_use]
    pub fn is_ours_for(&self, time: Duration) -> bool {
        Instant::now() + time < self.until
    }

    /// It was told up to there. `false`: it is another program's by now, or was set elsewhere, and is where it was. This also
    /// renews the lease.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(
        &mut self,
        connection: &mut PgConnection,
        to: Position,
    ) -> Result<bool, sqlx::Error> {
        let asked_at = Instant::now();
        let moved = sqlx::query(
            "UPDATE followers
                SET position = $6, lease_until = clock_timestamp() + make_interval(secs => $7),
                    failures = 0, failing_since = NULL, failure = NULL
              WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3
                AND leader = $4 AND position = $5 AND state = 'following'",
        )
        .bind(self.follower.tenant.as_str())
        .bind(self.follower.kind.as_str())
        .bind(self.follower.id)
        .bind(self.leader)
        .bind(self.position.as_i64())
        .bind(to.as_i64())
        .bind(LENGTH.as_secs_f64())
        .execute(connection)
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(false);
        }
        (self.position, self.failures, self.until) = (to, 0, asked_at + LENGTH);
        Ok(true)
    }

    /// Gives it back where more is to be told.
    pub(super) async fn give_back(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        self.end(pool, false, None).await
    }

    /// Gives it back, which has been told all that there was: where its log has come to rest meanwhile it stays due.
    pub(super) async fn caught_up(self, pool: &PgPool) -> Result<(), sqlx::Error> {
        self.end(pool, true, None).await
    }

    async fn end(
        self,
        pool: &PgPool,
        has_caught_up: bool,
        pause: Option<Duration>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE followers
                SET leader = NULL, lease_until = NULL,
                    due_at = CASE WHEN $7::float8 IS NOT NULL THEN clock_timestamp() + make_interval(secs => $7)
                                  WHEN $5 AND due_at IS NOT DISTINCT FROM $6 THEN NULL
                                  ELSE due_at END
              WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3 AND leader = $4
                AND state = 'following'",
        )
        .bind(self.follower.tenant.as_str())
        .bind(self.follower.kind.as_str())
        .bind(self.follower.id)
        .bind(self.leader)
        .bind(has_caught_up)
        .bind(self.due_at)
        .bind(pause.map(|pause| pause.as_secs_f64()))
        .execute(pool)
        .await?;
        Ok(())
    }

    /// Gives it back, which could not be told: it is tried again after a pause, or given up after too long. `true`: it was
    /// given up.
    pub(super) async fn failed(
        self,
        pool: &PgPool,
        pauses: &Pauses,
        why: &str,
    ) -> Result<bool, sqlx::Error> {
        let pause = pauses.after(self.failures.saturating_add(1));
        let stopped: Option<bool> = sqlx::query_scalar(
            "WITH judged AS (
                 SELECT coalesce(failing_since, clock_timestamp()) AS since,
                        coalesce(failing_since < clock_timestamp() - make_interval(secs => $7), false) AS is_over
                   FROM followers WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3)
             UPDATE followers
                SET leader = NULL, lease_until = NULL, failures = failures + 1, failing_since = judged.since,
                    failure = $8, state = CASE WHEN is_over THEN 'stopped' ELSE state END,
                    stopped_at = CASE WHEN is_over THEN clock_timestamp() END,
                    due_at = CASE WHEN NOT is_over THEN clock_timestamp() + make_interval(secs => $6) END
               FROM judged
              WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3 AND leader = $4 AND position = $5
                AND state = 'following'
             RETURNING is_over",
        )
        .bind(self.follower.tenant.as_str())
        .bind(self.follower.kind.as_str())
        .bind(self.follower.id)
        .bind(self.leader)
        .bind(self.position.as_i64())
        .bind(pause.as_secs_f64())
        .bind(pauses.patience.map(|patience| patience.as_secs_f64()))
        .bind(why)
        .fetch_optional(pool)
        .await?;
        Ok(stopped.unwrap_or(false))
    }

    /// Gives it up at once.
    pub(super) async fn stop(self, pool: &PgPool, why: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE followers
                SET leader = NULL, lease_until = NULL, failures = failures + 1,
                    failing_since = coalesce(failing_since, clock_timestamp()), failure = $6,
                    state = 'stopped', stopped_at = clock_timestamp(), due_at = NULL
              WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3 AND leader = $4 AND position = $5
                AND state = 'following'",
        )
        .bind(self.follower.tenant.as_str())
        .bind(self.follower.kind.as_str())
        .bind(self.follower.id)
        .bind(self.leader)
        .bind(self.position.as_i64())
        .bind(why)
        .execute(pool)
        .await?;
        Ok(())
    }
}
