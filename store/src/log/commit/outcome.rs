//! Outcome recovery: what became of a commit whose answer was lost.

use std::time::Duration;

use daybook_domain::TenantId;
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use super::backoff::Backoff;
use super::connections::{Connections, bounded, discard};
use crate::log::head::{self, Head};

/// How long the database is asked.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(8);

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed,
    /// And it never will be.
    NotCommitted,
    /// The database cannot be asked.
    Unknown,
}

/// Finds out about a commit after which the log ends at `head`.
pub(super) async fn recover(
    connections: &mut Connections,
    tenant: &TenantId,
    head: Head,
) -> Outcome {
    let give_up = Instant::now() + OUTCOME_TIMEOUT;
    let mut backoff = Backoff::default();
    loop {
        match ask(connections, tenant, head).await {
            Ok(committed) => {
                tracing::info!(%tenant, committed, "found out about a commit");
                return if committed { Outcome::Committed } else { Outcome::NotCommitted };
            }
            Err(error) if Instant::now() >= give_up => {
                tracing::error!(%error, %tenant, "cannot find out about a commit");
                return Outcome::Unknown;
            }
            Err(_) => backoff.pause().await,
        }
    }
}

async fn ask(
    connections: &mut Connections,
    tenant: &TenantId,
    head: Head,
) -> Result<bool, sqlx::Error> {
    let mut connection = connections.acquire().await?;
    let committed = was_committed(&mut connection, tenant, head).await;
    match &committed {
        Ok(_) => connections.release(connection),
        Err(_) => discard(connection),
    }
    committed
}

/// Whether a commit whose answer was lost is in the log: whether the event at its last position
/// has its hash. If not, it never will be: a batch that is still being written follows on a head that
/// was recorded earlier, by a microsecond.
pub(super) async fn was_committed(
    connection: &mut PgConnection,
    tenant: &TenantId,
    head: Head,
) -> Result<bool, sqlx::Error> {
    bounded(async {
        let mut tx = connection.begin().await?;
        head::lock(&mut tx, tenant).await?;
        let hash: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT hash FROM events WHERE tenant_id = $1 AND position = $2")
                .bind(tenant.as_str())
                .bind(head.position.as_i64())
                .fetch_optional(&mut *tx)
                .await?;
        if hash.is_some_and(|hash| hash == head.hash) {
            tx.rollback().await?;
            return Ok(true);
        }
        sqlx::query(
            "UPDATE log_heads SET recorded_at = recorded_at + interval '1 microsecond'
              WHERE tenant_id = $1",
        )
        .bind(tenant.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(false)
    })
    .await
}
