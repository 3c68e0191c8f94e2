//! Brings every projection of every tenant up to the end of the log, for as long as it runs.
//!
//! A subscription is one projection of one tenant's log. The runner wakes on a signal and on a timer, and
//! takes no input from the signal: each time it compares the ends of all logs with all checkpoints
//! ([`Runner::schedule`]), and queues a poll of every subscription that is behind. A few polls run
//! concurrently. A poll is a bounded number of bounded batches ([`poll`]); a subscription that has more to do
//! queues up again, so a busy tenant holds nobody up. What indexes have deferred is done apart
//! ([`maintenance`]).

pub(crate) mod batch;
mod fault;
mod maintenance;
pub(crate) mod poll;
mod queue;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use daybook_store::{Clock, Log};
use sqlx::PgPool;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checkpoint::{self, Subscription};
use crate::{Progress, Projection, ProjectionId, at_once, schema};
use poll::{Outcome, Poll};
use queue::Queue;

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
    /// How long after its last sign of life a leader is taken for dead.
    pub lease: Duration,
    /// How often it schedules polls without being woken.
    pub tick: Duration,
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
            tick: Duration::from_millis(200),
            retry_stalled: Duration::from_secs(30),
        }
    }
}

/// To compare all tenants is not cheap, and commits may be many: at most once in this time.
const SCHEDULE_INTERVAL: Duration = Duration::from_millis(10);

/// Keeps projections up to date.
pub struct Runner {
    log: Log,
    clock: Arc<dyn Clock>,
    projections: Vec<Arc<dyn Projection>>,
    ids: Arc<[ProjectionId]>,
    settings: RunnerSettings,
    progress: Progress,
    me: Uuid,
}

impl Runner {
    /// A runner of these projections; their tables must have been made ([`crate::prepare`]).
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, projections: Vec<Arc<dyn Projection>>) -> Self {
        let ids: Arc<[_]> = projections.iter().map(|projection| projection.id()).collect();
        let progress = Progress::new(log.clone(), Arc::clone(&ids));
        let settings = RunnerSettings::default();
        Self { log, clock, projections, ids, settings, progress, me: Uuid::now_v7() }
    }

    /// With other settings than the default ones.
    #[must_use]
    pub fn with_settings(self, settings: RunnerSettings) -> Self {
        Self { settings, ..self }
    }

    /// The same, which leads by this name: that of its program.
    #[must_use]
    pub fn with_id(self, me: Uuid) -> Self {
        Self { me, ..self }
    }

    /// How far the projections are; it hears of this runner's batches at once.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until cancelled; then it finishes the batches in work and lets go of its leases.
    pub async fn run(self, cancel: CancellationToken) {
        let maintenance = maintenance::Maintenance::start(self.pool(), &self.projections);
        let mut wakeups = self.log.wakeups();
        let mut tick = interval(self.settings.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut queue = Queue::new(self.settings.poll_interval);
        let mut whole = HashSet::new();
        let mut polls = Polls::default();
        let mut scheduled_at = Instant::now();
        loop {
            polls.start(&mut queue, &self, &cancel);
            let woken = async {
                sleep_until(scheduled_at + SCHEDULE_INTERVAL).await;
                // Without its sender there is only the timer.
                if wakeups.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let next_poll = queue.next_poll().filter(|_| polls.has_room(&self.settings));
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = sleep_until(next_poll.unwrap_or(scheduled_at)), if next_poll.is_some() => continue,
                Some(ended) = polls.tasks.join_next_with_id() => {
                    if let Some(projection) = polls.end(&mut queue, ended, &self.settings) {
                        maintenance.is_due(projection);
                    }
                    continue;
                }
                _ = tick.tick() => {}
                () = woken => {}
            }
            scheduled_at = Instant::now();
            tokio::select! {
                () = cancel.cancelled() => break,
                scheduled = self.schedule(&mut queue, &mut whole) => {
                    if let Err(error) = scheduled {
                        tracing::warn!(%error, "cannot see how far the projections are");
                    }
                }
            }
        }
        while let Some(ended) = polls.tasks.join_next_with_id().await {
            polls.end(&mut queue, ended, &self.settings);
        }
        maintenance.stop().await;
        if let Err(error) = checkpoint::release_leases(self.pool(), self.me).await {
            tracing::warn!(%error, "the leases of the projections are left to lapse");
        }
    }

    fn pool(&self) -> &PgPool {
        self.log.pool()
    }

    /// Queues every subscription whose checkpoint is behind its log, and makes those that are missing; of
    /// projections whose tables are `whole`, and only of them.
    async fn schedule(
        &self,
        queue: &mut Queue,
        whole: &mut HashSet<ProjectionId>,
    ) -> Result<(), sqlx::Error> {
        if whole.len() < self.ids.len() {
            whole.extend(schema::whole(self.pool(), &self.ids).await?);
        }
        let heads = self.log.heads().await?;
        let checkpoints: HashMap<_, _> =
            checkpoint::all(self.pool(), &self.ids).await?.into_iter().collect();
        let now = self.clock.now();
        for (tenant, head) in heads {
            for projection in self.projections.iter().filter(|it| whole.contains(&it.id())) {
                let subscription =
                    Subscription { tenant: tenant.clone(), projection: projection.id() };
                let Some(at) = checkpoints.get(&subscription) else {
                    checkpoint::add(self.pool(), &subscription).await?;
                    queue.push(subscription, Instant::now());
                    continue;
                };
                let led_by_another = at.leader.is_some_and(|leader| leader != self.me)
                    && at.lease_until.is_some_and(|until| until > now);
                if at.position < head && !led_by_another {
                    queue.push(subscription, Instant::now());
                }
            }
        }
        Ok(())
    }
}

/// The polls that are running.
#[derive(Default)]
struct Polls {
    tasks: JoinSet<Outcome>,
    subscriptions: HashMap<Id, Subscription>,
}

impl Polls {
    fn has_room(&self, settings: &RunnerSettings) -> bool {
        self.tasks.len() < settings.concurrent_polls
    }

    fn start(&mut self, queue: &mut Queue, runner: &Runner, cancel: &CancellationToken) {
        while self.has_room(&runner.settings)
            && let Some(subscription) = queue.pop(Instant::now())
        {
            let mut known = runner.projections.iter();
            let Some(projection) = known.find(|known| known.id() == subscription.projection) else {
                continue;
            };
            let poll = Poll {
                subscription: subscription.clone(),
                projection: Arc::clone(projection),
                log: runner.log.clone(),
                clock: Arc::clone(&runner.clock),
                settings: runner.settings,
                progress: runner.progress.clone(),
                me: runner.me,
                cancel: cancel.clone(),
            };
            let task = self.tasks.spawn(poll.run());
            self.subscriptions.insert(task.id(), subscription);
        }
    }

    /// Which projection was polled.
    fn end(
        &mut self,
        queue: &mut Queue,
        ended: Result<(Id, Outcome), JoinError>,
        settings: &RunnerSettings,
    ) -> Option<ProjectionId> {
        let (id, ended) = ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a poll was broken off");
            (error.id(), Outcome::Failed)
        });
        let subscription = self.subscriptions.remove(&id)?;
        let projection = subscription.projection;
        queue.ended(subscription, ended, Instant::now(), settings.retry_stalled);
        Some(projection)
    }
}
