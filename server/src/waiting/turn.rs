//! One tenant's turn: what has become available is offered to those who wait for it.
//!
//! 1. What has become available by the events since the last turn? If nothing, it rests.
//! 2. The tenant is this program's for a while. It waits until the waiting-list projection has read as far as the
//!    log has come: everybody who has joined is to be known before anybody is offered anything.
//! 3. Those who wait are gone through (`walk`), for as long as a turn may take.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::waiting::Freed;
use daybook_projections::WaitError;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use daybook_store::Position;
use daybook_store::promotions::Promoted;
use tokio::time::Instant;

use super::Promoter;
use super::walk::{Walk, Walked};

/// How long a turn waits for the projection.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a turn may take. A look that has begun is ended.
const LENGTH: Duration = Duration::from_millis(200);

/// The pause after a turn that has not come to its end is so many times as long as it was: one tenant takes a fifth
/// of a processor at most.
const PAUSES: u32 = 4;

/// The tenant is this program's meanwhile: the lease lasts longer.
const MAX_PAUSE: Duration = Duration::from_secs(4);

/// How long a tenant is left alone after somebody could not be offered anything for now.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What a turn begins with.
#[derive(Default)]
pub(super) struct Turn {
    /// How far the tenant is, if this program knows.
    pub(super) known: Option<Position>,
    /// Where the last turn has not come to its end.
    pub(super) walk: Option<Walk>,
    /// Whether it is to be recorded how far the tenant is, even if there is nothing else to do.
    pub(super) record: bool,
}

/// How a turn ended.
pub(super) enum After {
    /// All that has become available up to there was offered.
    Done(Position),
    /// It is to go on.
    Later { pause: Duration, walk: Walk },
    /// Another program is at it.
    Others,
}

impl Promoter {
    pub(super) async fn turn(&self, tenant: &TenantId, turn: Turn) -> anyhow::Result<After> {
        let head = self.head(tenant).await?;
        if let (Some(known), None, false) = (turn.known, &turn.walk, turn.record)
            && known <= head
            && self.parts.engine.freed(tenant, known, head).await?.is_nothing()
        {
            return Ok(After::Done(head));
        }
        let Some(promoted) = self.promotions.take(tenant).await? else {
            return Ok(After::Others);
        };
        let began = Instant::now();
        let mut walk = match turn.walk.filter(|walk| walk.base == promoted) {
            Some(mut walk) => {
                self.is_overtaken(tenant, &mut walk).await?;
                walk
            }
            None => self.begin(tenant, promoted, turn.known, head).await?,
        };
        if walk.is_for_nobody() {
            self.promotions.give_back(tenant, walk.promoted()).await?;
            return Ok(After::Done(walk.until));
        }
        // Holds may have ended that were offered.
        self.sweep.notify_one();
        self.caught_up(tenant, walk.until).await?;
        match self.walk(tenant, &mut walk, began + LENGTH).await? {
            Walked::ToTheEnd => {
                self.promotions.give_back(tenant, walk.promoted()).await?;
                Ok(After::Done(walk.until))
            }
            // Some are to be looked at again: as if nobody had been.
            Walked::NotAll => {
                self.promotions.give_back(tenant, walk.base).await?;
                let walk = self.begin(tenant, walk.base, None, head).await?;
                Ok(After::Later { pause: RETRY_PAUSE, walk })
            }
            Walked::NotYet => {
                let pause = (began.elapsed() * PAUSES).min(MAX_PAUSE);
                Ok(After::Later { pause, walk })
            }
        }
    }

    /// What has become available since then, or since this program knows of, from the front of the queue.
    async fn begin(
        &self,
        tenant: &TenantId,
        promoted: Promoted,
        known: Option<Position>,
        head: Position,
    ) -> anyhow::Result<Walk> {
        let now = self.parts.clock.now();
        let freed = match (promoted.read.max(known), promoted.passed) {
            (Some(read), Some(passed)) if read <= head => {
                let mut freed = self.parts.engine.freed(tenant, read, head).await?;
                if is_another_quarter(passed, now) {
                    freed.add_passed(passed, now);
                }
                freed
            }
            _ => Freed::anything(),
        };
        Ok(Walk::new(promoted, freed, head, now))
    }

    pub(super) async fn head(&self, tenant: &TenantId) -> Result<Position, sqlx::Error> {
        Ok(self.parts.log().head(tenant).await?.unwrap_or_default())
    }

    /// Waits until what this reads has read the log up to a position.
    pub(super) async fn caught_up(&self, tenant: &TenantId, at: Position) -> Result<(), WaitError> {
        let deadline = Instant::now() + CATCH_UP_TIMEOUT;
        for projection in [WaitingList::ID, Sessions::ID] {
            self.progress.wait_until(tenant, projection, at, deadline).await?;
        }
        Ok(())
    }
}

/// Whether a local day can have begun somewhere between the two: all zones are whole quarters of an hour apart.
pub(super) fn is_another_quarter(before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    const QUARTER: i64 = 15 * 60;
    before.timestamp().div_euclid(QUARTER) < now.timestamp().div_euclid(QUARTER)
}
