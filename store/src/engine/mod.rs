//! Runs commands: loads what a decision needs, decides, appends once, and tries again when the
//! log has moved on meanwhile.

mod as_of;
mod availability;
mod batch;
mod claims;
mod claims_cache;
mod context;
mod decision;
mod directory;
mod each;
mod executable;
mod facts;
mod freed;
mod idempotency;
mod joining;
mod outcome;
mod refusals;
mod repository;
mod series;
mod sessions;
#[cfg(test)]
mod tests;
mod turns;
mod unit_context;
mod unit_of_work;
mod waiting;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::session::{Session, SessionScheduled};
use daybook_domain::{Decide, Facts, Needs, TenantId, upcasters};
use futures::future::BoxFuture;
use uuid::Uuid;

pub use as_of::Known;
pub use availability::{AvailabilityQuery, AvailabilitySnapshot, Catalogue};
pub use batch::MAX_BATCH;
pub use context::{CommandContext, Target};
pub use executable::Executable;
pub use outcome::{ExecuteError, Executed};
pub(crate) use refusals::refusal_type;
pub use refusals::{Noted, RefusedCommand, is_replay_so_far, noting};
pub use series::SeriesBooking;
pub use sessions::{CancelSession, MoveSession};
pub use unit_context::UnitContext;
pub use unit_of_work::{Abort, UnitOfWork};
pub use waiting::{OfferTerms, another_place_may_do};

use crate::Clock;
use crate::audit::unseen;
use crate::log::{Log, PersistedAggregate, StreamId};
use crate::personal::{About, Keyring};
use crate::tenants::Tenants;
use as_of::PastDirectories;
use claims_cache::ClaimsCache;
use directory::Directories;
use facts::FactCache;
use idempotency::AnswersInClear;
use repository::Repository;
use turns::Turns;

/// Runs commands against the log. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    log: Log,
    clock: Arc<dyn Clock>,
    repository: Arc<Repository>,
    facts: Arc<FactCache>,
    directories: Arc<Directories>,
    past_directories: Arc<PastDirectories>,
    claims_cache: Arc<ClaimsCache>,
    tenants: Tenants,
    turns: Turns,
    reports_refusals: bool,
    /// What seals and opens personal data; without it, what is appended is clear.
    keyring: Option<Keyring>,
    answers_in_clear: AnswersInClear,
}

impl Engine {
    /// An engine over these logs.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>) -> Self {
        let repository = Arc::new(Repository::new(log.pool(), upcasters()));
        let (facts, directories, past_directories, claims_cache) = Default::default();
        let tenants = Tenants::new(log.pool().clone());
        Self {
            log,
            clock,
            repository,
            facts,
            directories,
            past_directories,
            claims_cache,
            tenants,
            turns: Turns::default(),
            reports_refusals: true,
            keyring: None,
            answers_in_clear: AnswersInClear::default(),
        }
    }

    /// The same, but what it refuses is its caller's to report.
    pub(crate) fn without_reports(self) -> Self {
        Self { reports_refusals: false, ..self }
    }

    /// The same, which seals personal data before it is appended.
    #[must_use]
    pub fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    /// What opens personal data, where something is sealed.
    #[must_use]
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_ref()
    }

    /// The same, with what is sealed in it open.
    ///
    /// # Errors
    /// When the log cannot be read, or something does not open.
    pub async fn load_open<A: Executable>(
        &self,
        tenant: &TenantId,
        id: Uuid,
    ) -> Result<Option<(A, u64)>, ExecuteError> {
        let mut there = self.load::<A>(tenant, id).await?;
        if let Some((state, _)) = &mut there {
            self.open(tenant, &mut [(id, state)]).await?;
        }
        Ok(there)
    }

    /// Opens what is sealed in these aggregates, for whoever may see it.
    ///
    /// # Errors
    /// When a key cannot be had, or something does not open.
    pub async fn open<A: Decide>(
        &self,
        tenant: &TenantId,
        aggregates: &mut [(Uuid, &mut A)],
    ) -> Result<(), ExecuteError> {
        let Some(keyring) = &self.keyring else { return Ok(()) };
        let about = |id| About { tenant, kind: A::TYPE, id };
        let things = aggregates.iter_mut().map(|(id, state)| (about(*id), &mut **state));
        Ok(keyring.open(&mut things.collect::<Vec<_>>()).await?)
    }

    /// The log it appends to.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// What tenants have chosen.
    #[must_use]
    pub fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The clock it decides by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// An aggregate as the log has it now; `None`: there is no such aggregate.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn load<'a, A: Executable>(
        &'a self,
        tenant: &'a TenantId,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<(A, u64)>, ExecuteError>> {
        A::load(self, tenant, id)
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    pub fn execute<'a, A: Executable>(
        &'a self,
        context: &'a CommandContext,
        target: Target,
        command: A::Command,
    ) -> BoxFuture<'a, Result<Executed<A>, ExecuteError>> {
        A::execute(self, context, target, vec![command])
    }

    /// Runs commands of one aggregate, each as if those before it had happened: all of them, or none.
    ///
    /// # Errors
    /// When one is refused, when there is none, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn execute_all<'a, A: Executable>(
        &'a self,
        context: &'a CommandContext,
        target: Target,
        commands: Vec<A::Command>,
    ) -> BoxFuture<'a, Result<Executed<A>, ExecuteError>> {
        A::execute(self, context, target, commands)
    }

    /// The facts, and the versions they were read at.
    async fn facts_for(
        &self,
        tenant: &TenantId,
        needs: &Needs,
        fresh: bool,
        now: DateTime<Utc>,
    ) -> Result<(Facts, Vec<(StreamId, u64)>), ExecuteError> {
        let mut read_set = Vec::with_capacity(needs.resources.len() + 2);
        let mut facts = Facts::at(now);
        if let Some(id) = needs.service {
            facts.service = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
        }
        for id in &needs.resources {
            let resource = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
            facts.resources.push((*id, resource));
        }
        if let Some(id) = needs.client {
            facts.client = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
            facts.versions.client = last_version(&read_set);
        }
        if let Some(id) = needs.appointment {
            facts.appointment = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
            facts.versions.appointment = last_version(&read_set);
        }
        if let Some(id) = needs.session {
            let session = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
            facts.session = self.told_to_its_places(tenant, id.uuid(), session).await?;
        }
        Ok((facts, read_set))
    }

    /// A session, as those see it who have a place: what it is called, and why rules were overridden for it, is their
    /// appointment's, too, and sealed for them there.
    async fn told_to_its_places(
        &self,
        tenant: &TenantId,
        id: Uuid,
        session: Arc<Session>,
    ) -> Result<Arc<Session>, ExecuteError> {
        let has_personal =
            |plan: &SessionScheduled| plan.overridden.is_some() || plan.title.is_personal();
        if !session.plan().is_some_and(has_personal) {
            return Ok(session);
        }
        let mut open = Session::clone(&session);
        // Whoever books a place is told nothing by it.
        Box::pin(unseen(self.open(tenant, &mut [(id, &mut open)]))).await?;
        Ok(Arc::new(open))
    }

    async fn fact<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        fresh: bool,
        read_set: &mut Vec<(StreamId, u64)>,
    ) -> Result<Arc<A>, ExecuteError> {
        let stream = StreamId::of::<A>(tenant, id);
        let load = self.repository.load::<A>(&stream);
        let fact = if fresh {
            self.facts.renew(&stream, load).await?
        } else {
            self.facts.get(&stream, load).await?
        };
        read_set.push((stream, fact.version));
        Ok(fact.state)
    }
}

/// At which version the fact is that was read last.
fn last_version(read_set: &[(StreamId, u64)]) -> u64 {
    read_set.last().map_or(0, |(_, version)| *version)
}

/// A unit of one aggregate: whether what it claims can be had is left to the log.
struct OfOne<A: PersistedAggregate> {
    target: Target,
    commands: Vec<A::Command>,
}

impl<A: PersistedAggregate> UnitOfWork for OfOne<A> {
    type Root = A;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        for command in &self.commands {
            unit.decide_only::<A>(self.target, command.clone()).await?;
        }
        Ok(())
    }

    fn name(&self) -> String {
        self.commands.first().map(refusals::variant_name).unwrap_or_default()
    }
}
