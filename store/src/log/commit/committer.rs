//! Takes submissions from a queue, in batches, and sends these into the pipeline.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::connections::{CommitConnection, CommitPool, Connections, bounded, discard};
use super::fault::{Fault, fault};
use super::head_cache::{HeadCaches, may_free};
use super::load;
use super::pipeline::{InFlightBatch, Pipeline, Written};
use super::plan::Plan;
use super::queue::{Batch, Pending, Queue};
use super::serial::Serial;
use crate::Clock;
use crate::log::append_cache::{AppendCache, AppendedBatch};
use crate::log::head::Head;
use crate::log::submission::{Append, Decision, Submission, Verdict};
use crate::log::wake::Wakeups;

/// The fewest submissions that are sent beside another batch: a batch costs about as much as ten
/// bookings in it.
const MIN_PIPELINED_BATCH: usize = 8;

/// How long an optimistic batch, which does not hold the head, waits for another program's: less than
/// PostgreSQL takes to look for a deadlock.
const LOCK_TIMEOUT: &str = "500ms";

/// How long a batch waits for a connection: the first one, and one beside others.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
const PIPELINED_CONNECT_TIMEOUT: Duration = Duration::from_millis(250);

/// How long an idle committer keeps its connections: a network may forget one that is not used.
const IDLE_TTL: Duration = Duration::from_mins(1);

/// One committer: its tenants' batches follow each other, on connections of its own.
pub(in crate::log) struct Committer {
    connections: Connections,
    pipeline: Pipeline,
    heads: HeadCaches,
    clock: Arc<dyn Clock>,
    append_cache: Arc<AppendCache>,
    wakeups: Arc<Wakeups>,
}

impl Committer {
    pub(in crate::log) fn new(
        pool: CommitPool,
        clock: Arc<dyn Clock>,
        append_cache: Arc<AppendCache>,
        wakeups: Arc<Wakeups>,
    ) -> Self {
        Self {
            connections: Connections::new(pool),
            pipeline: Pipeline::default(),
            heads: HeadCaches::default(),
            clock,
            append_cache,
            wakeups,
        }
    }

    /// Commits what is submitted, until nobody can submit any more.
    pub(in crate::log) async fn run(mut self, submitted: mpsc::Receiver<Pending>) {
        let mut queue = Queue::new(submitted);
        loop {
            tokio::select! {
                biased;
                ended = self.pipeline.next(), if !self.pipeline.is_empty() => {
                    self.complete(ended).await;
                    // Whoever was answered may have the next submission ready.
                    yield_now().await;
                    queue.take_in();
                }
                submitted = timeout(IDLE_TTL, queue.wait()), if queue.has_room() => {
                    match submitted {
                        Ok(false) => break,
                        Ok(true) => {}
                        Err(_) => self.connections.close_idle(),
                    }
                }
            }
            while let Some(size) = self.next_batch_size(queue.len()) {
                for batch in queue.batches(size) {
                    self.commit(batch, &mut queue).await;
                }
            }
        }
        for batch in queue.batches(queue.len()) {
            self.commit(batch, &mut queue).await;
        }
        self.complete_all().await;
    }

    /// How many of those that wait are sent now. Alone always some; beside others only about as
    /// many as each of these: a small batch costs nearly as much as one that could be larger a
    /// moment later. What waits is shared out evenly among those that can be in flight.
    fn next_batch_size(&self, waiting: usize) -> Option<usize> {
        let in_flight = self.pipeline.len();
        let enough = match in_flight {
            0 => 1,
            _ => MIN_PIPELINED_BATCH.max(self.pipeline.submissions() * 3 / (in_flight * 4)),
        };
        let free = Pipeline::DEPTH.saturating_sub(in_flight);
        (free > 0 && waiting >= enough)
            .then(|| waiting.div_ceil(free).max(MIN_PIPELINED_BATCH).min(waiting))
    }

    /// Sends a batch beside those in flight if it can follow on them, and otherwise commits it after
    /// them.
    async fn commit(&mut self, batch: Batch, queue: &mut Queue) {
        // A batch in flight that wants what this one frees would wait for it, and be waited for.
        let frees = batch.submissions.iter().any(may_free);
        let most_before = if frees { 0 } else { Pipeline::DEPTH - 1 };
        while self.pipeline.len() > most_before {
            self.complete_next().await;
        }
        if let Err(batch) = self.send(batch).await {
            self.complete_all().await;
            Serial { queue: Some(queue), ..self.serial() }.commit(batch).await;
            // Whoever was answered may have the next submission ready.
            yield_now().await;
            queue.take_in();
        }
    }

    /// Sends an optimistic batch; gives it back if too little is known for that.
    async fn send(&mut self, batch: Batch) -> Result<(), Batch> {
        self.heads.bound();
        let Batch { tenant, submissions, .. } = &batch;
        if !self.heads.of(tenant).is_trusted() {
            return Err(batch);
        }
        let Some(mut connection) = self.connect().await else { return Err(batch) };
        let cache = self.heads.of(tenant);
        let known = bounded(async {
            let unknown = cache.unknown(submissions, |seen| seen > 0);
            cache.learn(load::versions(&mut connection, tenant, unknown).await?);
            Ok(cache.optimistic_state(submissions))
        });
        let Ok(known) = self.pipeline.drive(known).await else {
            discard(connection);
            return Err(batch);
        };
        let plan = known.and_then(|(old_head, state)| {
            let (now, lock_timeout) = (self.clock.now(), Some(LOCK_TIMEOUT));
            let plan = Plan::new(tenant, submissions, old_head, state, now, lock_timeout).ok()?;
            // What appends nothing cannot be followed on, nor found again.
            let moves = plan.new_head.position > old_head.position;
            Some((plan.rows.filter(|_| moves)?, plan.new_head, plan.verdicts, plan.state))
        });
        let Some((rows, new_head, verdicts, state)) = plan else {
            self.connections.release(connection);
            return Err(batch);
        };
        cache.sent(new_head, state);
        let in_flight = InFlightBatch { batch, new_head, verdicts };
        self.pipeline.send(in_flight, rows, connection).await;
        Ok(())
    }

    /// A connection for a batch, while those in flight go on.
    async fn connect(&mut self) -> Option<CommitConnection> {
        let alone = self.pipeline.is_empty();
        let limit = if alone { CONNECT_TIMEOUT } else { PIPELINED_CONNECT_TIMEOUT };
        let connection = timeout(limit, self.connections.acquire());
        self.pipeline.drive(connection).await.ok()?.ok()
    }

    async fn complete_all(&mut self) {
        while !self.pipeline.is_empty() {
            self.complete_next().await;
        }
    }

    async fn complete_next(&mut self) {
        let ended = self.pipeline.next().await;
        self.complete(ended).await;
    }

    /// The oldest batch in flight has ended. If it has failed, so do those that follow on it: all of
    /// them have ended before any is tried again.
    async fn complete(&mut self, ended: (InFlightBatch, Written)) {
        let mut failed = Vec::new();
        failed.extend(self.answer(ended));
        while !failed.is_empty() && !self.pipeline.is_empty() {
            let ended = self.pipeline.next().await;
            failed.extend(self.answer(ended));
        }
        for (batch, error) in failed {
            self.serial().recover(batch, error).await;
        }
    }

    /// Answers a batch that was committed; gives back one that has failed.
    fn answer(
        &mut self,
        (in_flight, (connection, written)): (InFlightBatch, Written),
    ) -> Option<(InFlightBatch, sqlx::Error)> {
        let cache = self.heads.of(&in_flight.batch.tenant);
        match written {
            Ok(()) => {
                cache.committed();
                self.connections.release(connection);
                let InFlightBatch { batch, new_head, verdicts } = in_flight;
                let Batch { tenant, submissions, replies, .. } = batch;
                let appends = appends(submissions, &verdicts);
                let Head { position, recorded_at, .. } = new_head;
                let appended = AppendedBatch::new(tenant.clone(), position, recorded_at, appends);
                self.append_cache.add(appended);
                self.wakeups.committed(&tenant, position);
                replies.answer(verdicts);
                None
            }
            Err(error) => {
                cache.distrust();
                self.append_cache.forget();
                if fault(&error) == Fault::Passing {
                    discard(connection);
                } else {
                    self.connections.release(connection);
                }
                Some((in_flight, error))
            }
        }
    }

    /// What commits while nothing is in flight.
    fn serial(&mut self) -> Serial<'_> {
        Serial {
            connections: &mut self.connections,
            heads: &mut self.heads,
            clock: &*self.clock,
            wakeups: &self.wakeups,
            queue: None,
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
