//! The schema `analytics`: views for analysts, under names that stay when a projection's version does not,
//! and the role that may read them and nothing else.
//!
//! * `set`: the views of this program, and which are in the database; `role`: who may read them.
//!
//! What they show, and why personal data is not in them: `docs/analytics.md` and
//! `docs/adr/0018-what-was-offered-stays.md`.

mod role;
mod set;
#[cfg(test)]
mod tests;

use sqlx::{Executor as _, PgPool};

pub use role::AnalystRole;
use set::Set;

/// Any number that nothing else in the database locks.
const LOCK: i64 = 0x6461_7962_6f6f_6b02;

/// What became of the views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// They are those of this program.
    Ours(AnalystRole),
    /// Tables that they are about are still being built; until then they are what they were.
    NotYet,
    /// A newer program has pointed them elsewhere, and they stay there.
    Newer {
        /// The number of its views.
        revision: i32,
    },
}

/// Makes the views, or points them to the tables of this program, in one transaction; where a newer program
/// has done so, they stay as they are. Gives the role its rights, and makes it where the database user may.
///
/// To replace a view that somebody is reading has to wait for them; so it gives up soon, and can be tried
/// again.
///
/// # Errors
/// When the database fails, or a view is in use for too long.
pub async fn publish(pool: &PgPool) -> Result<Published, sqlx::Error> {
    publish_set(pool, &Set::ours()).await
}

/// Points the views to the tables that there are now, where there are views: those that they were about have
/// been replaced, and are to be dropped.
///
/// # Errors
/// See [`publish`].
pub(crate) async fn follow_replaced(pool: &PgPool) -> Result<(), sqlx::Error> {
    let views: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'analytics')")
            .fetch_one(pool)
            .await?;
    if views {
        publish(pool).await?;
    }
    Ok(())
}

async fn publish_set(pool: &PgPool, ours: &Set) -> Result<Published, sqlx::Error> {
    let role = role::make(pool, ours.role).await?;
    let mut tx = pool.begin().await?;
    // Who waits for a lock on a view keeps everybody else who wants to read it waiting, too.
    tx.execute("SET LOCAL lock_timeout = '2s'").await?;
    // Of programs that start at once, one makes the schema: see `schema.rs`.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    let known = set::revision(&mut tx).await?;
    if let Some(revision) = known.filter(|known| *known > ours.revision) {
        return Ok(Published::Newer { revision });
    }
    if !set::can_be_made(&mut tx, ours).await? {
        return Ok(Published::NotYet);
    }
    if known != Some(ours.revision) || !set::is_there(&mut tx, ours).await? {
        set::replace(&mut tx, ours).await?;
    }
    if role == AnalystRole::Ready {
        role::grant(&mut tx, ours).await?;
    }
    tx.commit().await?;
    Ok(Published::Ours(role))
}
