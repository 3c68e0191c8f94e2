//! Group commit: while one batch commits, the next gathers by itself.
//!
//! Where the lane remembers enough of a tenant's log, a batch is written without a look, in one
//! round trip, and the next is written beside it: it follows on where the first one will end, and
//! waits for it only to commit. If the first fails, so do those that follow on it, and all of them
//! are committed again one after the other, with everything looked up under the lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Postgres};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};

use super::batch::{self, BatchError, Head, Plan, bounded};
use super::fault::{Fault, fault, is_outcome_unknown};
use super::flights::{Flight, Flights, Written};
use super::look;
use super::memory::{Memory, may_free};
use super::recent::{Appended, Recent};
use super::submission::{Append, AppendError, Decision, Submission, Verdict};
use super::wake::Wakeups;
use crate::Clock;

/// The most submissions in one transaction.
const MAX_BATCH: usize = 1_024;

/// How many batches are written beside each other, on a connection each.
pub(super) const CONNECTIONS: u32 = 3;
const UNDER_WAY: usize = CONNECTIONS as usize;

/// The fewest submissions that are written beside another batch: a batch costs about as much as ten
/// bookings in it.
const LEAST_BESIDE: usize = 8;

/// How long a batch that does not hold the head waits for another program's: less than PostgreSQL
/// takes to look for a deadlock.
const PATIENCE_FOR_OTHERS: &str = "500ms";

/// How long a batch beside another one waits for a connection.
const PATIENCE_FOR_A_CONNECTION: Duration = Duration::from_millis(250);

/// How many stream versions that were used lately a lane remembers, and of how many tenants.
const MAX_VERSIONS: usize = 100_000;
const MAX_TENANTS: usize = 256;

/// How long an idle lane keeps its connection: a network may forget one that is not used.
const KEEP: Duration = Duration::from_mins(1);

/// How long after it was submitted a batch is still tried while the database is away.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long a lane asks whether a commit whose answer was lost succeeded.
const PATIENCE_FOR_AN_OUTCOME: Duration = Duration::from_secs(8);

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A submission and who waits for its verdict. Nobody may wait any more: it is appended anyway.
pub(super) struct Pending {
    pub(super) submission: Submission,
    pub(super) reply: oneshot::Sender<Result<Verdict, AppendError>>,
    pub(super) since: Instant,
}

/// What waits in a lane of one tenant.
pub(super) struct Batch {
    tenant: TenantId,
    submissions: Vec<Submission>,
    replies: Replies,
    /// When its first submission came.
    since: Instant,
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.submissions.len()
    }
}

type Replies = Vec<oneshot::Sender<Result<Verdict, AppendError>>>;

/// One committer: its tenants' batches follow each other, on connections of its own.
pub(super) struct Lane {
    committers: PgPool,
    /// Those that nothing is written on. The pool would test them after every batch.
    idle: Vec<PoolConnection<Postgres>>,
    clock: Arc<dyn Clock>,
    recent: Arc<Recent>,
    wakeups: Arc<Wakeups>,
    memory: HashMap<TenantId, Memory>,
    flights: Flights,
}

/// The lanes' statements are few and all served by an index: planning them once is enough, and on a
/// table that grew since it was analysed, the planner could still prefer to scan it. A program that is
/// frozen or cut off in a batch must not keep its tenant locked, and others must not wait for it in
/// vain.
pub(super) fn options(database: PgConnectOptions) -> PgConnectOptions {
    database.options([
        ("idle_in_transaction_session_timeout", "3s"),
        ("lock_timeout", "2s"),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
    ])
}

impl Lane {
    pub(super) fn new(
        committers: PgPool,
        clock: Arc<dyn Clock>,
        recent: Arc<Recent>,
        wakeups: Arc<Wakeups>,
    ) -> Self {
        Self {
            committers,
            idle: Vec::with_capacity(UNDER_WAY),
            clock,
            recent,
            wakeups,
            memory: HashMap::new(),
            flights: Flights::default(),
        }
    }

    /// Commits what is sent, until nobody can send any more.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Pending>) {
        let mut waiting = Vec::with_capacity(MAX_BATCH);
        loop {
            let room = MAX_BATCH - waiting.len();
            tokio::select! {
                biased;
                written = self.flights.first(), if !self.flights.is_empty() => {
                    self.land(written).await;
                    // Whoever was answered may have the next submission ready.
                    yield_now().await;
                    while waiting.len() < MAX_BATCH
                        && let Ok(pending) = queue.try_recv()
                    {
                        waiting.push(pending);
                    }
                }
                received = timeout(KEEP, queue.recv_many(&mut waiting, room)), if room > 0 => {
                    match received {
                        Ok(0) => break,
                        Ok(_) => {}
                        Err(_) => self.idle.drain(..).for_each(|idle| drop(idle.detach())),
                    }
                }
            }
            while let Some(share) = self.worth_a_flight(waiting.len()) {
                for batch in by_tenant(waiting.drain(..share)) {
                    self.launch(batch).await;
                }
            }
        }
        for batch in by_tenant(waiting.drain(..)) {
            self.launch(batch).await;
        }
        self.land_all().await;
    }

    /// How many of those that wait are sent off now. Alone always some; beside others only about as
    /// many as each of these: a small batch costs nearly as much as one that could be larger a
    /// moment later. What waits is shared out evenly among those that can be under way.
    fn worth_a_flight(&self, waiting: usize) -> Option<usize> {
        let under_way = self.flights.len();
        let enough = match under_way {
            0 => 1,
            _ => LEAST_BESIDE.max(self.flights.submissions() * 3 / (under_way * 4)),
        };
        let free = UNDER_WAY.saturating_sub(under_way);
        (free > 0 && waiting >= enough)
            .then(|| waiting.div_ceil(free).max(LEAST_BESIDE).min(waiting))
    }

    /// Writes a batch beside those under way if it can follow on them, and otherwise after them.
    async fn launch(&mut self, batch: Batch) {
        // A batch under way that wants what this one frees would wait for it, and be waited for.
        let most_before = if batch.submissions.iter().any(may_free) { 0 } else { UNDER_WAY - 1 };
        while self.flights.len() > most_before {
            self.land_first().await;
        }
        if let Err(batch) = self.try_launch(batch).await {
            self.land_all().await;
            self.settle(batch).await;
        }
    }

    /// Sends a batch off by what is remembered; gives it back if that is not enough.
    async fn try_launch(&mut self, batch: Batch) -> Result<(), Batch> {
        self.bound_memory();
        let Batch { tenant, submissions, .. } = &batch;
        let memory = self.memory.entry(tenant.clone()).or_default();
        if !memory.is_trusted() {
            return Err(batch);
        }
        let is_beside = !self.flights.is_empty();
        let connection = connect(&mut self.idle, &self.committers);
        let connection = async {
            let limit = if is_beside { PATIENCE_FOR_A_CONNECTION } else { PATIENCE };
            timeout(limit, connection).await.ok()?.ok()
        };
        let Some(mut connection) = self.flights.beside(connection).await else {
            return Err(batch);
        };
        let known = bounded(async {
            let unknown = memory.unknown(submissions, |seen| seen > 0);
            memory.learn(look::versions(&mut connection, tenant, unknown).await?);
            Ok(memory.taken_for_granted(submissions))
        });
        let Ok(known) = self.flights.beside(known).await else {
            drop(connection.detach());
            return Err(batch);
        };
        let plan = known.and_then(|(old_head, known)| {
            let now = self.clock.now();
            let patience = Some(PATIENCE_FOR_OTHERS);
            let plan = Plan::new(tenant, submissions, old_head, known, now, patience).ok()?;
            // What appends nothing cannot be followed on, nor found again.
            let moves = plan.new_head.position > old_head.position;
            Some((plan.rows.filter(|_| moves)?, plan.new_head, plan.verdicts, plan.known))
        });
        let Some((rows, new_head, verdicts, known)) = plan else {
            self.idle.push(connection);
            return Err(batch);
        };
        memory.launched(new_head, known);
        let flight = Flight { batch, new_head, verdicts };
        self.flights.send(flight, rows, connection).await;
        Ok(())
    }

    fn bound_memory(&mut self) {
        if self.memory.values().map(Memory::recent).sum::<usize>() > MAX_VERSIONS {
            self.memory.values_mut().for_each(Memory::age);
        }
        if self.memory.len() > MAX_TENANTS {
            self.memory.retain(|_, memory| memory.is_under_way());
        }
    }

    async fn land_all(&mut self) {
        while !self.flights.is_empty() {
            self.land_first().await;
        }
    }

    async fn land_first(&mut self) {
        let written = self.flights.first().await;
        self.land(written).await;
    }

    /// The oldest flight has ended. If it has failed, so do those that follow on it: all of them
    /// have ended before any is tried again.
    async fn land(&mut self, written: Written) {
        let mut failed = VecDeque::new();
        self.end_first(written, &mut failed);
        while !failed.is_empty() && !self.flights.is_empty() {
            let written = self.flights.first().await;
            self.end_first(written, &mut failed);
        }
        for (flight, error) in failed {
            self.recover(flight, error).await;
        }
    }

    fn end_first(
        &mut self,
        (connection, written): Written,
        failed: &mut VecDeque<(Flight, sqlx::Error)>,
    ) {
        let Some(flight) = self.flights.take_first() else { return };
        let memory = self.memory.entry(flight.batch.tenant.clone()).or_default();
        match written {
            Ok(()) => {
                memory.landed();
                self.idle.push(connection);
                let Flight { batch, new_head, verdicts } = flight;
                let appends = appends(batch.submissions, &verdicts);
                let Head { position, recorded_at, .. } = new_head;
                self.recent.add(Appended::new(batch.tenant, position, recorded_at, appends));
                self.wakeups.committed();
                answer(batch.replies, verdicts.into_iter().map(Ok));
            }
            Err(error) => {
                memory.forget();
                self.recent.forget();
                // A connection that failed may be silent for ever.
                if fault(&error) == Fault::Passing {
                    drop(connection.detach());
                } else {
                    self.idle.push(connection);
                }
                failed.push_back((flight, error));
            }
        }
    }

    /// Gives the submissions of a flight that failed their verdicts all the same.
    async fn recover(&mut self, flight: Flight, error: sqlx::Error) {
        let Flight { mut batch, new_head, verdicts } = flight;
        tracing::debug!(%error, tenant = %batch.tenant, "a batch was not appended by memory");
        if is_outcome_unknown(&error) {
            match self.was_committed(&batch.tenant, new_head).await {
                Some(true) => {
                    self.wakeups.committed();
                    return answer(batch.replies, verdicts.into_iter().map(Ok));
                }
                Some(false) => {}
                None => return fail(batch, &BatchError::Unknown(error, new_head, verdicts)),
            }
        }
        // The database answers, or nothing has been asked of it yet but this.
        batch.since = Instant::now();
        self.settle(batch).await;
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
            Err(error) => fail(batch, &error),
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

    async fn try_commit(
        &mut self,
        tenant: &TenantId,
        submissions: &[Submission],
    ) -> Result<Vec<Verdict>, BatchError> {
        let mut connection = connect(&mut self.idle, &self.committers).await?;
        let memory = self.memory.entry(tenant.clone()).or_default();
        let now = self.clock.now();
        let outcome = batch::commit(&mut connection, tenant, submissions, now, memory).await;
        // A connection that failed may be silent for ever.
        if matches!(&outcome, Err(BatchError::Failed(error)) if fault(error) == Fault::Passing)
            || matches!(outcome, Err(BatchError::Unknown(..)))
        {
            drop(connection.detach());
        } else {
            self.idle.push(connection);
        }
        let verdicts = outcome?;
        if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Appended(_))) {
            self.wakeups.committed();
        }
        Ok(verdicts)
    }

    /// Whether a commit whose answer was lost is in the log; `None`: the log cannot be asked.
    async fn was_committed(&mut self, tenant: &TenantId, head: Head) -> Option<bool> {
        let give_up = Instant::now() + PATIENCE_FOR_AN_OUTCOME;
        let mut pause = FIRST_PAUSE;
        loop {
            let asked = match connect(&mut self.idle, &self.committers).await {
                Ok(mut connection) => {
                    let asked = batch::was_committed(&mut connection, tenant, head).await;
                    match &asked {
                        Ok(_) => self.idle.push(connection),
                        Err(_) => drop(connection.detach()),
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

/// What of a batch was appended, in its order.
fn appends(submissions: Vec<Submission>, verdicts: &[Verdict]) -> Vec<Append> {
    let appended =
        submissions.into_iter().zip(verdicts).filter_map(|(submission, verdict)| {
            match (submission.decision, verdict) {
                (Decision::Accept { appends, .. }, Verdict::Appended(_)) => Some(appends),
                _ => None,
            }
        });
    appended.flatten().collect()
}

/// A connection that nothing is written on.
async fn connect(
    idle: &mut Vec<PoolConnection<Postgres>>,
    committers: &PgPool,
) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    match idle.pop() {
        Some(connection) => Ok(connection),
        None => committers.acquire().await,
    }
}

fn answer(replies: Replies, verdicts: impl Iterator<Item = Result<Verdict, AppendError>>) {
    for (reply, verdict) in replies.into_iter().zip(verdicts) {
        // Whoever asked may have gone away.
        let _ = reply.send(verdict);
    }
}

/// Nobody gets a verdict.
fn fail(Batch { tenant, replies, .. }: Batch, error: &BatchError) {
    match error {
        BatchError::Failed(error) => tracing::error!(%error, %tenant, "a batch failed"),
        BatchError::Unknown(_, head, _) => {
            tracing::error!(%tenant, position = %head.position, "a commit's outcome is not known");
        }
        BatchError::UnknownTenant => tracing::warn!(%tenant, "a command for an unknown tenant"),
    }
    answer(replies, std::iter::repeat(Err(AppendError::from(error))));
}

/// A batch is of one tenant; each tenant's submissions keep their order.
fn by_tenant(waiting: impl Iterator<Item = Pending>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for Pending { submission, reply, since } in waiting {
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
