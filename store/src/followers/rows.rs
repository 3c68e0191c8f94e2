//! Followers that are made, paused, set back and removed. All statements on one row are served by the primary key.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Row as _};
use uuid::Uuid;

use super::{Follower, FollowerKind};
use crate::Position;
use crate::tenants::tenant_of;

/// Followers that are made, or listed, in one statement.
const PAGE: i64 = 1_000;

/// Whether one is told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FollowerState {
    /// It is told what happens.
    Following,
    /// Somebody wants it to be told nothing for now.
    Paused,
    /// It was given up: it could not be told for too long, or has said that it is gone.
    Stopped,
}

impl FollowerState {
    pub const ALL: [Self; 3] = [Self::Following, Self::Paused, Self::Stopped];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}

daybook_domain::words!(FollowerState, "state of a follower", UnknownFollowerState);

/// How a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Up to here it was told.
    pub position: Position,
    /// The end of its log.
    pub head: Position,
    pub state: FollowerState,
    /// How many tries have failed in a row, and since when.
    pub failures: u32,
    pub failing_since: Option<DateTime<Utc>>,
    /// Why the last one has failed, in a word.
    pub failure: Option<String>,
    /// When it is tried again.
    pub due_at: Option<DateTime<Utc>>,
    pub stopped_at: Option<DateTime<Utc>>,
}

/// Makes a follower that is told what comes after a position.
///
/// # Errors
/// When the database fails.
pub async fn add(
    executor: impl PgExecutor<'_>,
    follower: &Follower,
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO followers (tenant_id, kind, follower_id, position, state, due_at)
         VALUES ($1, $2, $3, $4, 'following', clock_timestamp()) ON CONFLICT DO NOTHING",
    )
    .bind(follower.tenant.as_str())
    .bind(follower.kind.as_str())
    .bind(follower.id)
    .bind(position.as_i64())
    .execute(executor)
    .await?;
    Ok(())
}

/// Makes one for each log that has none yet, which is told all from the beginning. It is asked for once, when a program
/// begins; a tenant that comes later gets its own when its log grows.
///
/// # Errors
/// When the database fails.
pub async fn add_for_all(pool: &PgPool, kind: FollowerKind) -> Result<u64, sqlx::Error> {
    let (mut after, mut made) = (String::new(), 0);
    loop {
        let page: Vec<String> = sqlx::query_scalar(
            "SELECT tenant_id FROM log_heads WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2",
        )
        .bind(&after)
        .bind(PAGE)
        .fetch_all(pool)
        .await?;
        let Some(last) = page.last().cloned() else { return Ok(made) };
        made += add_for(pool, kind, &page).await?;
        after = last;
    }
}

/// Makes one for each of these tenants' logs that has none yet.
pub(super) async fn add_for(
    pool: &PgPool,
    kind: FollowerKind,
    tenants: &[String],
) -> Result<u64, sqlx::Error> {
    let made = sqlx::query(
        "INSERT INTO followers (tenant_id, kind, follower_id, position, state, due_at)
         SELECT h.tenant_id, $1, $2, 0, 'following', clock_timestamp() FROM log_heads h
          WHERE h.tenant_id = ANY ($3) AND h.position > 0
            AND NOT EXISTS (SELECT FROM followers f WHERE f.tenant_id = h.tenant_id AND f.kind = $1)
         ON CONFLICT DO NOTHING",
    )
    .bind(kind.as_str())
    .bind(Uuid::nil())
    .bind(tenants)
    .execute(pool)
    .await?;
    Ok(made.rows_affected())
}

/// Tells it nothing from now on; where it is, stays.
///
/// # Errors
/// When the database fails.
pub async fn pause(executor: impl PgExecutor<'_>, follower: &Follower) -> Result<(), sqlx::Error> {
    let pause =
        "UPDATE followers SET state = 'paused', due_at = NULL, stopped_at = NULL, failures = 0,
                        failing_since = NULL, failure = NULL
                  WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3";
    change(executor, pause, follower).await
}

/// Goes on telling it, from where it is.
///
/// # Errors
/// When the database fails.
pub async fn resume(executor: impl PgExecutor<'_>, follower: &Follower) -> Result<(), sqlx::Error> {
    let resume = "UPDATE followers
                     SET state = 'following', due_at = clock_timestamp(), stopped_at = NULL, failures = 0,
                         failing_since = NULL, failure = NULL
                   WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3";
    change(executor, resume, follower).await
}

/// Removes it.
///
/// # Errors
/// When the database fails.
pub async fn remove(executor: impl PgExecutor<'_>, follower: &Follower) -> Result<(), sqlx::Error> {
    let remove = "DELETE FROM followers WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3";
    change(executor, remove, follower).await
}

async fn change(
    executor: impl PgExecutor<'_>,
    sql: &str,
    follower: &Follower,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql)
        .bind(follower.tenant.as_str())
        .bind(follower.kind.as_str())
        .bind(follower.id)
        .execute(executor)
        .await?;
    Ok(())
}

/// Tells it what comes after a position from now on, again or for the first time. What is being told at this moment does
/// not move it: who tells it finds it elsewhere.
///
/// # Errors
/// When the database fails.
pub async fn set_position(
    executor: impl PgExecutor<'_>,
    follower: &Follower,
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE followers
            SET position = $4, due_at = CASE WHEN state = 'following' THEN clock_timestamp() END,
                failures = 0, failing_since = NULL, failure = NULL
          WHERE tenant_id = $1 AND kind = $2 AND follower_id = $3",
    )
    .bind(follower.tenant.as_str())
    .bind(follower.kind.as_str())
    .bind(follower.id)
    .bind(position.as_i64())
    .execute(executor)
    .await?;
    Ok(())
}

/// How a tenant's followers of a kind are, by their ids.
///
/// # Errors
/// When the database fails.
pub async fn status(
    executor: impl PgExecutor<'_>,
    tenant: &TenantId,
    kind: FollowerKind,
) -> Result<HashMap<Uuid, FollowerStatus>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT f.follower_id, f.position, coalesce(h.position, f.position) AS head, f.state, f.failures,
                f.failing_since, f.failure, f.due_at, f.stopped_at
           FROM followers f LEFT JOIN log_heads h ON h.tenant_id = f.tenant_id
          WHERE f.tenant_id = $1 AND f.kind = $2",
    )
    .bind(tenant.as_str())
    .bind(kind.as_str())
    .fetch_all(executor)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("follower_id")?, status_of(row)?))).collect()
}

/// How the followers of a kind are, of a page of all tenants after one.
///
/// # Errors
/// When the database fails.
pub async fn of_kind(
    pool: &PgPool,
    kind: FollowerKind,
    after: Option<&TenantId>,
) -> Result<Vec<(Follower, FollowerStatus)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT f.tenant_id, f.follower_id, f.position, coalesce(h.position, f.position) AS head, f.state,
                f.failures, f.failing_since, f.failure, f.due_at, f.stopped_at
           FROM followers f LEFT JOIN log_heads h ON h.tenant_id = f.tenant_id
          WHERE f.kind = $1 AND f.tenant_id > $2 ORDER BY f.tenant_id, f.follower_id LIMIT $3",
    )
    .bind(kind.as_str())
    .bind(after.map_or("", TenantId::as_str))
    .bind(PAGE)
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((follower_of(row, kind)?, status_of(row)?))).collect()
}

/// Followers of a kind that were given up, the latest first: at most so many. By `followers_stopped`.
///
/// # Errors
/// When the database fails.
pub async fn stopped(
    pool: &PgPool,
    kind: FollowerKind,
    most: u32,
) -> Result<Vec<(Follower, FollowerStatus)>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT f.tenant_id, f.follower_id, f.position, coalesce(h.position, f.position) AS head, f.state,
                f.failures, f.failing_since, f.failure, f.due_at, f.stopped_at
           FROM followers f LEFT JOIN log_heads h ON h.tenant_id = f.tenant_id
          WHERE f.kind = $1 AND f.state = 'stopped' ORDER BY f.stopped_at DESC LIMIT $2",
    )
    .bind(kind.as_str())
    .bind(i64::from(most))
    .fetch_all(pool)
    .await?;
    rows.iter().map(|row| Ok((follower_of(row, kind)?, status_of(row)?))).collect()
}

pub(super) fn follower_of(row: &PgRow, kind: FollowerKind) -> Result<Follower, sqlx::Error> {
    Ok(Follower { tenant: tenant_of(row)?, kind, id: row.try_get("follower_id")? })
}

fn status_of(row: &PgRow) -> Result<FollowerStatus, sqlx::Error> {
    let at = |column| row.try_get::<i64, _>(column).map(Position::from_i64);
    let state: &str = row.try_get("state")?;
    Ok(FollowerStatus {
        position: at("position")?,
        head: at("head")?,
        state: state.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        failures: row.try_get::<i32, _>("failures")?.unsigned_abs(),
        failing_since: row.try_get("failing_since")?,
        failure: row.try_get("failure")?,
        due_at: row.try_get("due_at")?,
        stopped_at: row.try_get("stopped_at")?,
    })
}
