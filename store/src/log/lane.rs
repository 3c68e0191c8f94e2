//! Group commit: while one batch commits, the next gathers by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::batch::{self, BatchError, Head};
use super::fault::{Fault, fault};
use super::memory::Memory;
use super::submission::{AppendError, Submission, Verdict};
use super::wake::Wakeups;
use crate::Clock;

/// The most submissions in one transaction.
const MAX_BATCH: usize = 1_024;

/// The most stream versions that a lane remembers, and the most tenants.
const MAX_VERSIONS: usize = 100_000;
const MAX_TENANTS: usize = 256;

/// How long an idle lane keeps its connection: a network may forget one that is not used.
const KEEP: Duration = Duration::from_mins(1);

/// How long after it was submitted a batch is still tried while the database is away.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a lane asks whether a commit whose answer was lost succeeded.
const PATIENCE_FOR_AN_OUTCOME: Duration = Duration::from_secs(20);

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A submission and who waits for its verdict. Nobody may wait any more: it is appended anyway.
pub(super) struct Pending {
    pub(super) submission: Submission,
    pub(super) reply: oneshot::Sender<Result<Verdict, AppendError>>,
    pub(super) since: Instant,
}

/// What waits in a lane of one tenant.
struct Batch {
    tenant: TenantId,
    submissions: Vec<Submission>,
    replies: Replies,
    /// When its first submission came.
    since: Instant,
}

type Replies = Vec<oneshot::Sender<Result<Verdict, AppendError>>>;

/// One committer: its tenants' batches follow each other, on a connection of its own.
pub(super) struct Lane {
    committers: PgPool,
    connection: Option<PoolConnection<Postgres>>,
    clock: Arc<dyn Clock>,
    wakeups: Arc<Wakeups>,
    memory: HashMap<TenantId, Memory>,
}

/// The lanes' statements are few and all served by an index: on a table that grew since it was
/// analysed, the planner could still prefer to scan it. A program that is frozen or cut off in a
/// batch must not keep its tenant locked, and others must not wait for it in vain.
pub(super) fn options(database: PgConnectOptions) -> PgConnectOptions {
    database.options([
        ("idle_in_transaction_session_timeout", "3s"),
        ("lock_timeout", "2s"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ])
}

impl Lane {
    pub(super) fn new(committers: PgPool, clock: Arc<dyn Clock>, wakeups: Arc<Wakeups>) -> Self {
        Self { committers, connection: None, clock, wakeups, memory: HashMap::new() }
    }

    /// Commits what is sent, until nobody can send any more.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut waiting = Vec::with_capacity(MAX_BATCH);
        loop {
            let received = timeout(KEEP, queue.recv_many(&mut waiting, MAX_BATCH)).await;
            match received {
                Ok(0) => return,
                Ok(_) => {
                    for batch in by_tenant(&mut waiting) {
                        self.settle(batch).await;
                    }
                }
                Err(_) => drop(self.connection.take().map(PoolConnection::detach)),
            }
        }
    }

    /// Gives every submission of a batch its verdict.
    async fn settle(&mut self, batch: Batch) {
        let alone = batch.submissions.len() == 1;
        match self.commit(&batch).await {
            Ok(verdicts) => answer(batch.replies, verdicts.into_iter().map(Ok)),
            // One of them cannot be stored; it must not fail its neighbours.
            Err(BatchError::Failed(error)) if !alone && fault(&error) == Fault::Data => {
                let (one, other) = halves(batch);
                Box::pin(self.settle(one)).await;
                Box::pin(self.settle(other)).await;
            }
            Err(error) => {
                report(&batch.tenant, &error);
                answer(batch.replies, std::iter::repeat(Err(AppendError::from(&error))));
            }
        }
    }

    /// Commits, again and again while the fault may pass. Others of this lane have waited
    /// meanwhile: what has waited too long is not tried at all.
    async fn commit(&mut self, batch: &Batch) -> Result<Vec<Verdict>, BatchError> {
        let Batch { tenant, submissions, since, .. } = batch;
        let give_up = *since + PATIENCE;
        let mut pause = FIRST_PAUSE;
        let mut failure = sqlx::Error::PoolTimedOut;
        while Instant::now() < give_up {
            match self.try_commit(tenant, submissions).await {
                Err(BatchError::Failed(error)) if fault(&error) == Fault::Passing => {
                    tracing::debug!(%error, %tenant, "trying the batch again");
                    failure = error;
                }
                Err(BatchError::Unknown(error, head, verdicts)) => {
                    match self.was_committed(tenant, head).await {
                        Some(true) => {
                            self.wakeups.committed();
                            return Ok(verdicts);
                        }
                        Some(false) => failure = error,
                        None => return Err(BatchError::Unknown(error, head, verdicts)),
                    }
                }
                outcome => return outcome,
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(BatchError::Failed(failure))
    }

    /// The lane's own connection: the pool would test it after every batch.
    async fn connect(&mut self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.committers.acquire().await,
        }
    }

    async fn try_commit(
        &mut self,
        tenant: &TenantId,
        submissions: &[Submission],
    ) -> Result<Vec<Verdict>, BatchError> {
        let versions: usize = self.memory.values().map(Memory::len).sum();
        if versions > MAX_VERSIONS || self.memory.len() > MAX_TENANTS {
            self.memory.clear();
        }
        let mut connection = self.connect().await?;
        let memory = self.memory.entry(tenant.clone()).or_default();
        let now = self.clock.now();
        let outcome = batch::commit(&mut connection, tenant, submissions, now, memory).await;
        // A connection that failed may be silent for ever.
        if matches!(&outcome, Err(BatchError::Failed(error)) if fault(error) == Fault::Passing)
            || matches!(outcome, Err(BatchError::Unknown(..)))
        {
            drop(connection.detach());
        } else {
            self.connection = Some(connection);
        }
        let verdicts = outcome?;
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Appended(_))) {
            self.wakeups.committed();
        }
        Ok(verdicts)
    }

    /// Whether a commit whose answer was lost is in the log; `None`: the log cannot be asked.
    async fn was_committed(&self, tenant: &TenantId, head: Head) -> Option<bool> {
        let give_up = Instant::now() + PATIENCE_FOR_AN_OUTCOME;
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = match self.committers.acquire().await {
                Ok(mut connection) => {
                    let asked = batch::was_committed(&mut connection, tenant, head).await;
                    if asked.is_err() {
                        drop(connection.detach());
                    }
                    asked
                }
                Err(error) => Err(error),
            };
            match asked {
                Ok(committed) => {
                    tracing::info!(%tenant, committed, "found out about a commit");
                    return Some(committed);
                }
                Err(error) if Instant::now() >= give_up => {
                    tracing::error!(%error, %tenant, "cannot find out about a commit");
                    return None;
                }
                Err(_) => sleep(pause).await,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn answer(replies: Replies, verdicts: impl Iterator<Item = Result<Verdict, AppendError>>) {
    for (reply, verdict) in replies.into_iter().zip(verdicts) {
        // Whoever asked may have gone away.
        let _ = reply.send(verdict);
    }
}

fn report(tenant: &TenantId, error: &BatchError) {
    match error {
        BatchError::Failed(error) => tracing::error!(%error, %tenant, "a batch failed"),
        BatchError::Unknown(_, head, _) => {
            tracing::error!(%tenant, position = %head.position, "a commit's outcome is not known");
        }
        BatchError::UnknownTenant => tracing::warn!(%tenant, "a command for an unknown tenant"),
    }
}

/// A batch is of one tenant; each tenant's submissions keep their order.
fn by_tenant(waiting: &mut Vec<Pending>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for Pending { submission, reply, since } in waiting.drain(..) {
        match batches.iter_mut().find(|batch| batch.tenant == submission.tenant) {
            Some(batch) => {
                batch.submissions.push(submission);
                batch.replies.push(reply);
            }
            None => batches.push(Batch {
                tenant: submission.tenant.clone(),
                submissions: vec![submission],
                replies: vec![reply],
                since,
            }),
        }
    }
    batches
}

/// The two halves of a batch. Being tried in vain has cost them none of their time.
fn halves(mut batch: Batch) -> (Batch, Batch) {
    let half = batch.submissions.len() / 2;
    batch.since = Instant::now();
    let other = Batch {
        tenant: batch.tenant.clone(),
        submissions: batch.submissions.split_off(half),
        replies: batch.replies.split_off(half),
        since: batch.since,
    };
    (batch, other)
}
