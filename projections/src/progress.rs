//! How far the projections are, and waiting for them: reading what one has just written.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::{Log, Position};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

use crate::checkpoint::{self, Subscription};
use crate::rebuild::{shadow, state};
use crate::status::{self, BuildStatus, Status, TenantStatus};
use crate::{ProjectionId, schema};

/// How often a waiter checks by itself: another program may hold the lease.
const CHECK_INTERVAL: Duration = Duration::from_millis(25);

/// What a reader waits for longer than this, its leader may have left: the runner of this program takes it, whose-ever it is.
const PATIENCE: Duration = Duration::from_millis(150);

/// So many who wait are told of at the same time.
const MAX_AWAITED: usize = 64;

/// So many commits are kept for a waiter that is slow to hear of them; one that has missed some checks by itself.
const MAX_COMMITTED: usize = 256;

/// Tells how far each projection is. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    log: Log,
    projections: Arc<[ProjectionId]>,
    /// Says of which subscription this program has committed a batch: a hint to check again.
    committed: broadcast::Sender<Subscription>,
    /// Tells the runner of this program, if there is one, what somebody waits for.
    awaited: mpsc::Sender<Awaited>,
}

/// What somebody waits for.
pub(crate) struct Awaited {
    pub(crate) subscription: Subscription,
    /// For longer than it should take: whoever leads may have ended.
    pub(crate) is_late: bool,
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

impl Progress {
    /// The progress of projections that other programs may be running.
    #[must_use]
    pub fn new(log: Log, projections: Arc<[ProjectionId]>) -> Self {
        Self::with_runner(log, projections).0
    }

    /// The same, and what the runner of this program is to hear: what somebody waits for.
    pub(crate) fn with_runner(
        log: Log,
        projections: Arc<[ProjectionId]>,
    ) -> (Self, mpsc::Receiver<Awaited>) {
        let (awaited, hears) = mpsc::channel(MAX_AWAITED);
        let committed = broadcast::Sender::new(MAX_COMMITTED);
        (Self { log, projections, committed, awaited }, hears)
    }

    pub(crate) fn has_committed(&self, subscription: &Subscription) {
        // Nobody may wait.
        let _ = self.committed.send(subscription.clone());
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
        let subscription = Subscription { tenant: tenant.clone(), projection };
        Ok(checkpoint::position(self.log.pool(), &subscription).await?.unwrap_or_default())
    }

    /// Waits until a projection has read its tenant's log up to `at_least`, and says how far it has.
    ///
    /// # Errors
    /// When it does not get there before `deadline`, or never can: see [`WaitError`].
    pub async fn wait_until(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        at_least: Position,
        deadline: Instant,
    ) -> Result<Position, WaitError> {
        let subscription = Subscription { tenant: tenant.clone(), projection };
        // Before the first check, so that no batch is committed unseen between check and wait.
        let mut committed = self.committed.subscribe();
        let (mut exists, began) = (false, Instant::now());
        loop {
            let position =
                checkpoint::position(self.log.pool(), &subscription).await?.unwrap_or_default();
            if position >= at_least {
                return Ok(position);
            }
            if !exists {
                let head = self.log.head(tenant).await?.unwrap_or_default();
                if head < at_least {
                    return Err(WaitError::BeyondHead { head });
                }
                exists = true;
            }
            let is_late = began.elapsed() >= PATIENCE;
            // Without a runner, or with one that has heard enough, it is waited all the same.
            let _ = self.awaited.try_send(Awaited { subscription: subscription.clone(), is_late });
            let check_again = async {
                tokio::select! {
                    () = committed_of(&subscription, &mut committed) => {}
                    () = sleep(CHECK_INTERVAL) => {}
                }
            };
            if timeout_at(deadline, check_again).await.is_err() {
                return Err(WaitError::Behind { position });
            }
        }
    }

    /// Whether all projections of this program can be read. It is one look-up, however far they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn are_made(&self) -> Result<bool, sqlx::Error> {
        let whole = schema::whole(self.log.pool(), &self.projections).await?;
        Ok(whole.len() == self.projections.len())
    }

    /// Whether each projection of this program can be read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn builds(&self) -> Result<Vec<BuildStatus>, sqlx::Error> {
        status::builds(self.log.pool(), &self.projections).await
    }

    /// How far each projection of this program is, over all tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn status(&self) -> Result<Vec<Status>, sqlx::Error> {
        status::of_all(&self.log, &self.projections).await
    }

    /// How far each projection of this program is with one tenant's log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn status_for(&self, tenant: &TenantId) -> Result<Vec<TenantStatus>, sqlx::Error> {
        status::of_tenant(&self.log, &self.projections, tenant).await
    }

    /// The projection of this name.
    #[must_use]
    pub fn projection(&self, name: &str) -> Option<ProjectionId> {
        self.projections.iter().copied().find(|id| id.name == name)
    }

    /// Asks for a projection to be rebuilt, by whichever program serves; it is read as it is until
    /// then. Where it is being rebuilt already, nothing changes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rebuild(
        &self,
        projection: ProjectionId,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        state::request(self.log.pool(), &shadow(projection), projection, now).await
    }

    /// Cancels the rebuild of a projection. `false`: there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel(
        &self,
        projection: ProjectionId,
        now: DateTime<Utc>,
    ) -> Result<bool, sqlx::Error> {
        state::cancel(self.log.pool(), &shadow(projection), now).await
    }
}

/// Waits until a batch of this subscription was committed, or may have been.
async fn committed_of(
    subscription: &Subscription,
    committed: &mut broadcast::Receiver<Subscription>,
) {
    while committed.recv().await.is_ok_and(|committed| committed != *subscription) {}
}
