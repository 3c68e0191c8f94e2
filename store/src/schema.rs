//! The tables of the log, brought up to date.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

/// The migrations, by file name: `20261122090000_log.sql`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

pub(crate) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| Migrator {
    migrations: FILES.iter().filter_map(|(name, sql)| migration(name, sql)).collect(),
    ..Migrator::DEFAULT
});

/// `None`: no migration has such a name; a test holds that there is none.
fn migration(name: &'static str, sql: &'static str) -> Option<Migration> {
    let (version, description) = name.strip_suffix(".sql")?.split_once('_')?;
    Some(Migration::new(
        version.parse().ok()?,
        Cow::Owned(description.replace('_', " ")),
        MigrationType::Simple,
        Cow::Borrowed(sql),
        false,
    ))
}

/// Runs the migrations that this database has not seen. Programs that start at once take turns.
///
/// # Errors
/// When the database cannot be reached, a migration fails, or one that ran was changed since.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    MIGRATIONS.run(pool).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_a_migration() {
        assert!(!FILES.is_empty());
        assert_eq!(MIGRATIONS.migrations.len(), FILES.len());
        assert!(MIGRATIONS.migrations.is_sorted_by_key(|migration| migration.version));
    }
}
