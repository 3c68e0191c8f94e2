//! The tables of the log, brought up to date.

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Runs the migrations that this database has not seen. Programs that start at once take turns.
///
/// # Errors
/// When the database cannot be reached, a migration fails, or one that ran was changed since.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    MIGRATIONS.run(pool).await
}
