//! The role that may read the views and nothing else. It is no user: an operator grants it to those who are.

use sqlx::{Executor as _, PgConnection, PgPool};

use super::set::Set;

/// Whether there is a role to give rights to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnalystRole {
    /// There is.
    Ready,
    /// There is none, and the database user may not make one.
    MayNotBeMade,
}

/// A role belongs to all databases of a cluster: another program may have made it, or be making it now.
pub(super) async fn make(pool: &PgPool, role: &str) -> Result<AnalystRole, sqlx::Error> {
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
        .bind(role)
        .fetch_one(pool)
        .await?;
    if there {
        return Ok(AnalystRole::Ready);
    }
    let made = pool.execute(format!("CREATE ROLE {role} NOLOGIN").as_str()).await;
    let Err(error) = made else { return Ok(AnalystRole::Ready) };
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // duplicate_object; unique_violation, of two at once.
        Some("42710" | "23505") => Ok(AnalystRole::Ready),
        // insufficient_privilege; read_only_sql_transaction would be a fault like any other.
        Some("42501") => Ok(AnalystRole::MayNotBeMade),
        _ => Err(error),
    }
}

/// Lets it read the views; what it has already is not written again.
pub(super) async fn grant(connection: &mut PgConnection, set: &Set) -> Result<(), sqlx::Error> {
    let role = set.role;
    let missing: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c
          WHERE c.relnamespace = 'analytics'::regnamespace AND c.relname = ANY($1)
            AND NOT (has_schema_privilege($2, c.relnamespace, 'USAGE')
                     AND has_table_privilege($2, c.oid, 'SELECT'))",
    )
    .bind(&set.names)
    .bind(role)
    .fetch_all(&mut *connection)
    .await?;
    for view in missing {
        let grants = format!(
            "GRANT USAGE ON SCHEMA analytics TO {role}; GRANT SELECT ON analytics.{view} TO {role}"
        );
        connection.execute(grants.as_str()).await?;
    }
    Ok(())
}
