//! A look at what a database is in, as an operator would look: quick, and not a proof. The proof is
//! [`log::verify`](crate::log::verify).

use daybook_domain::TenantId;
use sqlx::{PgPool, Row as _};

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

/// What is wrong; nothing: all is well.
///
/// # Errors
/// When the database fails.
pub async fn examine(pool: &PgPool) -> Result<Vec<Ailment>, sqlx::Error> {
    let mut found = migrations(pool).await?;
    if found.iter().any(|ailment| matches!(ailment, Ailment::MigrationsMissing(_))) {
        // What else is looked at may not be there.
        return Ok(found);
    }
    let others = different(&mut *pool.acquire().await?).await?;
    found.extend(others.into_iter().map(|other| Ailment::OtherFunction(other.name)));
    let ends = "SELECT h.tenant_id FROM log_heads h
           LEFT JOIN events e ON e.tenant_id = h.tenant_id AND e.position = h.position
          WHERE h.position > 0 AND e.hash IS DISTINCT FROM h.hash
             OR EXISTS (SELECT FROM events o
                         WHERE o.tenant_id = h.tenant_id AND o.position > h.position)";
    for row in sqlx::query(ends).fetch_all(pool).await? {
        found.push(Ailment::EndIsNotLastEvent(tenant(&row)?));
    }
    let claims = "SELECT c.tenant_id, count(*) FROM claims c
          WHERE NOT EXISTS (
                SELECT FROM events e
                 WHERE e.aggregate_type IN ('appointment', 'session')
                   AND e.aggregate_id = c.tenant_id || '/' || c.appointment_id
                   AND e.tenant_id = c.tenant_id AND e.sequence = 1)
          GROUP BY 1";
    for row in sqlx::query(claims).fetch_all(pool).await? {
        let count = row.try_get::<i64, _>("count")?.cast_unsigned();
        found.push(Ailment::ClaimsOfNothing { tenant: tenant(&row)?, count });
    }
    let checkpoints = "SELECT tenant_id, c.projection || '_' || c.version AS projection
           FROM checkpoints c JOIN log_heads h USING (tenant_id)
          WHERE c.position > h.position";
    for row in sqlx::query(checkpoints).fetch_all(pool).await? {
        let projection = row.try_get("projection")?;
        found.push(Ailment::CheckpointAhead { tenant: tenant(&row)?, projection });
    }
    Ok(found)
}

fn tenant(row: &sqlx::postgres::PgRow) -> Result<TenantId, sqlx::Error> {
    let tenant: &str = row.try_get("tenant_id")?;
    tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
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
