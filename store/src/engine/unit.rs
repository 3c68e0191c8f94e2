//! Several commands as one submission: all of them happen, or none.
//!
//! Each is decided as if those before it had happened, and so the log has it at each position: nobody
//! has anything twice, not even within one submission. So two cannot change places, and where many
//! move by a little, whoever is in the way of the others goes first.

use std::any::Any;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::AppointmentRefusal;
use daybook_domain::claim::{Claim, ClaimQuery, ClaimSnapshot, Claims};
use daybook_domain::{AppointmentId, Needs, Refusal, TenantId};
use uuid::Uuid;

use super::repository::Loaded;
use super::{
    CommandContext, Engine, ExecuteError, Executed, Lessons, MAX_ATTEMPTS, PersistedAggregate,
    Target, busy, pass_over, pause_before, serialise, settle,
};
use crate::log::{Append, Decision, IfTaken, NewEvent, StreamId, Submission, Verdict};

/// What is decided together, of aggregates of any type.
pub trait Together: Sync {
    /// What the command is addressed to. Its state is the answer, also when the command is sent again.
    type Principal: PersistedAggregate;

    /// Decides all of it, anew at each attempt; the principal among it, whose events come first in the
    /// log: if it claims anything, it is decided first.
    fn decide(&self, unit: &mut Unit<'_>) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// Why nothing of it happens.
#[derive(Debug)]
pub enum Stop {
    /// A rule refuses it.
    Refused(Refusal),
    /// What it rests on has changed meanwhile: it is decided again.
    Outdated,
    /// It could not be decided.
    Failed(ExecuteError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ExecuteError> for Stop {
    fn from(error: ExecuteError) -> Self {
        Self::Failed(error)
    }
}

/// What has been decided so far, each as if those before it had happened.
pub struct Unit<'a> {
    engine: &'a Engine,
    context: &'a CommandContext,
    metadata: String,
    principal: Uuid,
    now: DateTime<Utc>,
    lessons: Lessons,
    /// In the order in which they were first decided.
    decided: Vec<Decided>,
    read_set: HashSet<(StreamId, u64)>,
    /// Which facts have been read anew for this attempt.
    renewed: HashSet<Uuid>,
    /// Whether a refusal rests on facts that may be out of date.
    refused_from_memory: bool,
    /// Whether what was chosen was taken before it could be looked at again.
    lost: bool,
}

/// An aggregate, as the unit leaves it.
struct Decided {
    stream: StreamId,
    state: Box<dyn Any + Send + Sync>,
    after: u64,
    events: Vec<NewEvent>,
    /// `None`: as before the unit.
    claims: Option<Vec<Claim>>,
}

impl Decided {
    fn holder(&self) -> AppointmentId {
        self.stream.uuid().into()
    }

    fn version(&self) -> u64 {
        self.after + self.events.len() as u64
    }
}

enum Appended<A> {
    Done(Executed<A>),
    Stale,
    Taken,
}

impl Engine {
    /// Decides several commands and appends what they lead to as one submission, all or nothing.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    pub async fn execute_together<T: Together>(
        &self,
        context: &CommandContext,
        principal: Uuid,
        work: &T,
    ) -> Result<Executed<T::Principal>, ExecuteError> {
        let mut lessons = Lessons::default();
        for attempt in 0..MAX_ATTEMPTS {
            pause_before(attempt).await;
            let mut unit = Unit::new(self, context, principal, lessons)?;
            match work.decide(&mut unit).await {
                Err(Stop::Failed(error)) => return Err(error),
                // What is left out for a refusal would be left out for good.
                _ if unit.refused_from_memory => {
                    lessons.fresh = true;
                    continue;
                }
                Err(Stop::Outdated) => {
                    lessons.lost += 1;
                    continue;
                }
                _ if unit.lost => {
                    lessons.lost += 1;
                    continue;
                }
                Err(Stop::Refused(refusal)) => return self.refuse(context, refusal).await,
                Ok(()) => {}
            }
            match unit.append::<T::Principal>().await? {
                Appended::Done(executed) => return Ok(executed),
                Appended::Stale => lessons.fresh = true,
                Appended::Taken => lessons.lost += 1,
            }
        }
        Err(ExecuteError::Contended)
    }
}

impl<'a> Unit<'a> {
    fn new(
        engine: &'a Engine,
        context: &'a CommandContext,
        principal: Uuid,
        lessons: Lessons,
    ) -> Result<Self, ExecuteError> {
        Ok(Self {
            engine,
            context,
            metadata: context.metadata()?,
            principal,
            now: engine.clock.now(),
            lessons,
            decided: Vec::new(),
            read_set: HashSet::new(),
            renewed: HashSet::new(),
            refused_from_memory: false,
            lost: false,
        })
    }

    /// When all of it is decided.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// An aggregate as the unit leaves it so far; `None`: there is no such aggregate.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn load<A>(&mut self, id: Uuid) -> Result<Option<(A, u64)>, ExecuteError>
    where
        A: PersistedAggregate,
    {
        let stream = StreamId::of::<A>(self.tenant(), id);
        let Loaded { state, version } = self.present(&stream).await?;
        Ok((version > 0).then_some((state, version)))
    }

    /// What is claimed, with what the unit claims so far.
    ///
    /// # Errors
    /// When the claims cannot be read.
    pub async fn look(&self, queries: &[ClaimQuery]) -> Result<ClaimSnapshot, ExecuteError> {
        self.look_beside(queries, Uuid::nil()).await
    }

    /// Decides one command. Of what is refused nothing is kept, and the unit can go on without it.
    ///
    /// # Errors
    /// When it cannot be decided; within: when it is refused.
    pub async fn decide<A>(
        &mut self,
        target: Target,
        command: A::Command,
    ) -> Result<Result<A, Refusal>, ExecuteError>
    where
        A: PersistedAggregate,
    {
        let id = target.id();
        let stream = StreamId::of::<A>(self.tenant(), id);
        // Whoever lost a race once reads the stream, whatever is known of it.
        let is_new = matches!(target, Target::New(_)) && self.lessons == Lessons::default();
        let Loaded { state, version } =
            if is_new { Loaded::default() } else { self.present::<A>(&stream).await? };
        if let Some(refusal) = self.stale(id, version) {
            return Ok(Err(refusal));
        }
        let needs = state.needs(&command);
        let fresh = self.lessons.fresh && self.renews(&needs);
        let as_of = (fresh, self.now);
        let mut prepared = self.engine.prepare(self.tenant(), &state, &command, as_of).await?;
        if !prepared.queries.is_empty() {
            prepared.facts.claims = self.look_beside(&prepared.queries, id).await?;
            prepared.facts.skip = pass_over(self.lessons.lost);
        }
        let settled =
            settle(self.tenant(), stream.clone(), (state, version), command, prepared).await;
        let attempt = match settled {
            Ok(attempt) => attempt,
            Err(refusal) => {
                self.refused_from_memory |= !self.lessons.fresh && needs != Needs::default();
                return Ok(Err(refusal));
            }
        };
        let claims = Claims::after(&attempt.events);
        if let Some(refusal) = self.taken(id, claims.as_deref().unwrap_or_default()).await? {
            self.lost |= attempt.if_taken == IfTaken::DecidedAgain;
            return Ok(Err(refusal));
        }
        let events = attempt.events.iter().map(|event| serialise(event, &self.metadata));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        self.read_set.extend(attempt.read_set);
        let state = Box::new(attempt.state.clone());
        match self.decided.iter_mut().find(|decided| decided.stream == stream) {
            Some(decided) => {
                decided.state = state;
                decided.events.extend(events);
                decided.claims = claims.or(decided.claims.take());
            }
            None => {
                self.decided.push(Decided { stream, state, after: version, events, claims });
            }
        }
        Ok(Ok(attempt.state))
    }

    fn tenant(&self) -> &'a TenantId {
        &self.context.tenant
    }

    async fn present<A>(&self, stream: &StreamId) -> Result<Loaded<A>, ExecuteError>
    where
        A: PersistedAggregate,
    {
        let decided = self.decided.iter().find(|decided| decided.stream == *stream);
        let known = decided.and_then(|decided| {
            let state = decided.state.downcast_ref::<A>()?.clone();
            Some(Loaded { state, version: decided.version() })
        });
        match known {
            Some(loaded) => Ok(loaded),
            None => self.engine.load_stream(stream).await,
        }
    }

    /// Whether the principal is not at the version that the caller saw.
    fn stale(&self, id: Uuid, actual: u64) -> Option<Refusal> {
        let is_first = id == self.principal && self.decided_of(id).is_none();
        let expected = self.context.expected_version.filter(|_| is_first && actual > 0)?;
        (expected != actual).then_some(Refusal::StaleVersion { expected, actual })
    }

    fn decided_of(&self, id: Uuid) -> Option<&Decided> {
        self.decided.iter().find(|decided| decided.stream.uuid() == id)
    }

    /// Whether something of this has not been read anew yet; from now on it has.
    fn renews(&mut self, needs: &Needs) -> bool {
        let before = self.renewed.len();
        self.renewed.extend(needs.ids());
        self.renewed.len() > before
    }

    async fn look_beside(
        &self,
        queries: &[ClaimQuery],
        own: Uuid,
    ) -> Result<ClaimSnapshot, ExecuteError> {
        let mut busy = busy::look(self.engine.log.lookers(), self.tenant(), queries, own, self.now)
            .await
            .map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
        busy.retain(|holder| {
            let decided = self.decided_of(holder.uuid());
            decided.is_none_or(|decided| decided.claims.is_none())
        });
        for decided in self.decided.iter().filter(|decided| decided.stream.uuid() != own) {
            busy.add(decided.holder(), decided.claims.as_deref().unwrap_or_default());
        }
        Ok(busy)
    }

    /// The refusal, if one of these claims cannot be had.
    async fn taken(&self, id: Uuid, claims: &[Claim]) -> Result<Option<Refusal>, ExecuteError> {
        if claims.is_empty() {
            return Ok(None);
        }
        let look = |claim: &Claim| ClaimQuery { resource: claim.resource, during: claim.during };
        let queries: Vec<ClaimQuery> = claims.iter().map(look).collect();
        let busy = self.look_beside(&queries, id).await?;
        let conflict = claims.iter().find_map(|claim| busy.conflict_with(claim));
        Ok(conflict.map(|conflict| AppointmentRefusal::from(conflict).into()))
    }

    async fn append<P>(self) -> Result<Appended<P>, ExecuteError>
    where
        P: PersistedAggregate,
    {
        let Self { engine, context, principal, now, mut decided, mut read_set, .. } = self;
        // The log answers with the first.
        decided.sort_by_key(|decided| decided.stream.uuid() != principal);
        let answer = decided.first().filter(|first| first.stream.uuid() == principal);
        let answer = answer
            .and_then(|first| Some((first.state.downcast_ref::<P>()?.clone(), first.version())));
        let Some((state, version)) = answer else {
            let why = format!(
                "nothing was decided of {}",
                StreamId::of::<P>(&context.tenant, principal).id()
            );
            return Err(ExecuteError::Unreadable(why));
        };
        let claims = decided.iter().filter_map(|one| Some((one.holder(), one.claims.clone()?)));
        let claims = claims.collect();
        let appends: Vec<Append> = decided
            .into_iter()
            .map(|Decided { stream, after, events, .. }| Append { stream, after, events })
            .collect();
        // What is appended to is checked by itself.
        read_set.retain(|(read, _)| !appends.iter().any(|append| append.stream == *read));
        let submission = Submission {
            tenant: context.tenant.clone(),
            key: context.key.clone(),
            decided_at: now,
            decision: Decision::Accept {
                read_set: read_set.into_iter().collect(),
                appends,
                claims,
                // All were looked at: whoever is in the way now came meanwhile.
                if_taken: IfTaken::DecidedAgain,
            },
        };
        match engine.log.append(submission).await? {
            Verdict::Appended(position) => {
                Ok(Appended::Done(Executed { id: principal, version, position, state }))
            }
            Verdict::Stale(streams) => {
                engine.facts.forget_all(&streams).await;
                Ok(Appended::Stale)
            }
            Verdict::SlotTaken(_) => Ok(Appended::Taken),
            verdict => engine.earlier_answer(context, verdict).await.map(Appended::Done),
        }
    }
}
