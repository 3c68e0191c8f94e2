//! Brings every projection of every tenant up to the end of the log, for as long as it runs.
//!
//! It wakes on a signal and on a timer, and takes no input from the signal: each time it looks at
//! where all logs end and where all checkpoints stand ([`Runner::look`]), and gives a turn to every
//! checkpoint that is behind. A few turns are taken at once. A turn is a bounded number of bounded
//! batches ([`turn`]); whoever has more to do queues up again, so a busy tenant holds nobody up.
//! What indexes put off is done beside ([`tidy`]).

pub(crate) mod batch;
mod fault;
mod queue;
mod tidy;
pub(crate) mod turn;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use daybook_store::{Clock, Log};
use sqlx::PgPool;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::checkpoint::{self, Key};
use crate::{Progress, Projection, ProjectionId, at_once, schema};
use queue::Queue;
use turn::{Ended, Turn};

/// How a runner works.
#[derive(Debug, Clone, Copy)]
pub struct RunnerSettings {
    /// Events in one transaction.
    pub batch_events: u32,
    /// Batches before another tenant has its turn.
    pub turn_batches: u32,
    /// Turns taken at once; each needs up to two connections.
    pub turns_at_once: usize,
    /// How long after one turn of a projection has begun its next one begins at the earliest: what is
    /// appended meanwhile is applied together. Who is behind by more than a turn does not wait.
    pub pace: Duration,
    /// How long after its last sign of life a leader is taken for dead.
    pub lease: Duration,
    /// How often it looks without being woken.
    pub tick: Duration,
    /// How long after an event could not be applied it is tried again.
    pub retry_failed: Duration,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            batch_events: 1_000,
            turn_batches: 8,
            turns_at_once: at_once(),
            pace: Duration::from_millis(50),
            lease: Duration::from_secs(3),
            tick: Duration::from_millis(200),
            retry_failed: Duration::from_secs(30),
        }
    }
}

/// A look at all tenants is not cheap, and commits may be many: at most one look in this time.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

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

    /// How far the projections are; it hears of this runner's batches at once.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Runs until cancelled; then it finishes the batches in work and lets go of its leases.
    pub async fn run(self, cancel: CancellationToken) {
        let tidying = tidy::Tidying::start(self.pool(), &self.projections);
        let mut wakeups = self.log.wakeups();
        let mut tick = interval(self.settings.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut queue = Queue::new(self.settings.pace);
        let mut whole = HashSet::new();
        let mut turns = Turns::default();
        let mut looked_at = Instant::now();
        loop {
            turns.start(&mut queue, &self, &cancel);
            let woken = async {
                sleep_until(looked_at + LOOK_PAUSE).await;
                // Without its sender there is only the timer.
                if wakeups.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            let next_turn = queue.next_turn().filter(|_| turns.has_room(&self.settings));
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                () = sleep_until(next_turn.unwrap_or(looked_at)), if next_turn.is_some() => continue,
                Some(ended) = turns.tasks.join_next_with_id() => {
                    if let Some(projection) = turns.end(&mut queue, ended, &self.settings) {
                        tidying.is_due(projection);
                    }
                    continue;
                }
                _ = tick.tick() => {}
                () = woken => {}
            }
            looked_at = Instant::now();
            tokio::select! {
                () = cancel.cancelled() => break,
                looked = self.look(&mut queue, &mut whole) => {
                    if let Err(error) = looked {
                        tracing::warn!(%error, "cannot see how far the projections are");
                    }
                }
            }
        }
        while let Some(ended) = turns.tasks.join_next_with_id().await {
            turns.end(&mut queue, ended, &self.settings);
        }
        tidying.stop().await;
        if let Err(error) = checkpoint::release(self.pool(), self.me).await {
            tracing::warn!(%error, "the leases of the projections are left to lapse");
        }
    }

    fn pool(&self) -> &PgPool {
        self.log.pool()
    }

    /// Queues every checkpoint that is behind its log, and makes those that are missing; of projections
    /// whose tables are `whole`, and only of them.
    async fn look(
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
                let key = Key { tenant: tenant.clone(), projection: projection.id() };
                let Some(at) = checkpoints.get(&key) else {
                    checkpoint::add(self.pool(), &key).await?;
                    queue.push(key, Instant::now());
                    continue;
                };
                let led_by_another = at.leader.is_some_and(|leader| leader != self.me)
                    && at.lease_until.is_some_and(|until| until > now);
                if at.position < head && !led_by_another {
                    queue.push(key, Instant::now());
                }
            }
        }
        Ok(())
    }
}

/// The turns that are being taken.
#[derive(Default)]
struct Turns {
    tasks: JoinSet<Ended>,
    keys: HashMap<Id, Key>,
}

impl Turns {
    fn has_room(&self, settings: &RunnerSettings) -> bool {
        self.tasks.len() < settings.turns_at_once
    }

    fn start(&mut self, queue: &mut Queue, runner: &Runner, cancel: &CancellationToken) {
        while self.has_room(&runner.settings)
            && let Some(key) = queue.pop(Instant::now())
        {
            let projection = runner.projections.iter().find(|known| known.id() == key.projection);
            let Some(projection) = projection else { continue };
            let turn = Turn {
                key: key.clone(),
                projection: Arc::clone(projection),
                log: runner.log.clone(),
                clock: Arc::clone(&runner.clock),
                settings: runner.settings,
                progress: runner.progress.clone(),
                me: runner.me,
                cancel: cancel.clone(),
            };
            let task = self.tasks.spawn(turn.take());
            self.keys.insert(task.id(), key);
        }
    }

    /// Which projection had the turn.
    fn end(
        &mut self,
        queue: &mut Queue,
        ended: Result<(Id, Ended), JoinError>,
        settings: &RunnerSettings,
    ) -> Option<ProjectionId> {
        let (id, ended) = ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a projection's turn was broken off");
            (error.id(), Ended::Disturbed)
        });
        let key = self.keys.remove(&id)?;
        let projection = key.projection;
        queue.ended(key, ended, Instant::now(), settings.retry_failed);
        Some(projection)
    }
}
