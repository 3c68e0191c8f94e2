//! A database with a tenant, and programs that work on it.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_embedded_postgres::testing::{TestCluster, TestDatabase};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::{SetClock, noon};
use crate::log::COMMITTER_SETTINGS;
use crate::{Clock, Engine, Log, LogSettings, migrate, tenants};

/// A database with the tenant `clinic`, and a clock that stands still at noon.
pub(crate) struct House {
    pub(crate) tenant: TenantId,
    pub(crate) clock: Arc<SetClock>,
    /// For looking behind the curtain.
    pub(crate) pool: PgPool,
    database: TestDatabase,
}

async fn migrated(url: &str) -> Result<(), String> {
    let pool = PgPool::connect(url).await.map_err(|error| error.to_string())?;
    migrate(&pool).await.map_err(|error| error.to_string())?;
    pool.close().await;
    Ok(())
}

impl House {
    pub(crate) async fn new() -> Self {
        let database = TestCluster::shared().database(migrated).await;
        let pool = PgPool::connect(&database.url).await.unwrap();
        let clock = Arc::new(SetClock::at(noon()));
        let house = Self { tenant: "clinic".parse().unwrap(), clock, pool, database };
        house.another_tenant("clinic").await;
        house
    }

    pub(crate) async fn another_tenant(&self, name: &str) -> TenantId {
        let tenant: TenantId = name.parse().unwrap();
        tenants::create(&self.pool, &tenant, "Europe/Oslo", noon()).await.unwrap();
        tenant
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(&self.database.url).unwrap()
    }

    /// A session as a committer's.
    pub(crate) fn committer_options(&self) -> PgConnectOptions {
        self.options().options(COMMITTER_SETTINGS.iter().copied())
    }

    /// The log as another program opens it.
    pub(crate) fn log(&self) -> Log {
        self.log_with(Self::settings())
    }

    pub(crate) fn settings() -> LogSettings {
        LogSettings { committers: 2, readers: 4, ..LogSettings::default() }
    }

    pub(crate) fn log_with(&self, settings: LogSettings) -> Log {
        Log::open(&self.options(), &self.clock(), settings)
    }

    /// The engine of another program, with nothing in its memory.
    pub(crate) fn engine(&self) -> Engine {
        Engine::new(self.log(), self.clock())
    }

    /// Ends the connections of every `Log`'s committers, as a failing server does.
    pub(crate) async fn cut_the_committers(&self) {
        // The committers' connections are those that last wrote a batch or spoke to the head of a log.
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND (query LIKE '%log_heads%' OR query LIKE '%append_batch%'
                     OR query IN ('COMMIT', 'BEGIN', 'ROLLBACK'))",
        )
        .execute(&self.pool)
        .await
        .unwrap();
    }

    /// Waits until a committer waits for a lock of that kind, as `pg_stat_activity` calls it.
    pub(crate) async fn committers_wait_for(&self, kind: &str) {
        eventually(&format!("a committer waits: {kind}"), async || {
            self.a_committer_waits_for(kind).await
        })
        .await;
    }

    pub(crate) async fn a_committer_waits_for(&self, kind: &str) -> bool {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity
                             WHERE datname = current_database() AND wait_event = $1)",
        )
        .bind(kind)
        .fetch_one(&self.pool)
        .await
        .unwrap()
    }
}

/// Waits until `done` holds; a test that waits in vain has failed.
pub(crate) async fn eventually(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("in vain: {what}");
}
