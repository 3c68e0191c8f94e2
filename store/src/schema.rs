//! The tables of the log and the functions over them, brought up to date.
//!
//! * Tables and types change by *migrations*, each of which is run once.
//! * A function is a file of `migrations/repeatable/`, which is run again whenever it is not the text that
//!   was run last. Programs of several versions may call what the one that started last has put there
//!   (`docs/adr/0007-a-batch-is-one-statement.md`).

use std::borrow::Cow;
use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Executor as _, PgConnection, PgPool};

/// The migrations, by file name: `20261122090000_log.sql`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The repeatable ones, by file name: `append_batch.sql`.
const REPEATABLE: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/repeatable.rs"));

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
    MIGRATIONS.run(pool).await?;
    // To look first keeps a program that starts from waiting for one that installs.
    if !outdated(&mut *pool.acquire().await?).await?.is_empty() {
        repeat(pool).await?;
    }
    Ok(())
}

async fn repeat(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    tx.execute("LOCK TABLE repeatable_migrations IN SHARE ROW EXCLUSIVE MODE").await?;
    for Repeatable { name, sql, hash } in outdated(&mut tx).await? {
        tx.execute(sqlx::raw_sql(sql)).await?;
        sqlx::query(
            "INSERT INTO repeatable_migrations (name, hash, run_at) VALUES ($1, $2, now())
             ON CONFLICT (name) DO UPDATE SET hash = EXCLUDED.hash, run_at = EXCLUDED.run_at",
        )
        .bind(name)
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        tracing::info!(name, "ran a repeatable migration");
    }
    tx.commit().await
}

/// A repeatable migration of this program.
pub(crate) struct Repeatable {
    pub(crate) name: &'static str,
    sql: &'static str,
    hash: Vec<u8>,
}

/// Those that are not what was run last.
pub(crate) async fn outdated(
    connection: &mut PgConnection,
) -> Result<Vec<Repeatable>, sqlx::Error> {
    let run: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT name, hash FROM repeatable_migrations")
            .fetch_all(connection)
            .await?;
    let repeatable = REPEATABLE.iter().map(|(name, sql)| {
        let hash = Sha256::digest(sql).to_vec();
        Repeatable { name, sql, hash }
    });
    let is_current = |it: &Repeatable| {
        run.iter().any(|(name, hash)| (name.as_str(), hash) == (it.name, &it.hash))
    };
    Ok(repeatable.filter(|it| !is_current(it)).collect())
}

#[cfg(test)]
mod tests {
    use futures::future::try_join_all;

    use super::*;
    use crate::testing::{House, a_booking, submission, uuid};

    #[test]
    fn each_file_is_a_migration() {
        assert!(!FILES.is_empty());
        assert_eq!(MIGRATIONS.migrations.len(), FILES.len());
        assert!(MIGRATIONS.migrations.is_sorted_by_key(|migration| migration.version));
    }

    /// Leaves the function as another version of this program has it, which can append nothing.
    async fn replaced_by_another_version(pool: &PgPool) {
        pool.execute(
            "DO $$
             DECLARE
                 signature text := (SELECT pg_get_function_identity_arguments(oid) FROM pg_proc
                                     WHERE proname = 'append_batch' AND pronargs < 20);
             BEGIN
                 EXECUTE 'CREATE OR REPLACE FUNCTION append_batch(' || signature || ')
                          RETURNS void LANGUAGE sql AS ''SELECT 1 / 0''';
             END $$;
             UPDATE repeatable_migrations SET hash = ''",
        )
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn programs_that_start_at_once_put_their_functions_in_the_place_of_another_versions() {
        let house = House::new().await;
        let booking = submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30));
        replaced_by_another_version(&house.pool).await;
        assert!(house.log().append(booking.clone()).await.is_err());
        try_join_all((0..8).map(|_| repeat(&house.pool))).await.unwrap();
        assert!(house.log().append(booking).await.is_ok());
        assert!(outdated(&mut house.pool.acquire().await.unwrap()).await.unwrap().is_empty());
    }
}
