//! Whether anything can be read and appended.

use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Log;

impl Log {
    /// Whether a committer has ended, which none does by itself: its tenants' commands are refused until the program
    /// is started anew.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.committers.iter().any(mpsc::Sender::is_closed)
    }

    /// Whether all committers are there, and their connections work.
    pub async fn committers_work(&self, limit: Duration) -> bool {
        !self.is_broken() && works(&self.commit_pool, limit).await
    }

    /// Whether the readers' connections work.
    pub async fn readers_work(&self, limit: Duration) -> bool {
        works(&self.pool, limit).await
    }
}

/// Whether a pool's connections work. They do where all are in use, so that one would have to wait: committers keep
/// theirs. A database that does not answer is noticed by the heartbeat, which has a connection of its own.
async fn works(pool: &PgPool, limit: Duration) -> bool {
    match timeout(limit, sqlx::query("SELECT 1").execute(pool)).await {
        Ok(Ok(_)) => true,
        Ok(Err(sqlx::Error::PoolTimedOut)) | Err(_) => pool.size() > 0,
        Ok(Err(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::House;

    #[tokio::test]
    async fn committers_that_have_all_their_connections_in_use_work() {
        let house = House::new().await;
        let log = house.log();
        let limit = Duration::from_secs(1);
        assert!(log.committers_work(limit * 10).await);
        let (pool, mut held): (&PgPool, _) = (&log.commit_pool, Vec::new());
        while let Ok(Ok(connection)) = timeout(limit, pool.acquire()).await {
            held.push(connection);
        }
        assert!(!held.is_empty());
        assert!(log.committers_work(limit).await);
    }
}
