//! Runs commands: loads what a decision needs, decides, appends once, and tries again when the
//! log has moved on meanwhile.

mod as_of;
mod batch;
mod busy;
mod context;
mod directory;
mod each;
mod facts;
mod look;
mod outcome;
mod remembered;
mod repository;
mod series;
mod sessions;
#[cfg(test)]
mod tests;
mod unit;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate as _, DomainEvent};
use daybook_domain::claim::{Claim, ClaimQuery, Claims};
use daybook_domain::resource::Resource;
use daybook_domain::{Decide, Facts, Needs, Refusal, TenantId, upcasters};
use uuid::Uuid;

pub use batch::MAX_BATCH;
pub use context::{CommandContext, Target};
pub use look::{Catalogue, Seen, Sight};
pub use outcome::{ExecuteError, Executed};
pub use series::SeriesBooking;
pub use sessions::{CancelSession, MoveSession};
pub use unit::{Stop, Together, Unit};
pub use waiting::OfferTerms;

use crate::Clock;
use crate::log::{
    Append, CommandKey, Decision, FirstAnswer, IfTaken, Log, NewEvent, PersistedAggregate,
    StreamId, Submission, Verdict,
};
use as_of::PastDirectories;
use directory::Directories;
use facts::FactCache;
use remembered::Remembered;
use repository::{Loaded, Repository};

/// How often a decision is taken again because what it looked at had changed.
const MAX_ATTEMPTS: u32 = 12;

/// Who has lost so many races chooses among this to that power: the more there are who lose, the
/// further they spread.
const SPREAD: usize = 4;

/// Runs commands against the log. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    log: Log,
    clock: Arc<dyn Clock>,
    repository: Arc<Repository>,
    facts: Arc<FactCache>,
    directories: Arc<Directories>,
    past_directories: Arc<PastDirectories>,
    remembered: Arc<Remembered>,
}

/// How a decision is to be taken: what the attempts before it have taught.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lessons {
    /// What is remembered was out of date.
    fresh: bool,
    /// So often, what was chosen was taken by another.
    lost: u32,
}

/// What a decision looks at.
struct Prepared {
    needs: Needs,
    facts: Facts,
    read_set: Vec<(StreamId, u64)>,
    /// Whether it chooses resources.
    chooses: bool,
    /// Where it looks for what is claimed.
    queries: Vec<ClaimQuery>,
}

/// What one attempt saw and decided.
struct Attempt<A: Decide> {
    state: A,
    events: Vec<A::Event>,
    read_set: Vec<(StreamId, u64)>,
    stream: StreamId,
    version: u64,
    facts: Facts,
    if_taken: IfTaken,
}

/// A refusal, and whether it rests on facts that may be out of date.
struct Refused {
    refusal: Refusal,
    from_memory: bool,
}

impl Engine {
    /// An engine over these logs.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>) -> Self {
        let repository = Arc::new(Repository::new(log.pool(), upcasters()));
        let (facts, directories, past_directories, remembered) = Default::default();
        Self { log, clock, repository, facts, directories, past_directories, remembered }
    }

    /// The log it appends to.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
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
    pub async fn load<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
    ) -> Result<Option<(A, u64)>, ExecuteError> {
        let loaded = self.load_stream::<A>(&StreamId::of::<A>(tenant, id)).await?;
        Ok((loaded.version > 0).then_some((loaded.state, loaded.version)))
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    pub async fn execute<A>(
        &self,
        context: &CommandContext,
        target: Target,
        command: A::Command,
    ) -> Result<Executed<A>, ExecuteError>
    where
        A: PersistedAggregate,
        A::Command: Clone,
    {
        let mut lessons = Lessons::default();
        for attempt in 0..MAX_ATTEMPTS {
            pause_before(attempt).await;
            // Whoever lost a race once reads its own stream, whatever it knows of it.
            let target = if attempt == 0 { target } else { Target::Existing(target.id()) };
            match self.decide::<A>(context, target, command.clone(), lessons).await? {
                // A refusal is final only if what it rests on is up to date.
                Err(refused) if refused.from_memory => lessons.fresh = true,
                Err(refused) => return self.refuse(context, refused.refusal).await,
                Ok(attempt) => match self.append(context, attempt).await? {
                    Appended::Done(executed) => return Ok(executed),
                    Appended::Stale => lessons.fresh = true,
                    Appended::Taken => lessons.lost += 1,
                },
            }
        }
        Err(ExecuteError::Contended)
    }

    async fn decide<A: PersistedAggregate>(
        &self,
        context: &CommandContext,
        target: Target,
        command: A::Command,
        lessons: Lessons,
    ) -> Result<Result<Attempt<A>, Refused>, ExecuteError> {
        let stream = StreamId::of::<A>(&context.tenant, target.id());
        let Loaded { state, version } = match target {
            Target::New(_) => Loaded::default(),
            Target::Existing(_) => self.load_stream::<A>(&stream).await?,
        };
        if let Some(expected) = context.expected_version
            && expected != version
            && version > 0
        {
            let refusal = Refusal::StaleVersion { expected, actual: version };
            return Ok(Err(Refused { refusal, from_memory: false }));
        }
        let as_of = (lessons.fresh, self.clock.now());
        let mut prepared = self.prepare(&context.tenant, &state, &command, as_of).await?;
        if !prepared.queries.is_empty() {
            let (pool, now) = (self.log.lookers(), prepared.facts.now);
            let busy = busy::look(pool, &context.tenant, &prepared.queries, target.id(), now).await;
            prepared.facts.claims =
                busy.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
            prepared.facts.skip = pass_over(lessons.lost);
        }
        let from_memory = !lessons.fresh && prepared.needs != Needs::default();
        let settled = settle(&context.tenant, stream, (state, version), command, prepared).await;
        Ok(settled.map_err(|refusal| Refused { refusal, from_memory }))
    }

    /// Looks up what a decision at `now` looks at, but for what is claimed.
    async fn prepare<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        state: &A,
        command: &A::Command,
        (fresh, now): (bool, DateTime<Utc>),
    ) -> Result<Prepared, ExecuteError> {
        let needs = state.needs(command);
        let (mut facts, read_set) = self.look_up(tenant, &needs, fresh).await?;
        facts.now = now;
        let chooses = state.chooses(command, &facts);
        if chooses {
            (facts.directory, _) = self.directories.of(&self.log, tenant, fresh).await?;
        }
        let queries = state.claim_queries(command, &facts);
        Ok(Prepared { needs, facts, read_set, chooses, queries })
    }

    /// The facts, and the versions they were read at.
    async fn look_up(
        &self,
        tenant: &TenantId,
        needs: &Needs,
        fresh: bool,
    ) -> Result<(Facts, Vec<(StreamId, u64)>), ExecuteError> {
        let mut read_set = Vec::with_capacity(needs.resources.len() + 2);
        let mut facts = Facts::at(self.clock.now());
        if let Some(id) = needs.service {
            facts.service = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
        }
        for id in &needs.resources {
            let resource = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
            facts.resources.push((*id, resource));
        }
        if let Some(id) = needs.client {
            facts.client = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
        }
        if let Some(id) = needs.session {
            facts.session = self.fact(tenant, id.uuid(), fresh, &mut read_set).await?;
        }
        Ok((facts, read_set))
    }

    async fn fact<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        fresh: bool,
        read_set: &mut Vec<(StreamId, u64)>,
    ) -> Result<Arc<A>, ExecuteError> {
        let stream = StreamId::of::<A>(tenant, id);
        let load = self.load_stream::<A>(&stream);
        let fact = if fresh {
            self.facts.renew(&stream, load).await?
        } else {
            self.facts.get(&stream, load).await?
        };
        read_set.push((stream, fact.version));
        Ok(fact.state)
    }

    async fn append<A: PersistedAggregate>(
        &self,
        context: &CommandContext,
        attempt: Attempt<A>,
    ) -> Result<Appended<A>, ExecuteError> {
        let Attempt { state, events, read_set, stream, version, facts, if_taken } = attempt;
        let id = stream.uuid();
        let claims = Claims::after(&events);
        let claims = claims.map(|claims| (id.into(), claims)).into_iter().collect();
        let metadata = context.metadata()?;
        let events = events.iter().map(|event| serialise(event, &metadata));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        let append = Append { stream, after: version, events };
        let version = append.version();
        let submission = Submission {
            tenant: context.tenant.clone(),
            key: context.key.clone(),
            decided_at: facts.now,
            decision: Decision::Accept { read_set, appends: vec![append], claims, if_taken },
        };
        match self.log.append(submission).await? {
            Verdict::Appended(position) => {
                if A::TYPE == Resource::TYPE {
                    self.directories.out_of_date(&context.tenant).await;
                }
                Ok(Appended::Done(Executed { id, version, position, state }))
            }
            Verdict::Stale(streams) => {
                self.facts.forget_all(&streams).await;
                Ok(Appended::Stale)
            }
            Verdict::SlotTaken(_) if if_taken == IfTaken::DecidedAgain => Ok(Appended::Taken),
            Verdict::SlotTaken(conflict) => Err(outcome::slot_taken(conflict)),
            verdict => self.earlier_answer(context, verdict).await.map(Appended::Done),
        }
    }

    /// Keeps a refusal as the answer to the command's key, or gives the answer it has already.
    async fn refuse<A: PersistedAggregate>(
        &self,
        context: &CommandContext,
        refusal: Refusal,
    ) -> Result<Executed<A>, ExecuteError> {
        let Some(key) = &context.key else { return Err(ExecuteError::Refused(refusal)) };
        let submission = Submission {
            tenant: context.tenant.clone(),
            key: Some(CommandKey::clone(key)),
            decided_at: self.clock.now(),
            decision: Decision::Refuse(refusal.clone()),
        };
        match self.log.append(submission).await? {
            Verdict::RefusalKept => Err(ExecuteError::Refused(refusal)),
            verdict => self.earlier_answer(context, verdict).await,
        }
    }

    async fn earlier_answer<A: PersistedAggregate>(
        &self,
        context: &CommandContext,
        verdict: Verdict,
    ) -> Result<Executed<A>, ExecuteError> {
        match verdict {
            Verdict::Answered(FirstAnswer::Refused(refusal)) => Err(ExecuteError::Refused(refusal)),
            Verdict::Answered(FirstAnswer::Accepted { id, version, position }) => {
                let stream = StreamId::of::<A>(&context.tenant, id);
                let Loaded { state, .. } = self.repository.load_at(&stream, version).await?;
                Ok(Executed { id, version, position, state })
            }
            Verdict::KeyReused => Err(ExecuteError::KeyReused),
            other => Err(ExecuteError::Unreadable(format!("an unexpected verdict: {other:?}"))),
        }
    }

    async fn load_stream<A: PersistedAggregate>(
        &self,
        stream: &StreamId,
    ) -> Result<Loaded<A>, ExecuteError> {
        self.repository.load(stream).await
    }
}

/// Decides a command when all that it looks at is there.
async fn settle<A: PersistedAggregate>(
    tenant: &TenantId,
    stream: StreamId,
    (mut state, version): (A, u64),
    command: A::Command,
    prepared: Prepared,
) -> Result<Attempt<A>, Refusal> {
    let Prepared { needs: _, facts, mut read_set, chooses, queries } = prepared;
    let settled = state.conflict_is_final(&command, &queries);
    let if_taken = if settled { IfTaken::Refused } else { IfTaken::DecidedAgain };
    let sink = EventSink::default();
    state.handle(command, &facts, &sink).await.map_err(Into::into)?;
    let events = sink.collect().await;
    if chooses {
        let claims = Claims::after(&events).unwrap_or_default();
        read_set.extend(chosen(tenant, &facts, &claims));
    }
    Ok(Attempt { state, events, read_set, stream, version, facts, if_taken })
}

/// The second try is at once; from the third on, those who race are spread out.
async fn pause_before(attempt: u32) {
    if attempt > 1 {
        let jitter_ms = rand::random_range(1..=5 * u64::from(attempt));
        tokio::time::sleep(Duration::from_millis(jitter_ms)).await;
    }
}

/// How many free choices one passes over who has lost so many races.
fn pass_over(lost: u32) -> usize {
    if lost == 0 { 0 } else { rand::random_range(0..SPREAD.saturating_pow(lost)) }
}

/// The resources that were chosen, at the versions at which they were known.
fn chosen(
    tenant: &TenantId,
    facts: &Facts,
    claims: &[Claim],
) -> impl Iterator<Item = (StreamId, u64)> {
    let named = |id| facts.resources.iter().any(|(named, _)| *named == id);
    let others = claims.iter().map(|claim| claim.resource).filter(move |id| !named(*id));
    others.filter_map(|id| {
        let version = facts.directory.version(id)?;
        Some((StreamId::of::<Resource>(tenant, id.uuid()), version))
    })
}

enum Appended<A> {
    Done(Executed<A>),
    Stale,
    /// Another has what was chosen.
    Taken,
}

fn serialise<E: DomainEvent>(event: &E, metadata: &str) -> Result<NewEvent, ExecuteError> {
    let event = NewEvent::of(event).map_err(|error| ExecuteError::Unreadable(error.to_string()))?;
    Ok(NewEvent { metadata: metadata.to_owned(), ..event })
}
