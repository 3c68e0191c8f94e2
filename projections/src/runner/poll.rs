//! One poll: a few batches of one subscription.

use std::sync::Arc;
use std::time::{Duration, Instant};

use daybook_store::metrics::{PROJECTION_EVENTS, PROJECTION_POLL_SECONDS};
use daybook_store::{Log, Position, RecordedEvent, Repeated, trace_context};
use metrics::{counter, histogram};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use uuid::Uuid;

use super::RunnerSettings;
use super::batch::{Batch, Commit, apply_longest_prefix};
use crate::checkpoint::{self, Lease, Subscription};
use crate::{ApplyError, Progress, Projection, Schema, Tables};

/// The transaction of a batch. Rows and checkpoint are lost together or not at all, and the log
/// has them for ever, so the commit need not wait for the disk. A program that stops in the middle
/// of a batch (suspended, partitioned) must not keep its successor waiting for its row locks.
const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off;
     SET LOCAL idle_in_transaction_session_timeout = '10s'";

/// A poll whose database says nothing for so long has failed: others have its place.
const POLL_TIMEOUT: Duration = Duration::from_mins(1);

/// Where the database is away, those of all tenants fail.
static POLLS: Repeated = Repeated::shared("poll projections");

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// At the end of the log, as far as it could see.
    CaughtUp,
    /// The same, and the lease was given back.
    Released,
    /// There is more to do.
    Behind,
    /// Another program leads.
    NotLeading,
    /// At an event that cannot be applied.
    Stalled,
    /// The database failed.
    Failed,
}

pub(crate) struct Poll {
    pub(crate) subscription: Subscription,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) log: Log,
    pub(crate) settings: RunnerSettings,
    pub(crate) progress: Progress,
    pub(crate) me: Uuid,
    /// Whether it is this program's to lead also after it has caught up.
    pub(crate) keeps_lease: bool,
    pub(crate) cancel: CancellationToken,
}

impl Poll {
    #[tracing::instrument(
        name = "poll", level = "debug", skip_all,
        fields(projection = %self.subscription.projection, tenant = %self.subscription.tenant)
    )]
    pub(crate) async fn run(self) -> Outcome {
        let (begun, name) = (Instant::now(), self.subscription.projection.name);
        let ended = timeout(POLL_TIMEOUT, self.batches(name)).await;
        let ended = ended.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into()).into()));
        histogram!(PROJECTION_POLL_SECONDS, "projection" => name).record(begun.elapsed());
        match ended {
            Ok(outcome) => {
                POLLS.succeeded();
                match outcome {
                    Outcome::CaughtUp if !self.keeps_lease => self.release().await,
                    outcome => outcome,
                }
            }
            Err(error) => {
                let Subscription { tenant, projection } = &self.subscription;
                POLLS.failed(&format_args!("{projection} of {tenant}: {error}"));
                Outcome::Failed
            }
        }
    }

    async fn batches(&self, name: &'static str) -> Result<Outcome, ApplyError> {
        let pool = self.log.pool();
        let Some(mut position) =
            checkpoint::acquire_lease(pool, &self.subscription, self.lease()).await?
        else {
            return Ok(Outcome::NotLeading);
        };
        for _ in 0..self.settings.poll_batches {
            if self.cancel.is_cancelled() {
                break;
            }
            let read = self
                .log
                .follow(&self.subscription.tenant, position, self.settings.batch_events)
                .await?;
            let traces = read.iter().flatten().filter_map(|event| event.trace);
            trace_context::link_all(&Span::current(), traces);
            // What is appended from here on is for the next poll.
            let end = position.plus(read.len() as u64);
            let all = read.len() < self.settings.batch_events as usize;
            if read.is_empty() {
                return Ok(Outcome::CaughtUp);
            }
            match apply_longest_prefix(self, position, read).await? {
                Batch::Applied(to) => {
                    tracing::debug!(from = %position, %to, "applied events");
                    let events = to.get().saturating_sub(position.get());
                    counter!(PROJECTION_EVENTS, "projection" => name).increment(events);
                    position = to;
                    self.progress.has_committed(&self.subscription);
                    if all && to == end {
                        return Ok(Outcome::CaughtUp);
                    }
                }
                Batch::Stalled { reason } => {
                    return Ok(self.stall(position.plus(1), &reason).await?);
                }
                Batch::LostLease => return Ok(Outcome::NotLeading),
            }
        }
        Ok(Outcome::Behind)
    }

    pub(crate) fn lease(&self) -> Lease {
        Lease { leader: self.me, length: self.settings.lease }
    }

    /// What this program has led in another's place, that one leads again.
    async fn release(&self) -> Outcome {
        let mine = std::slice::from_ref(&self.subscription);
        match checkpoint::release_leases(self.log.pool(), self.me, mine).await {
            Ok(()) => Outcome::Released,
            Err(_) => Outcome::CaughtUp,
        }
    }

    async fn stall(&self, at: Position, reason: &str) -> Result<Outcome, sqlx::Error> {
        // Its own fields, not only those of the span, which is there at the debug level only.
        let Subscription { tenant, projection } = &self.subscription;
        tracing::error!(
            %projection, %tenant, position = %at, reason,
            "a projection has stalled at an event that it cannot apply"
        );
        let recorded =
            checkpoint::stall(self.log.pool(), &self.subscription, self.me, at, reason).await?;
        Ok(if recorded { Outcome::Stalled } else { Outcome::NotLeading })
    }
}

impl Commit for Poll {
    /// Rows and checkpoint in one transaction. `false`: the lease is lost, and nothing has changed.
    async fn commit(
        &self,
        from: Position,
        to: Position,
        events: &[RecordedEvent],
    ) -> Result<bool, ApplyError> {
        let mut tx = self.log.pool().begin_with(BEGIN).await?;
        // First: a leader that is none must not wait for, or hold, a lock on any row.
        if !checkpoint::advance(&mut tx, &self.subscription, self.lease(), from, to).await? {
            return Ok(false);
        }
        let schema = Schema::of(self.subscription.projection);
        let mut tables = Tables::new(&mut tx, &schema);
        self.projection.apply(&mut tables, &self.subscription.tenant, events).await?;
        tx.commit().await?;
        Ok(true)
    }
}
