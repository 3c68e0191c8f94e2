//! Brings every projection of every tenant up to the end of the log, for as long as it runs.
//!
//! A subscription is one projection of one tenant's log. What is to be polled comes to the queue ([`queue`]) from
//! three sides, none of which asks about tenants for whom nothing happens:
//! * a commit names its tenant, in this program at once and from others soon;
//! * a look, on a timer, finds those behind among the logs that the database says are active ([`look`], [`rest`]);
//! * a reader waits for one.
//!
//! A few polls run concurrently. A poll is a bounded number of bounded batches ([`poll`]); a subscription that
//! has more to do queues up again, so a busy tenant holds nobody up. What indexes have deferred is done apart
//! ([`maintenance`]). All logs are compared rarely and slowly ([`comparison`]).

pub(crate) mod batch;
mod comparison;
mod fault;
pub(crate) mod look;
mod maintenance;
pub(crate) mod poll;
mod polls;
mod queue;
pub(crate) mod rest;
mod schedule;
mod shares;
mod sweep;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use daybook_store::Log;
use sqlx::PgPool;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checkpoint::{self, Subscription};
use crate::progress::Awaited;
use crate::{Heard, Progress, Projection, ProjectionId, at_once};
use schedule::Schedule;

/// How a runner works.
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Events in one transaction.
    pub batch_events: u32,
    /// Batches in one poll, before another tenant's.
    pub poll_batches: u32,
    /// Polls that run at once; each needs up to two connections.
    pub concurrent_polls: usize,
    /// How long after one poll of a subscription has begun its next one begins at the earliest: what is
    /// appended meanwhile is applied together. One that is behind by more than a poll does not wait.
    pub poll_interval: Duration,
    /// How long after its last sign of life a leader is taken for dead that has not said that it ends.
    pub lease: Duration,
    /// How often it looks for what is behind while something is or may be.
    pub tick: Duration,
    /// How often while nothing is: what a wake-up costs that is lost.
    pub idle_tick: Duration,
    /// How long a log has rested before it is not looked at any more.
    pub rest: Duration,
    /// How long after a subscription has stalled it is polled again.
    pub retry_stalled: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            batch_events: 1_000,
            poll_batches: 8,
            concurrent_polls: at_once(),
            poll_interval: Duration::from_millis(50),
            lease: Duration::from_secs(3),
            tick: Duration::from_millis(250),
            idle_tick: Duration::from_millis(700),
            rest: Duration::from_secs(5),
            retry_stalled: Duration::from_secs(30),
        }
    }
}

/// How long it waits at the start until others can see that it lives.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(1);

/// How long polls may take to end when it stops, and leases to be given back.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps projections up to date.
pub struct Runner {
    log: Log,
    projections: Vec<Arc<dyn Projection>>,
    ids: Arc<[ProjectionId]>,
    settings: RunnerSettings,
    progress: Progress,
    /// What somebody waits for.
    awaited: mpsc::Receiver<Awaited>,
    /// Who else projects.
    heard: Option<watch::Receiver<Heard>>,
    me: Uuid,
}

impl Runner {
    /// A runner of these projections; their tables must have been made ([`crate::prepare`]).
    #[must_use]
    pub fn new(log: Log, projections: Vec<Arc<dyn Projection>>) -> Self {
        let ids: Arc<[_]> = projections.iter().map(|projection| projection.id()).collect();
        let (progress, awaited) = Progress::with_runner(log.clone(), Arc::clone(&ids));
        let (mut settings, me) = (RunnerSettings::default(), log.program());
        // A poll needs up to two, and others read, too.
        let connections = log.pool().options().get_max_connections() as usize;
        settings.concurrent_polls = settings.concurrent_polls.min((connections / 4).max(1));
        Self { log, projections, ids, settings, progress, awaited, heard: None, me }
    }

    /// With other settings than the default ones.
    #[must_use]
    pub fn with_settings(self, settings: RunnerSettings) -> Self {
        Self { settings, ..self }
    }

    /// One that shares tenants out with the other programs that project; else it takes whatever is free.
    #[must_use]
    pub fn with_programs(self, heard: watch::Receiver<Heard>) -> Self {
        Self { heard: Some(heard), ..self }
    }

    /// How far the projections are; it hears of this runner's batches at once.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until cancelled; then it lets go of its leases, and finishes the batches in work.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut listening = self.log.listening();
        // Else another program could take this one for dead.
        let _ = timeout(LISTEN_TIMEOUT, listening.wait_for(|listening| *listening)).await;
        let maintenance =
            maintenance::Maintenance::start(self.log.owners_pool(), &self.projections);
        let mut appends = self.log.appends();
        let mut schedule = Schedule::new(&self);
        loop {
            schedule.start_polls(&self, &cancel);
            let next_poll = schedule.next_poll(&self);
            let next_look = schedule.next_look();
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = sleep_until(next_poll.unwrap_or(next_look)), if next_poll.is_some() => {}
                Some(ended) = schedule.polls.tasks.join_next_with_id() => {
                    if let Some(projection) = schedule.poll_ended(&self, ended) {
                        maintenance.is_due(projection);
                    }
                }
                Some(looked) = schedule.looks.join_next() => schedule.looked(&self, looked),
                grown = appends.next() => schedule.heard(&self, grown),
                Some(awaited) = self.awaited.recv() => schedule.is_awaited(&awaited),
                () = sleep_until(next_look), if schedule.looks.is_empty() => schedule.look(&self),
            }
        }
        // Others take over what is not being polled before the rest has ended.
        self.release(&schedule.idle_leases()).await;
        let ended = timeout(STOP_TIMEOUT, async {
            while let Some(ended) = schedule.polls.tasks.join_next_with_id().await {
                schedule.poll_ended(&self, ended);
            }
        });
        let _ = ended.await;
        maintenance.stop().await;
        self.release(&schedule.idle_leases()).await;
    }

    async fn release(&self, leases: &[Subscription]) {
        if leases.is_empty() {
            return;
        }
        let released = checkpoint::release_leases(self.pool(), self.me, leases);
        match timeout(STOP_TIMEOUT, released).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the leases of the projections are left to lapse");
            }
            Err(_) => tracing::warn!("the leases of the projections are left to lapse"),
        }
    }

    fn pool(&self) -> &PgPool {
        self.log.pool()
    }
}
