//! A look at what a database is in, as an operator would look: quick, and not a proof. The proof is
//! [`log::verify`](crate::log::verify).

mod logs;
#[cfg(test)]
mod tests;

use daybook_domain::TenantId;
use sqlx::PgPool;

use crate::schema::{MIGRATIONS, different};

/// Something that is not as it should be with the log, or with what is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ailment {
    /// Migrations that were not run.
    #[error("{0} migrations have not been run")]
    MigrationsMissing(usize),
    /// A migration that this program does not know: a newer one was here.
    #[error("migration {0} is not one of this program's: a newer program has been here")]
    MigrationUnknown(i64),
    /// A function of the database that is not as this program has it.
    #[error("{0} is not what this program runs: another version has put its own in its place")]
    OtherFunction(&'static str),
    /// A log's end is not its last event.
    #[error("the log of {0} does not end with its last event")]
    EndIsNotLastEvent(TenantId),
    /// Claims of what is not in the log.
    #[error("{count} claims of {tenant} are of appointments that its log does not have")]
    ClaimsOfNothing { tenant: TenantId, count: u64 },
    /// Projections that are further than the log.
    #[error("{projection} has read further than the log of {tenant} goes")]
    CheckpointAhead {
        tenant: TenantId,
        /// Which projection.
        projection: String,
    },
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What is wrong; nothing: all is well.
    pub ailments: Vec<Ailment>,
    /// How many logs were looked at: all of them, unless there are many.
    pub logs: usize,
}

/// Looks at the migrations, and at as many logs as can be looked at quickly.
///
/// # Errors
/// When the database fails.
pub async fn examine(pool: &PgPool) -> Result<Examination, sqlx::Error> {
    let mut ailments = migrations(pool).await?;
    if ailments.iter().any(|ailment| matches!(ailment, Ailment::MigrationsMissing(_))) {
        // What else is looked at may not be there.
        return Ok(Examination { ailments, logs: 0 });
    }
    let others = different(&mut *pool.acquire().await?).await?;
    ailments.extend(others.into_iter().map(|other| Ailment::OtherFunction(other.name)));
    let logs = logs::chosen(pool).await?;
    ailments.extend(logs::examine(pool, &logs).await?);
    Ok(Examination { ailments, logs: logs.len() })
}

/// Whether this is a user of the database who may do anything.
///
/// # Errors
/// When the database fails.
pub async fn is_superuser(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        .fetch_one(pool)
        .await
}

async fn migrations(pool: &PgPool) -> Result<Vec<Ailment>, sqlx::Error> {
    // It changes nothing, so it does not make the table either.
    let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(pool)
        .await?;
    let run: Vec<i64> = if there {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(pool)
            .await?
    } else {
        Vec::new()
    };
    let missing = MIGRATIONS.iter().filter(|migration| !run.contains(&migration.version)).count();
    let mut found = Vec::new();
    if missing > 0 {
        found.push(Ailment::MigrationsMissing(missing));
    }
    let unknown = run.into_iter().filter(|version| !MIGRATIONS.version_exists(*version));
    found.extend(unknown.map(Ailment::MigrationUnknown));
    Ok(found)
}
