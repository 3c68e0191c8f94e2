//! One turn: a few batches of one projection of one tenant.

use std::sync::Arc;

use daybook_store::{Clock, Log, Position, RecordedEvent};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::RunnerSettings;
use super::batch::{Batch, Commit, as_many_as_can_be};
use crate::checkpoint::{self, Key, Lease};
use crate::{ApplyError, Progress, Projection, Schema, Tables};

/// The transaction of a batch. Rows and checkpoint are lost together or not at all, and the log
/// has them for ever, so the commit need not wait for the disk. A program that stops in the middle
/// of a batch (suspended, partitioned) must not keep its successor waiting for its row locks.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off;
     SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// At the end of the log, as far as it could see.
    CaughtUp,
    /// There is more to do.
    More,
    /// Another program leads.
    NotLeading,
    /// At an event that cannot be applied.
    Failed,
    /// The database failed.
    Disturbed,
}

pub(crate) struct Turn {
    pub(crate) key: Key,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: RunnerSettings,
    pub(crate) progress: Progress,
    pub(crate) me: Uuid,
    pub(crate) cancel: CancellationToken,
}

impl Turn {
    pub(crate) async fn take(self) -> Ended {
        match self.batches().await {
            Ok(ended) => ended,
            Err(error) => {
                let Key { tenant, projection } = &self.key;
                tracing::warn!(%tenant, %projection, %error, "a batch failed and is tried again");
                Ended::Disturbed
            }
        }
    }

    async fn batches(&self) -> Result<Ended, sqlx::Error> {
        let pool = self.log.pool();
        let Some(mut position) = checkpoint::lead(pool, &self.key, self.lease()).await? else {
            return Ok(Ended::NotLeading);
        };
        for _ in 0..self.settings.turn_batches {
            if self.cancel.is_cancelled() {
                break;
            }
            let read =
                self.log.follow(&self.key.tenant, position, self.settings.batch_events).await?;
            // What is appended from here on is seen at the next look.
            let end = position.plus(read.len() as u64);
            let all = read.len() < self.settings.batch_events as usize;
            if read.is_empty() {
                return Ok(Ended::CaughtUp);
            }
            match as_many_as_can_be(self, position, read).await? {
                Batch::Applied(to) => {
                    position = to;
                    self.progress.tick();
                    if all && to == end {
                        return Ok(Ended::CaughtUp);
                    }
                }
                Batch::Stuck { reason } => {
                    return self.stand_still(position.plus(1), &reason).await;
                }
                Batch::LostLead => return Ok(Ended::NotLeading),
            }
        }
        Ok(Ended::More)
    }

    pub(crate) fn lease(&self) -> Lease {
        Lease { leader: self.me, now: self.clock.now(), length: self.settings.lease }
    }

    async fn stand_still(&self, at: Position, reason: &str) -> Result<Ended, sqlx::Error> {
        let Key { tenant, projection } = &self.key;
        tracing::error!(
            %tenant, %projection, position = %at, reason,
            "a projection stands still at an event that it cannot apply"
        );
        let noted = checkpoint::fail(self.log.pool(), &self.key, self.me, at, reason).await?;
        Ok(if noted { Ended::Failed } else { Ended::NotLeading })
    }
}

impl Commit for Turn {
    /// Rows and checkpoint in one transaction. `false`: another one leads, and nothing has changed.
    async fn commit(
        &self,
        from: Position,
        to: Position,
        events: &[RecordedEvent],
    ) -> Result<bool, ApplyError> {
        let mut tx = self.log.pool().begin_with(BEGIN).await?;
        // First: a leader that is none must not wait for, or hold, a lock on any row.
        if !checkpoint::advance(&mut tx, &self.key, self.lease(), from, to).await? {
            return Ok(false);
        }
        let schema = Schema::of(self.key.projection);
        let mut tables = Tables::new(&mut tx, &schema);
        self.projection.apply(&mut tables, &self.key.tenant, events).await?;
        tx.commit().await?;
        Ok(true)
    }
}
