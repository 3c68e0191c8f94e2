//! What a unit of work has decided so far, each command as if those before it had happened.
//!
//! So the log has it at each position: nobody has anything twice, not even within one submission. Two
//! cannot change places, and where many move by a little, whoever is in the way of the others goes first.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use daybook_domain::claim::{Claim, ClaimConflict, ClaimQuery, ClaimSnapshot};
use daybook_domain::client::{Client, ClientRefusal};
use daybook_domain::{AppointmentId, ClientId, Needs, Refusal, Subject, TenantId};
use uuid::Uuid;

use super::availability::unavailable;
use super::decision::{Decided, Prepared, Sealing};
use super::repository::Loaded;
use super::unit_of_work::{Abort, RetryState};
use super::{CommandContext, Engine, ExecuteError, Target};
use crate::audit::unseen;
use crate::log::{OnConflict, PersistedAggregate, StreamId};

/// Who has lost so many races chooses among this to that power: the more there are who lose, the
/// further they spread.
const SPREAD: usize = 4;

/// What has been decided so far, each as if those before it had happened.
pub struct UnitContext<'a> {
    engine: &'a Engine,
    context: &'a CommandContext,
    root: Uuid,
    now: DateTime<Utc>,
    retry: RetryState,
    /// In the order in which they were first decided.
    decided: Vec<Decided>,
    /// Which facts have been read anew for this attempt.
    renewed: HashSet<Uuid>,
    /// Whether a refusal rests on facts that may be out of date.
    pub(super) refused_from_memory: bool,
    /// Whether what was chosen was taken before it could be seen again.
    pub(super) lost: bool,
}

impl<'a> UnitContext<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        context: &'a CommandContext,
        root: Uuid,
        retry: RetryState,
    ) -> Self {
        Self {
            engine,
            context,
            root,
            now: engine.clock.now(),
            retry,
            decided: Vec::new(),
            renewed: HashSet::new(),
            refused_from_memory: false,
            lost: false,
        }
    }

    /// Whether some of the tenant is not there, for whoever gives the command.
    pub(super) fn is_limited(&self) -> bool {
        !self.context.limits.are_none()
    }

    /// When all of it is decided.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An aggregate as the unit leaves it so far; `None`: there is no such aggregate.
    ///
    /// # Errors
    /// When the log cannot be read, or the root is not at the version that the caller has seen.
    pub async fn load<A: PersistedAggregate>(
        &mut self,
        id: Uuid,
    ) -> Result<Option<(A, u64)>, Abort> {
        let Loaded { state, version } =
            self.current(&StreamId::of::<A>(self.tenant(), id), false).await??;
        Ok((version > 0).then_some((state, version)))
    }

    /// What is claimed, with what the unit claims so far.
    ///
    /// # Errors
    /// When the claims cannot be read.
    pub async fn claims(&self, queries: &[ClaimQuery]) -> Result<ClaimSnapshot, ExecuteError> {
        self.claims_but_of(queries, Uuid::nil()).await
    }

    /// Decides one command, and makes sure that what it claims can be had. Of what is refused nothing
    /// is kept, and the unit can go on without it.
    ///
    /// # Errors
    /// When it cannot be decided; within: when it is refused.
    pub async fn decide<A: PersistedAggregate>(
        &mut self,
        target: Target,
        command: A::Command,
    ) -> Result<Result<(), Refusal>, ExecuteError> {
        let mut decided = match self.attempt::<A>(target, command).await? {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for (holder, claims) in &decided.held {
            if let Some(conflict) = self.taken(holder.uuid(), claims).await? {
                // A reference is never chosen.
                let chose = conflict.reference_of.is_none();
                self.lost |= chose && decided.on_conflict == OnConflict::Retry;
                return Ok(Err(conflict.into()));
            }
        }
        // Whoever is in the way now came meanwhile.
        decided.on_conflict = OnConflict::Retry;
        self.keep(decided);
        Ok(Ok(()))
    }

    /// Decides the one command of a unit, and leaves it to the log whether what it claims can be had.
    pub(super) async fn decide_only<A: PersistedAggregate>(
        &mut self,
        target: Target,
        command: A::Command,
    ) -> Result<(), Abort> {
        let decided = self.attempt::<A>(target, command).await??;
        self.keep(decided);
        Ok(())
    }

    async fn attempt<A: PersistedAggregate>(
        &mut self,
        target: Target,
        command: A::Command,
    ) -> Result<Result<Decided, Refusal>, ExecuteError> {
        let stream = StreamId::of::<A>(self.tenant(), target.id());
        // Whoever lost a race once reads the stream, whatever is known of it.
        let is_new = matches!(target, Target::New(_)) && self.retry == RetryState::default();
        let current = if is_new {
            Loaded::<A>::default()
        } else {
            match self.current(&stream, A::opens(&command)).await? {
                Ok(current) => current,
                Err(refusal) => return Ok(Err(refusal)),
            }
        };
        let mut prepared = self.prepare(stream, current, command).await?;
        if !prepared.queries.is_empty() {
            prepared.facts.claims = self.claims_but_of(&prepared.queries, target.id()).await?;
        }
        let settled = self.settle(prepared).await?;
        Ok(settled.map(|(decided, _)| decided))
    }

    /// Gathers what a decision looks at, but for the claims.
    pub(super) async fn prepare<A: PersistedAggregate>(
        &mut self,
        stream: StreamId,
        Loaded { state, version }: Loaded<A>,
        command: A::Command,
    ) -> Result<Prepared<A>, ExecuteError> {
        let tenant = self.tenant();
        let needs = state.needs(&command);
        let fresh = self.retry.fresh && self.renews(&needs);
        let (facts, read_set) = self.engine.facts_for(tenant, &needs, fresh, self.now).await?;
        let mut facts = self.context.seen(facts, &needs, stream.uuid(), &state);
        let chooses = state.chooses(&command, &facts);
        if chooses {
            let directories = &self.engine.directories;
            (facts.directory, _) = directories.of(&self.engine.log, tenant, fresh).await?;
        }
        if chooses || A::gives_title(&command) || A::tells_client(&command) {
            let known = self.engine.tenants.get(tenant).await.map_err(unavailable)?;
            facts.least_booked_days = known.settings.least_booked_days;
            facts.titles = known.settings.titles;
            facts.notices = known.settings.notices;
        }
        let queries = state.claim_queries(&command, &facts);
        if !queries.is_empty() {
            facts.skip = self.skip();
        }
        let from_memory = !self.retry.fresh && needs != Needs::default();
        Ok(Prepared {
            stream,
            state,
            version,
            command,
            facts,
            read_set,
            from_memory,
            chooses,
            queries,
        })
    }

    /// Decides what was prepared, and gives the claims back that it saw.
    pub(super) async fn settle<A: PersistedAggregate>(
        &mut self,
        prepared: Prepared<A>,
    ) -> Result<Result<(Decided, ClaimSnapshot), Refusal>, ExecuteError> {
        let from_memory = prepared.from_memory;
        let sealing = Sealing { keyring: self.engine.keyring(), dry_run: self.context.dry_run };
        let mut settled = prepared.decide(self.context, sealing).await?;
        if let Ok((decided, _)) = &mut settled
            && let Some(Subject::Client(client)) = decided.sealed_for
            && let Err(refusal) = self.rests_on(client, decided).await?
        {
            settled = Err(refusal);
        }
        self.refused_from_memory |= settled.is_err() && from_memory;
        Ok(settled)
    }

    /// Nothing is sealed for a client who is erased meanwhile: it rests on who they are.
    async fn rests_on(
        &self,
        client: ClientId,
        decided: &mut Decided,
    ) -> Result<Result<(), Refusal>, ExecuteError> {
        let stream = StreamId::of::<Client>(self.tenant(), client.uuid());
        let seen = decided.read_set.iter().any(|(read, _)| *read == stream);
        if stream != decided.stream && !seen {
            let (id, fresh) = (client.uuid(), self.retry.fresh);
            let read_set = &mut decided.read_set;
            let known = self.engine.fact::<Client>(self.tenant(), id, fresh, read_set).await?;
            if matches!(*known, Client::Erased { .. }) {
                return Ok(Err(ClientRefusal::ClientErased.into()));
            }
        }
        Ok(Ok(()))
    }

    /// Takes up what was decided.
    pub(super) fn keep(&mut self, decided: Decided) {
        match self.decided.iter_mut().find(|before| before.stream == decided.stream) {
            Some(before) => before.go_on(decided),
            None => self.decided.push(decided),
        }
    }

    /// What was decided so far.
    pub(super) fn decided(&self) -> &[Decided] {
        &self.decided
    }

    /// When it was decided, and what.
    pub(super) fn into_decided(self) -> (DateTime<Utc>, Vec<Decided>) {
        (self.now, self.decided)
    }

    pub(super) fn tenant(&self) -> &'a TenantId {
        &self.context.tenant
    }

    /// An aggregate as the unit leaves it so far.
    ///
    /// # Errors
    /// When the log cannot be read; within: when it is the root, and not at the version that the caller
    /// has seen. Here alone that is looked at.
    async fn current<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
        opens: bool,
    ) -> Result<Result<Loaded<A>, Refusal>, ExecuteError> {
        let decided = self.decided.iter().find(|decided| decided.stream == *stream);
        let known = decided.and_then(|one| Some((one.state::<A>()?.clone(), one.version)));
        if let Some((state, version)) = known {
            return Ok(Ok(Loaded { state, version }));
        }
        let mut loaded: Loaded<A> = self.engine.repository.load(stream).await?;
        if !self.context.sees(stream.uuid(), &loaded.state) {
            loaded = Loaded::default();
        }
        if opens {
            // For the decision: whoever gives the command is told nothing by it.
            let mut opened = [(stream.uuid(), &mut loaded.state)];
            Box::pin(unseen(self.engine.open(self.tenant(), &mut opened))).await?;
        }
        let actual = loaded.version;
        let seen = self.context.expected_version.filter(|_| stream.uuid() == self.root);
        Ok(match seen.filter(|expected| *expected != actual && actual > 0) {
            Some(expected) => Err(Refusal::StaleVersion { expected, actual }),
            None => Ok(loaded),
        })
    }

    /// Whether something of this has not been read anew yet; from now on it has.
    fn renews(&mut self, needs: &Needs) -> bool {
        let before = self.renewed.len();
        self.renewed.extend(needs.ids());
        self.renewed.len() > before
    }

    /// How many free choices are skipped.
    fn skip(&self) -> usize {
        match self.retry.conflicts {
            0 => 0,
            conflicts => rand::random_range(0..SPREAD.saturating_pow(conflicts)),
        }
    }

    pub(super) async fn claims_but_of(
        &self,
        queries: &[ClaimQuery],
        own: Uuid,
    ) -> Result<ClaimSnapshot, ExecuteError> {
        let mut claims = self.engine.load_claims(self.tenant(), queries, own, self.now).await?;
        if self.decided.is_empty() {
            return Ok(claims);
        }
        let held = self.decided.iter().flat_map(|decided| &decided.held);
        let changed: HashSet<AppointmentId> = held.clone().map(|(holder, _)| *holder).collect();
        claims.retain(|holder| !changed.contains(&holder));
        for (holder, held) in held.filter(|(holder, _)| holder.uuid() != own) {
            claims.add(*holder, held);
        }
        Ok(claims)
    }

    /// What is in the way, if one of these claims cannot be had.
    async fn taken(
        &self,
        holder: Uuid,
        claims: &[Claim],
    ) -> Result<Option<ClaimConflict>, ExecuteError> {
        if claims.is_empty() {
            return Ok(None);
        }
        let query = |claim: &Claim| ClaimQuery { resource: claim.resource, during: claim.during };
        let queries: Vec<ClaimQuery> = claims.iter().map(query).collect();
        let held = self.claims_but_of(&queries, holder).await?;
        Ok(claims.iter().find_map(|claim| held.conflict_with(claim)))
    }
}
