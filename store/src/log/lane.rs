//! Group commit: while one batch commits, the next gathers by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use super::batch::{self, BatchError, Head, KnownVersions};
use super::fault::{Fault, fault};
use super::submission::{AppendError, Submission, Verdict};
use super::wake::Wakeups;
use crate::Clock;

/// The most submissions in one transaction.
const MAX_BATCH: usize = 1_024;

/// The most tenants whose stream versions a lane remembers.
const MAX_TENANTS: usize = 256;

/// How long a batch is tried again while the database is away.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a lane asks whether a commit whose answer was lost succeeded.
const PATIENCE_FOR_AN_OUTCOME: Duration = Duration::from_secs(20);

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A submission and who waits for its verdict. Nobody may wait any more: it is appended anyway.
pub(super) struct Pending {
    pub(super) submission: Submission,
    pub(super) reply: oneshot::Sender<Result<Verdict, AppendError>>,
}

type Replies = Vec<oneshot::Sender<Result<Verdict, AppendError>>>;

/// One committer: its tenants' batches follow each other, on a connection of its own.
pub(super) struct Lane {
    committers: PgPool,
    clock: Arc<dyn Clock>,
    wakeups: Arc<Wakeups>,
    known: HashMap<TenantId, KnownVersions>,
}

/// The lanes' statements are few and all served by an index: on a table that grew since it was
/// analysed, the planner could still prefer to scan it.
pub(super) fn options(database: PgConnectOptions) -> PgConnectOptions {
    database.options([
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ])
}

impl Lane {
    pub(super) fn new(committers: PgPool, clock: Arc<dyn Clock>, wakeups: Arc<Wakeups>) -> Self {
        Self { committers, clock, wakeups, known: HashMap::new() }
    }

    /// Commits what is sent, until nobody can send any more.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut waiting = Vec::with_capacity(MAX_BATCH);
        while queue.recv_many(&mut waiting, MAX_BATCH).await > 0 {
            for (tenant, submissions, replies) in by_tenant(&mut waiting) {
                self.settle(&tenant, submissions, replies).await;
            }
        }
    }

    /// Gives every submission of a batch its verdict.
    async fn settle(&mut self, tenant: &TenantId, submissions: Vec<Submission>, replies: Replies) {
        let alone = submissions.len() == 1;
        match self.commit(tenant, &submissions).await {
            Ok(verdicts) => answer(replies, verdicts.into_iter().map(Ok)),
            // One of them cannot be stored; it must not fail its neighbours.
            Err(BatchError::Failed(error)) if !alone && fault(&error) == Fault::Data => {
                for (submission, reply) in submissions.into_iter().zip(replies) {
                    Box::pin(self.settle(tenant, vec![submission], vec![reply])).await;
                }
            }
            Err(error) => {
                report(tenant, &error);
                answer(replies, std::iter::repeat(Err(AppendError::from(&error))));
            }
        }
    }

    /// Commits, again and again while the fault may pass.
    async fn commit(
        &mut self,
        tenant: &TenantId,
        submissions: &[Submission],
    ) -> Result<Vec<Verdict>, BatchError> {
        let give_up = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.try_commit(tenant, submissions).await {
                Err(BatchError::Failed(error))
                    if fault(&error) == Fault::Passing && Instant::now() < give_up =>
                {
                    tracing::debug!(%error, %tenant, "trying the batch again");
                }
                Err(BatchError::Unknown(head, verdicts)) => {
                    match self.was_committed(tenant, head).await {
                        Some(true) => {
                            self.wakeups.committed();
                            return Ok(verdicts);
                        }
                        Some(false) => {}
                        None => return Err(BatchError::Unknown(head, verdicts)),
                    }
                }
                outcome => return outcome,
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_commit(
        &mut self,
        tenant: &TenantId,
        submissions: &[Submission],
    ) -> Result<Vec<Verdict>, BatchError> {
        if self.known.len() >= MAX_TENANTS && !self.known.contains_key(tenant) {
            self.known.clear();
        }
        let mut connection = self.committers.acquire().await?;
        let known = self.known.entry(tenant.clone()).or_default();
        let now = self.clock.now();
        let verdicts = batch::commit(&mut connection, tenant, submissions, now, known).await?;
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
                Ok(mut connection) => batch::was_committed(&mut connection, tenant, head).await,
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
        BatchError::Unknown(head, _) => {
            tracing::error!(%tenant, position = %head.position, "a commit's outcome is not known");
        }
        BatchError::UnknownTenant => tracing::warn!(%tenant, "a command for an unknown tenant"),
    }
}

/// A batch is of one tenant; each tenant's submissions keep their order.
fn by_tenant(waiting: &mut Vec<Pending>) -> Vec<(TenantId, Vec<Submission>, Replies)> {
    let mut batches: Vec<(TenantId, Vec<Submission>, Replies)> = Vec::new();
    for Pending { submission, reply } in waiting.drain(..) {
        match batches.iter_mut().find(|(tenant, ..)| *tenant == submission.tenant) {
            Some((_, submissions, replies)) => {
                submissions.push(submission);
                replies.push(reply);
            }
            None => batches.push((submission.tenant.clone(), vec![submission], vec![reply])),
        }
    }
    batches
}
