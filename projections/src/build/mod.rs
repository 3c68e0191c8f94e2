//! Making a projection's tables from the log, beside whatever is read meanwhile.
//!
//! A build has a schema of its own, `search_3_building`. Its tables are filled (`fill`), indexed
//! (`index`), brought near the end of the log (`follow`), and then take the projection's name
//! (`hand_over`): a schema that has it is whole. All that is done is noted with what it has done
//! (`state`), so whoever dies in the middle is followed by one who goes on. Of all programs one builds
//! (`lock`), and lets those who commit go first (`pace`).
//!
//! Why so: `docs/adr/0021-a-projection-is-built-beside.md`.

mod fill;
mod follow;
mod hand_over;
mod index;
mod lock;
mod pace;
pub(crate) mod state;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::{Clock, Log, Position};
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

pub use state::Phase;

use crate::schema::run;
use crate::{ApplyError, Filling, Projection, ProjectionId, Schema, at_once, schema};
pub(crate) use follow::catch_up;
pub(crate) use lock::{LOCKED, Lock};
use pace::Pace;

/// How often a builder looks whether there is something to build.
const TICK: Duration = Duration::from_secs(1);

/// How long after a failure it tries again.
const AFTER_FAILURE: Duration = Duration::from_secs(15);

/// Events in a part of the work, if nothing else is said.
const PART_EVENTS: usize = 5_000;

/// Why a build has ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The program is to stop. Whoever begins next goes on from here.
    #[error("stopped; the next program goes on from here")]
    Stopped,
    /// Somebody has called it off.
    #[error("it was called off")]
    CalledOff,
    /// Another program has gone on with it.
    #[error("another program has gone on with it")]
    TakenOver,
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

impl From<daybook_store::UnreadableEvent> for BuildError {
    fn from(event: daybook_store::UnreadableEvent) -> Self {
        Self::Apply(event.into())
    }
}

/// How a build has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// The projection is whole, and nothing was asked for.
    Before,
    /// It was made.
    Now,
    /// Another program is at it.
    ByAnother,
}

/// Makes the projections that are missing or asked for.
#[derive(Clone)]
pub struct Builder {
    log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    projections: Vec<Arc<dyn Projection>>,
    workers: usize,
    part_events: usize,
}

/// Where a build is made, and by what.
pub(crate) struct Site {
    pub(crate) log: Log,
    pub(crate) projection: Arc<dyn Projection>,
    pub(crate) schema: Schema,
    pub(crate) workers: usize,
    pub(crate) part_events: usize,
    pub(crate) cancel: CancellationToken,
}

impl Site {
    /// `None`: another program is at it.
    pub(crate) async fn lock(&self) -> Result<Option<Lock>, sqlx::Error> {
        Lock::take(self.log.pool(), &self.schema).await
    }

    /// An error: it is not to go on.
    pub(crate) async fn go_on(&self) -> Result<(), BuildError> {
        if self.cancel.is_cancelled() {
            return Err(BuildError::Stopped);
        }
        match state::noted(self.log.pool(), &self.schema).await? {
            Some(noted) if !noted.cancelled => Ok(()),
            Some(_) => Err(BuildError::CalledOff),
            None => Err(BuildError::TakenOver),
        }
    }
}

const BUILDING: &str = "building";

/// The schema in which a projection is made.
pub(crate) fn building(projection: ProjectionId) -> Schema {
    Schema::beside(projection, BUILDING)
}

impl Builder {
    /// A builder of these projections.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, projections: Vec<Arc<dyn Projection>>) -> Self {
        Self { log, clock, projections, workers: at_once(), part_events: PART_EVENTS }
    }

    /// With so many events in a part of the work.
    #[must_use]
    pub fn with_part_events(self, part_events: usize) -> Self {
        Self { part_events, ..self }
    }

    /// Builds whatever is missing or asked for, until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let mut pauses: HashMap<ProjectionId, Instant> = HashMap::new();
        while !cancel.is_cancelled() {
            for projection in &self.projections {
                let id = projection.id();
                if pauses.get(&id).is_some_and(|until| *until > Instant::now()) {
                    continue;
                }
                match self.build(projection, &cancel).await {
                    Ok(Built::Now) => tracing::info!(projection = %id, "built"),
                    Ok(Built::Before | Built::ByAnother)
                    | Err(BuildError::Stopped | BuildError::TakenOver) => {}
                    Err(BuildError::CalledOff) => {
                        pauses.insert(id, Instant::now() + AFTER_FAILURE);
                    }
                    Err(error) => {
                        tracing::error!(projection = %id, %error, "not built; it is tried again");
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

    /// Builds a projection, if it is missing or was asked for.
    ///
    /// # Errors
    /// When it is not built; what is done so far stays for the next time, unless it was called off.
    pub async fn build(
        &self,
        projection: &Arc<dyn Projection>,
        cancel: &CancellationToken,
    ) -> Result<Built, BuildError> {
        let (pool, id) = (self.log.pool(), projection.id());
        let schema = building(id);
        let noted = state::noted(pool, &schema).await?;
        let live = self.is_live(id).await?;
        if noted.is_none() && live {
            return Ok(Built::Before);
        }
        let site = self.site(projection, BUILDING, cancel);
        let Some(lock) = site.lock().await? else { return Ok(Built::ByAnother) };
        let made = self.make(&site).await;
        match &made {
            Err(BuildError::CalledOff) => self.clear_away(&site).await?,
            Err(BuildError::Stopped | BuildError::TakenOver) | Ok(_) => {}
            Err(error) => state::fail(pool, &site.schema, &error.to_string()).await?,
        }
        lock.release().await;
        made
    }

    async fn make(&self, site: &Arc<Site>) -> Result<Built, BuildError> {
        let (pool, id) = (self.log.pool(), site.projection.id());
        // Again, now that nobody else is at it.
        let live = self.is_live(id).await?;
        match state::noted(pool, &site.schema).await? {
            None if live => return Ok(Built::Before),
            None => state::request(pool, &site.schema, id, self.clock.now()).await?,
            Some(_) => {}
        }
        site.go_on().await?;
        let targets = self.log.heads().await?;
        self.fill_to(site, &targets).await?;
        follow::follow(site, &mut Pace::of(&self.log)).await?;
        hand_over::hand_over(site).await?;
        Ok(Built::Now)
    }

    async fn is_live(&self, projection: ProjectionId) -> Result<bool, sqlx::Error> {
        let whole = schema::whole(self.log.pool(), &[projection]).await?;
        Ok(!whole.is_empty())
    }

    /// Where a projection is made beside.
    pub(crate) fn site(
        &self,
        projection: &Arc<dyn Projection>,
        beside: &str,
        cancel: &CancellationToken,
    ) -> Arc<Site> {
        Arc::new(Site {
            log: self.log.clone(),
            projection: Arc::clone(projection),
            schema: Schema::beside(projection.id(), beside),
            workers: self.workers,
            part_events: self.part_events,
            cancel: cancel.clone(),
        })
    }

    /// Drops what was made of a build that was called off. Where nothing of that name is read yet, it
    /// stays noted that it was.
    async fn clear_away(&self, site: &Site) -> Result<(), sqlx::Error> {
        let live = Schema::of(site.projection.id());
        let mut tx = self.log.pool().begin().await?;
        run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", site.schema)).await?;
        if schema::is_made(&mut tx, &live).await? {
            state::remove(&mut tx, &site.schema).await?;
        } else {
            state::restart(&mut tx, &site.schema).await?;
        }
        tx.commit().await
    }

    /// Makes tables with all that happened up to these positions, or goes on where somebody stopped.
    pub(crate) async fn fill_to(
        &self,
        site: &Arc<Site>,
        targets: &[(TenantId, Position)],
    ) -> Result<(), BuildError> {
        let pool = site.log.pool();
        let mut pace = Pace::of(&site.log);
        let noted = state::noted(pool, &site.schema).await?;
        let mut phase = noted.and_then(|noted| noted.phase);
        if phase.is_none() {
            phase = Some(self.begin(site, targets).await?);
        }
        if phase == Some(Phase::Filling) {
            for rows in state::tenants(pool, &site.schema).await? {
                if rows.position.is_some() {
                    continue;
                }
                let filled = match fill::tenant(site, &rows, &mut pace).await {
                    Ok(()) => rows.target,
                    // The ordinary path says where it stands still, and goes as far as it can.
                    Err(BuildError::Apply(ApplyError::Event { position, reason })) => {
                        let (tenant, schema) = (&rows.tenant, &site.schema);
                        tracing::error!(%tenant, %schema, %position, reason, "an event makes no sense");
                        fill::take_back(site, tenant).await?;
                        Position::START
                    }
                    Err(error) => return Err(error),
                };
                let mut connection = pool.acquire().await?;
                state::advance(&mut connection, &site.schema, &rows.tenant, None, filled).await?;
            }
            let mut connection = pool.acquire().await?;
            state::enter(&mut connection, &site.schema, Phase::Indexing, self.clock.now()).await?;
            phase = Some(Phase::Indexing);
        }
        if phase == Some(Phase::Indexing) {
            index::make(site, &mut pace).await?;
            let mut connection = pool.acquire().await?;
            state::enter(&mut connection, &site.schema, Phase::Following, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Makes the tables, and notes what they are to be filled with.
    async fn begin(
        &self,
        site: &Site,
        targets: &[(TenantId, Position)],
    ) -> Result<Phase, BuildError> {
        let (phase, position) = match site.projection.filling() {
            Filling::InOrder => (Phase::Indexing, Some(Position::START)),
            Filling::ByStream(_) | Filling::Copied(_) => (Phase::Filling, None),
        };
        let mut tx = site.log.pool().begin().await?;
        run(&mut tx, &format!("DROP SCHEMA IF EXISTS {} CASCADE", site.schema)).await?;
        state::forget(&mut tx, &site.schema).await?;
        schema::make_tables(&mut tx, site.projection.as_ref(), &site.schema).await?;
        state::add_tenants(&mut tx, &site.schema, targets, position).await?;
        state::enter(&mut tx, &site.schema, phase, self.clock.now()).await?;
        tx.commit().await?;
        Ok(phase)
    }
}
