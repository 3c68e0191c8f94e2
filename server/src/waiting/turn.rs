//! One tenant's turn: what has become available is offered to those who wait for it.
//!
//! 1. What has become available by the events since the last turn? If nothing, it rests.
//! 2. Everybody who has joined is to be known before anybody is offered anything: as long as the waiting-list projection
//!    has not read as far as the log has come, there is no turn.
//! 3. The tenant is this program's for a while, and those who wait are gone through (`walk`), for as long as a turn may
//!    take.

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::waiting::Freed;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use daybook_store::Position;
use daybook_store::promotions::Promoted;
use tokio::time::Instant;

use super::Promoter;
use super::walk::{Walk, Walked};

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
    /// It can begin, or go on, when what it reads has read the log.
    Behind(Option<Walk>),
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
        if !self.has_been_read(tenant, head).await? {
            return Ok(After::Behind(turn.walk));
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
        // More may have happened since this turn began.
        if walk.until > head && !self.has_been_read(tenant, walk.until).await? {
            return Ok(After::Behind(Some(walk)));
        }
        // Holds may have ended that were offered.
        self.sweep.notify_one();
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
            Walked::Behind => Ok(After::Behind(Some(walk))),
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
        let first = self.list.in_turn(tenant, Position::START, now, 1).await?;
        let Some(first) = first.first().map(|entry| entry.turn) else {
            return Ok(Walk::new(promoted, Freed::default(), head, now));
        };
        let freed = match (promoted.read.max(known), promoted.passed) {
            (Some(read), Some(passed)) if read <= head => {
                let read = matters_from(read, first);
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

    /// Whether what this reads has read the log up to a position.
    pub(super) async fn has_been_read(
        &self,
        tenant: &TenantId,
        at: Position,
    ) -> Result<bool, sqlx::Error> {
        for projection in [WaitingList::ID, Sessions::ID] {
            if self.progress.position(tenant, projection).await? < at {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// After which position what has become available matters: what did before the first of those who wait had joined was
/// for others, and whoever has joined was looked at for all that there was then.
fn matters_from(read: Position, first: Position) -> Position {
    read.max(Position::from_i64(first.as_i64() - 1))
}

/// Whether a local day can have begun somewhere between the two: all zones are whole quarters of an hour apart.
pub(super) fn is_another_quarter(before: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    const QUARTER: i64 = 15 * 60;
    before.timestamp().div_euclid(QUARTER) < now.timestamp().div_euclid(QUARTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_available_before_anybody_waited_is_not_read() {
        let at = Position::from_i64;
        assert_eq!(matters_from(at(3), at(90_000)), at(89_999));
        assert_eq!(matters_from(at(90_000), at(3)), at(90_000), "nor what was offered before");
    }
}
