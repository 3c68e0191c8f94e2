//! The serial fallback: one batch after the other, while nothing is in flight.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::backoff::Backoff;
use super::connections::{Connections, discard};
use super::fault::{Fault, fault, is_outcome_unknown};
use super::head_cache::HeadCaches;
use super::measure::{Path, Sending};
use super::outcome::{self, Outcome};
use super::pipeline::InFlightBatch;
use super::queue::{Batch, Queue};
use super::transaction::{BatchError, HeldHead};
use crate::log::submission::{AppendError, Verdict};
use crate::log::wake::Wakeups;
use crate::{Clock, Repeated};

/// How long after it was submitted a batch is still tried while the database is away.
const BATCH_TIMEOUT: Duration = Duration::from_secs(4);

/// Where the database is away or has no room, those of all tenants fail.
static BATCHES: Repeated = Repeated::giving_up(
    "append batches",
    "a batch was given up; whoever submitted it has been told to come back",
);

/// What commits batches one after the other; what it is lent is the committer's.
pub(super) struct Serial<'c> {
    pub(super) connections: &'c mut Connections,
    pub(super) heads: &'c mut HeadCaches,
    pub(super) clock: &'c dyn Clock,
    pub(super) wakeups: &'c Wakeups,
    /// What waits: a batch takes along what came while it waited for the head.
    pub(super) queue: Option<&'c mut Queue>,
}

impl Serial<'_> {
    /// Gives the submissions of an optimistic batch that failed their verdicts all the same.
    pub(super) async fn recover(&mut self, failed: InFlightBatch, error: sqlx::Error) {
        let InFlightBatch { mut batch, new_head, verdicts } = failed;
        tracing::debug!(%error, tenant = %batch.tenant, "an optimistic batch failed");
        if is_outcome_unknown(&error) {
            match outcome::recover(self.connections, &batch.tenant, new_head).await {
                Outcome::Committed => {
                    self.wakeups.committed(&batch.tenant, new_head.position);
                    return batch.replies.answer(verdicts);
                }
                Outcome::NotCommitted => {}
                Outcome::Unknown => {
                    return fail(batch, &BatchError::Unknown(error, new_head, verdicts));
                }
            }
        }
        // The database answers, or nothing has been asked of it yet but this.
        batch.since = Instant::now();
        self.commit(batch).await;
    }

    /// Gives every submission of a batch its verdict.
    pub(super) async fn commit(&mut self, mut batch: Batch) {
        match self.retry(&mut batch).await {
            Ok(verdicts) => batch.replies.answer(verdicts),
            // One of them cannot be stored; it must not fail its neighbours.
            Err(BatchError::Failed(error))
                if batch.submissions.len() > 1 && fault(&error) == Fault::Data =>
            {
                self.queue = None;
                let (one, other) = batch.halves();
                Box::pin(self.commit(one)).await;
                Box::pin(self.commit(other)).await;
            }
            Err(error) => fail(batch, &error),
        }
    }

    /// Commits, again and again while the fault may pass. Others of this committer have waited
    /// meanwhile: what has waited too long is not tried at all.
    async fn retry(&mut self, batch: &mut Batch) -> Result<Vec<Verdict>, BatchError> {
        let tenant = batch.tenant.clone();
        let mut backoff = Backoff::default();
        let mut failure = sqlx::Error::PoolTimedOut;
        while batch.since.elapsed() < BATCH_TIMEOUT {
            match self.attempt(batch).await {
                Err(BatchError::Failed(error)) if fault(&error) == Fault::Passing => {
                    tracing::debug!(%error, %tenant, "trying the batch again");
                    failure = error;
                }
                Err(BatchError::Unknown(error, head, verdicts)) => {
                    match outcome::recover(self.connections, &tenant, head).await {
                        Outcome::Committed => {
                            self.wakeups.committed(&tenant, head.position);
                            return Ok(verdicts);
                        }
                        Outcome::NotCommitted => failure = error,
                        Outcome::Unknown => {
                            return Err(BatchError::Unknown(error, head, verdicts));
                        }
                    }
                }
                outcome => return outcome,
            }
            backoff.pause().await;
        }
        Err(BatchError::Failed(failure))
    }

    async fn attempt(&mut self, batch: &mut Batch) -> Result<Vec<Verdict>, BatchError> {
        let mut connection = self.connections.acquire().await?;
        let sending = Sending::new(Path::Serial, &batch.tenant);
        let committed = self.commit_on(&mut connection, batch).instrument(sending.span()).await;
        sending.link(&batch.submissions);
        sending.ended(batch.submissions.len(), &committed);
        let is_broken = match &committed {
            Err(BatchError::Failed(error)) => fault(error) == Fault::Passing,
            Err(BatchError::Unknown(..)) => true,
            Ok(_) | Err(BatchError::UnknownTenant) => false,
        };
        if is_broken {
            discard(connection);
        } else {
            self.connections.release(connection);
        }
        let verdicts = committed?;
        BATCHES.succeeded();
        let appended = verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Appended(position) => Some(*position),
            _ => None,
        });
        if let Some(position) = appended.max() {
            self.wakeups.committed(&batch.tenant, position);
        }
        Ok(verdicts)
    }

    async fn commit_on(
        &mut self,
        connection: &mut PgConnection,
        batch: &mut Batch,
    ) -> Result<Vec<Verdict>, BatchError> {
        let held = HeldHead::take(connection, &batch.tenant).await?;
        if let Some(queue) = &mut self.queue
            && queue.fill(batch)
        {
            // They have all their time before them. Once: the first must not wait for ever.
            batch.since = Instant::now();
            self.queue = None;
        }
        let (cache, now) = (self.heads.of(&batch.tenant), self.clock.now());
        held.commit(&batch.tenant, &batch.submissions, now, cache).await
    }
}

/// Nobody gets a verdict.
fn fail(Batch { tenant, replies, submissions, .. }: Batch, error: &BatchError) {
    let count = submissions.len();
    match error {
        BatchError::Failed(error) if fault(error) != Fault::Data => {
            BATCHES.failed(&format_args!("{count} submissions of {tenant}: {error}"));
        }
        BatchError::Failed(error) => tracing::error!(%error, %tenant, "a batch failed"),
        BatchError::Unknown(_, head, _) => {
            tracing::error!(%tenant, position = %head.position, "a commit's outcome is not known");
        }
        BatchError::UnknownTenant => tracing::warn!(%tenant, "a command for an unknown tenant"),
    }
    replies.fail(AppendError::from(error));
}
