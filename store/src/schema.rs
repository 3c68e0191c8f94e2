//! The tables of the log and the functions over them, brought up to date.
//!
//! * Tables and types change by *migrations*, each of which is run once.
//! * A function is a file of `migrations/repeatable/`, which is run again whenever it is not the text that
//!   was run last. Programs of several versions call what the newest of them has put there
//!   (`docs/adr/0007-a-batch-is-one-statement.md`).
//!
//! An older program starts on the database of a newer one: it leaves alone what it does not know.

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
    ignore_missing: true,
    ..Migrator::DEFAULT
});

/// The last migration that this program knows: which of two programs is the newer one.
fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

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
    // Who may not make tables can work on those that there are.
    if !is_current(pool).await? {
        MIGRATIONS.run(pool).await?;
    }
    // To look first keeps a program that starts from waiting for one that installs.
    let different = different(&mut *pool.acquire().await?).await?;
    if different.iter().any(|it| !it.is_newer) {
        repeat(pool).await?;
    }
    Ok(())
}

/// Whether each migration has run, as it is written here.
async fn is_current(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(pool)
        .await?;
    if !there {
        return Ok(false);
    }
    let run: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(pool)
            .await?;
    let has_run = |migration: &Migration| {
        run.iter().any(|(version, checksum)| {
            *version == migration.version && checksum[..] == migration.checksum[..]
        })
    };
    Ok(MIGRATIONS.migrations.iter().all(has_run))
}

async fn repeat(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    tx.execute("LOCK TABLE repeatable_migrations IN SHARE ROW EXCLUSIVE MODE").await?;
    let different = different(&mut tx).await?;
    for Repeatable { name, sql, hash, .. } in different.into_iter().filter(|it| !it.is_newer) {
        tx.execute(sqlx::raw_sql(sql)).await?;
        sqlx::query(
            "INSERT INTO repeatable_migrations (name, hash, run_at, newest_migration)
             VALUES ($1, $2, now(), $3)
             ON CONFLICT (name) DO UPDATE
                SET hash = EXCLUDED.hash, run_at = EXCLUDED.run_at,
                    newest_migration = EXCLUDED.newest_migration",
        )
        .bind(name)
        .bind(hash)
        .bind(newest_migration())
        .execute(&mut *tx)
        .await?;
        tracing::info!(name, "ran a repeatable migration");
    }
    tx.commit().await
}

/// A repeatable migration of this program that is not what was run last.
pub(crate) struct Repeatable {
    pub(crate) name: &'static str,
    sql: &'static str,
    hash: Vec<u8>,
    /// Whether a newer program has run its own.
    is_newer: bool,
}

/// Those that are not what was run last.
pub(crate) async fn different(
    connection: &mut PgConnection,
) -> Result<Vec<Repeatable>, sqlx::Error> {
    let run: Vec<(String, Vec<u8>, i64)> =
        sqlx::query_as("SELECT name, hash, newest_migration FROM repeatable_migrations")
            .fetch_all(connection)
            .await?;
    let different = REPEATABLE.iter().filter_map(|(name, sql)| {
        let hash = Sha256::digest(sql).to_vec();
        let last = run.iter().find(|(run, ..)| run == name);
        let is_newer = last.is_some_and(|(.., newest)| *newest > newest_migration());
        let is_same = last.is_some_and(|(_, run, _)| *run == hash);
        (!is_same).then_some(Repeatable { name, sql, hash, is_newer })
    });
    Ok(different.collect())
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
        assert!(different(&mut house.pool.acquire().await.unwrap()).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_older_program_starts_and_leaves_alone_what_a_newer_one_has_made() {
        let house = House::new().await;
        house
            .pool
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (99991231235959, 'of a newer program', true, '', 0);
                 UPDATE repeatable_migrations SET hash = 'newer', newest_migration = 99991231235959",
            )
            .await
            .unwrap();
        migrate(&house.pool).await.unwrap();
        let hashes: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM repeatable_migrations")
            .fetch_all(&house.pool)
            .await
            .unwrap();
        assert!(hashes.iter().all(|hash| hash == b"newer"), "{hashes:?}");
        let different = different(&mut house.pool.acquire().await.unwrap()).await.unwrap();
        assert!(!different.is_empty() && different.iter().all(|it| it.is_newer));
    }
}
