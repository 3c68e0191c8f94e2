//! Rebuilding a projection from the log in a shadow schema (blue/green), while the live one is read.
//!
//! The shadow schema, `appointments_1_building`, is backfilled (`backfill`), indexed (`index`), caught up with
//! the log (`catch_up`), and swapped in for the live one (`swap_in`): a schema that has the projection's
//! name is whole. Each step is recorded in the transaction of what it does (`state`), so a rebuild that
//! is killed is resumed by the next program. Of all programs one rebuilds (`lock`), and yields to those who
//! commit (`pace`).
//!
//! Why so: `docs/adr/0021-a-projection-is-built-beside.md`.

mod backfill;
mod catch_up;
mod index;
mod lock;
mod pace;
pub(crate) mod state;
mod swap_in;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::{Clock, Log, Position, Repeated};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub use state::Phase;

use crate::schema::run;
use crate::{ApplyError, Backfill, Projection, ProjectionId, Schema, at_once, schema};
pub(crate) use catch_up::catch_up;
pub(crate) use lock::{LOCKED, Lock};
use pace::Pace;

/// How often a rebuilder checks whether there is something to rebuild.
const TICK: Duration = Duration::from_secs(2);

/// How long after a failure it tries again.
const AFTER_FAILURE: Duration = Duration::from_secs(15);

/// Events in a part of the work, if nothing else is said.
const PART_EVENTS: usize = 5_000;

/// Why a rebuild has ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The program is to stop. Whoever begins next goes on from here.
    #[error("stopped; the next program goes on from here")]
    Stopped,
    /// Somebody has cancelled it.
    #[error("it was cancelled")]
    Cancelled,
    /// Another program has gone on with it.
    #[error("another program has gone on with it")]
    TakenOver,
    /// There are fewer events than a checkpoint says have been read.
    #[error("the log of {tenant} ends at position {position}, before where it has been read to")]
    LogEnds {
        /// Whose.
        tenant: TenantId,
        /// Its last event.
        position: Position,
    },
    /// An event makes no sense, or the database failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A part of the work was broken off.
    #[error(transparent)]
    Died(#[from] JoinError),
}

impl From<daybook_store::UnreadableEvent> for RebuildError {
    fn from(event: daybook_store::UnreadableEvent) -> Self {
        Self::Apply(event.into())
    }
}

/// How a rebuild has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuilt {
    /// The projection is whole, and nothing was asked for.
    NotNeeded,
    /// It was rebuilt.
    Done,
    /// Another program is at it.
    ByAnother,
}

/// Rebuilds the projections that are missing or asked for.
#[derive(Clone)]
pub struct Rebuilder {
    log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    projections: Vec<Arc<dyn Projection>>,
    workers: usize,
    part_events: usize,
}

/// What is rebuilt, where, and by what means.
pub(crate) struct RebuildTarget {
    pub(crate) log: Log,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) schema: Schema,
    pub(crate) workers: usize,
    pub(crate) part_events: usize,
    pub(crate) cancel: CancellationToken,
}

impl RebuildTarget {
    /// `None`: another program is at it.
    pub(crate) async fn lock(&self) -> Result<Option<Lock>, sqlx::Error> {
        Lock::take(self.log.pool(), &self.schema).await
    }

    /// # Errors
    /// When it is not to go on.
    pub(crate) async fn ensure_wanted(&self) -> Result<(), RebuildError> {
        if self.cancel.is_cancelled() {
            return Err(RebuildError::Stopped);
        }
        match state::record(self.log.pool(), &self.schema).await? {
            Some(record) if !record.cancelled => Ok(()),
            Some(_) => Err(RebuildError::Cancelled),
            None => Err(RebuildError::TakenOver),
        }
    }
}

const REBUILD: &str = "building";

/// The ends of all logs that have begun.
async fn begun_logs(log: &Log) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
    let mut heads = log.heads().await?;
    heads.retain(|(_, head)| *head > Position::START);
    Ok(heads)
}

/// The shadow schema in which a projection is rebuilt.
pub(crate) fn shadow(projection: ProjectionId) -> Schema {
    Schema::shadow(projection, REBUILD)
}

impl Rebuilder {
    /// A rebuilder of these projections.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, projections: Vec<Arc<dyn Projection>>) -> Self {
        Self { log, clock, projections, workers: at_once(), part_events: PART_EVENTS }
    }

    /// With so many events in a part of the work.
    #[must_use]
    pub fn with_part_events(self, part_events: usize) -> Self {
        Self { part_events, ..self }
    }

    /// Rebuilds whatever is missing or asked for, until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut pauses: HashMap<ProjectionId, Instant> = HashMap::new();
        let looks = Repeated::new("look for what is to be rebuilt");
        let ids: Vec<_> = self.projections.iter().map(|projection| projection.id()).collect();
        while !cancel.is_cancelled() {
            let wanted = state::wanted(self.log.pool(), &ids).await;
            looks.note(&wanted);
            let wanted = wanted.unwrap_or_default();
            for projection in &self.projections {
                let id = projection.id();
                let pauses_yet = pauses.get(&id).is_some_and(|until| *until > Instant::now());
                if pauses_yet || !wanted.contains(&id) {
                    continue;
                }
                match self.rebuild(projection, &cancel).await {
                    Ok(Rebuilt::Done) => tracing::info!(projection = %id, "rebuilt"),
                    Ok(Rebuilt::NotNeeded | Rebuilt::ByAnother)
                    | Err(RebuildError::Stopped | RebuildError::TakenOver) => {}
                    Err(RebuildError::Cancelled) => {
                        pauses.insert(id, Instant::now() + AFTER_FAILURE);
                    }
                    Err(error) => {
                        tracing::error!(projection = %id, %error, "not rebuilt; it is tried again");
                        pauses.insert(id, Instant::now() + AFTER_FAILURE);
                    }
                }
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = sleep(TICK) => {}
            }
        }
    }

    /// Rebuilds a projection, if it is missing or was asked for.
    ///
    /// # Errors
    /// When it is not rebuilt; what is done so far stays for the next time, unless it was cancelled.
    pub async fn rebuild(
        &self,
        projection: &Arc<dyn Projection>,
        cancel: &CancellationToken,
    ) -> Result<Rebuilt, RebuildError> {
        let (pool, id) = (self.log.pool(), projection.id());
        let record = state::record(pool, &shadow(id)).await?;
        if record.is_none() && self.is_live(id).await? {
            return Ok(Rebuilt::NotNeeded);
        }
        let target = self.target(projection, REBUILD, cancel);
        let Some(lock) = target.lock().await? else { return Ok(Rebuilt::ByAnother) };
        let rebuilt = self.run_in(&target).await;
        match &rebuilt {
            Err(RebuildError::Cancelled) => self.discard(&target).await?,
            Err(RebuildError::Stopped | RebuildError::TakenOver) | Ok(_) => {}
            Err(error) => state::fail(pool, &target.schema, &error.to_string()).await?,
        }
        lock.release().await;
        rebuilt
    }

    async fn run_in(&self, target: &Arc<RebuildTarget>) -> Result<Rebuilt, RebuildError> {
        let (pool, id) = (self.log.pool(), target.projection.id());
        // Again, now that nobody else is at it.
        let live = self.is_live(id).await?;
        match state::record(pool, &target.schema).await? {
            None if live => return Ok(Rebuilt::NotNeeded),
            None => state::request(pool, &target.schema, id, self.clock.now()).await?,
            Some(_) => {}
        }
        target.ensure_wanted().await?;
        let heads = begun_logs(&self.log).await?;
        self.fill_to(target, &heads).await?;
        catch_up::catch_up_all(target, &mut Pace::of(&self.log)).await?;
        swap_in::swap_in(target).await?;
        Ok(Rebuilt::Done)
    }

    async fn is_live(&self, projection: ProjectionId) -> Result<bool, sqlx::Error> {
        let whole = schema::whole(self.log.pool(), &[projection]).await?;
        Ok(!whole.is_empty())
    }

    /// A projection in the shadow schema of this suffix.
    pub(crate) fn target(
        &self,
        projection: &Arc<dyn Projection>,
        suffix: &str,
        cancel: &CancellationToken,
    ) -> Arc<RebuildTarget> {
        Arc::new(RebuildTarget {
            log: self.log.clone(),
            projection: Arc::clone(projection),
            schema: Schema::shadow(projection.id(), suffix),
            workers: self.workers,
            part_events: self.part_events,
            cancel: cancel.clone(),
        })
    }

    /// Drops what there is of a rebuild that was cancelled. Where there is no live schema yet, it stays
    /// recorded that it was.
    async fn discard(&self, target: &RebuildTarget) -> Result<(), sqlx::Error> {
        let live = Schema::of(target.projection.id());
        let mut tx = self.log.owners_pool().begin().await?;
        run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", target.schema)).await?;
        if schema::is_made(&mut tx, &live).await? {
            state::remove(&mut tx, &target.schema).await?;
        } else {
            state::restart(&mut tx, &target.schema).await?;
        }
        tx.commit().await
    }

    /// Backfills tables with all that happened up to these positions, or resumes where somebody stopped.
    pub(crate) async fn fill_to(
        &self,
        target: &Arc<RebuildTarget>,
        heads: &[(TenantId, Position)],
    ) -> Result<(), RebuildError> {
        let pool = target.log.pool();
        let mut pace = Pace::of(&target.log);
        let record = state::record(pool, &target.schema).await?;
        let mut phase = record.and_then(|record| record.phase);
        if phase.is_none() {
            phase = Some(self.begin(target, heads).await?);
        }
        if phase == Some(Phase::Filling) {
            for rows in state::tenants(pool, &target.schema).await? {
                if rows.position.is_some() {
                    continue;
                }
                let filled = match backfill::tenant(target, &rows, &mut pace).await {
                    Ok(()) => rows.target,
                    // In the order of the log, it gets as far as this event.
                    Err(RebuildError::Apply(ApplyError::Event { position, reason })) => {
                        let (tenant, schema) = (&rows.tenant, &target.schema);
                        tracing::error!(%tenant, %schema, %position, reason, "an event makes no sense");
                        backfill::undo(target, tenant).await?;
                        Position::START
                    }
                    Err(error) => return Err(error),
                };
                let mut connection = pool.acquire().await?;
                state::advance(&mut connection, &target.schema, &rows.tenant, None, filled).await?;
            }
            let mut connection = pool.acquire().await?;
            state::enter(&mut connection, &target.schema, Phase::Indexing, self.clock.now())
                .await?;
            phase = Some(Phase::Indexing);
        }
        if phase == Some(Phase::Indexing) {
            index::make(target, &mut pace).await?;
            let mut connection = pool.acquire().await?;
            state::enter(&mut connection, &target.schema, Phase::Following, self.clock.now())
                .await?;
        }
        Ok(())
    }

    /// Makes the tables, and records what they are to be filled with.
    async fn begin(
        &self,
        target: &RebuildTarget,
        heads: &[(TenantId, Position)],
    ) -> Result<Phase, RebuildError> {
        let (phase, position) = match target.projection.backfill() {
            Backfill::InOrder => (Phase::Indexing, Some(Position::START)),
            Backfill::ByStream(_) | Backfill::Copy(_) => (Phase::Filling, None),
        };
        let mut tx = target.log.owners_pool().begin().await?;
        run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", target.schema)).await?;
        state::forget(&mut tx, &target.schema).await?;
        schema::make_tables(&mut tx, target.projection.as_ref(), &target.schema).await?;
        state::add_tenants(&mut tx, &target.schema, heads, position).await?;
        state::enter(&mut tx, &target.schema, phase, self.clock.now()).await?;
        tx.commit().await?;
        Ok(phase)
    }
}
