//! How far the projections are, and waiting for them: reading what one has just written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::{Log, Position};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::ProjectionId;
use crate::checkpoint::{self, Key};

/// How often a waiter looks by itself: the leader may be another program.
const POLL: Duration = Duration::from_millis(25);

/// Tells how far each projection is. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    log: Log,
    /// Ticks after each batch that this program committed: a hint to look again.
    committed: Arc<watch::Sender<u64>>,
}

/// Why a projection is not where a reader wants it.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It did not get there in time.
    #[error("the projection is at position {position}")]
    Behind {
        /// Where it is.
        position: Position,
    },
    /// There is no such position: the log ends before it.
    #[error("the log ends at position {head}")]
    BeyondHead {
        /// Where the log ends.
        head: Position,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// How far a projection is behind the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Which one.
    pub projection: ProjectionId,
    /// For how many tenants there are events that it has not read.
    pub tenants_behind: u64,
    /// How many events it has not read, over all tenants.
    pub events_behind: u64,
    /// For how many tenants it stands still at an event that it cannot apply.
    pub tenants_failed: u64,
}

impl Progress {
    /// The progress of projections that other programs may be running.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, committed: Arc::new(watch::Sender::new(0)) }
    }

    pub(crate) fn tick(&self) {
        self.committed.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// How far a projection has read a tenant's log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn position(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
    ) -> Result<Position, sqlx::Error> {
        let key = Key { tenant: tenant.clone(), projection };
        Ok(checkpoint::position(self.log.pool(), &key).await?.unwrap_or_default())
    }

    /// Waits until a projection has read its tenant's log up to `at_least`.
    ///
    /// # Errors
    /// When it does not get there before `deadline`, or never can: see [`WaitError`].
    pub async fn wait_until(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        at_least: Position,
        deadline: Instant,
    ) -> Result<(), WaitError> {
        let key = Key { tenant: tenant.clone(), projection };
        // Before the first look, so that no batch is committed unseen between look and wait.
        let mut committed = self.committed.subscribe();
        let mut exists = false;
        loop {
            let position = checkpoint::position(self.log.pool(), &key).await?.unwrap_or_default();
            if position >= at_least {
                return Ok(());
            }
            if !exists {
                let head = self.log.head(tenant).await?.unwrap_or_default();
                if head < at_least {
                    return Err(WaitError::BeyondHead { head });
                }
                exists = true;
            }
            let look_again = async {
                tokio::select! {
                    _ = committed.changed() => {}
                    () = sleep(POLL) => {}
                }
            };
            if timeout_at(deadline, look_again).await.is_err() {
                return Err(WaitError::Behind { position });
            }
        }
    }

    /// How far each of these projections is behind, over all tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lag(&self, projections: &[ProjectionId]) -> Result<Vec<Lag>, sqlx::Error> {
        // The checkpoints first: a head that is read later can only be further on.
        let checkpoints: HashMap<_, _> =
            checkpoint::all(self.log.pool(), projections).await?.into_iter().collect();
        let heads = self.log.heads().await?;
        let lag_of = |projection| {
            let mut lag =
                Lag { projection, tenants_behind: 0, events_behind: 0, tenants_failed: 0 };
            for (tenant, head) in &heads {
                let at = checkpoints.get(&Key { tenant: tenant.clone(), projection });
                let position = at.map(|at| at.position).unwrap_or_default();
                lag.tenants_behind += u64::from(position < *head);
                lag.events_behind += head.get().saturating_sub(position.get());
                lag.tenants_failed += u64::from(at.is_some_and(|at| at.failed_position.is_some()));
            }
            lag
        };
        Ok(projections.iter().copied().map(lag_of).collect())
    }
}
