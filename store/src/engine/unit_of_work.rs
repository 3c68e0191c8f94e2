//! Units of work: what is decided together, one command or many, is one submission. All of it happens,
//! or nothing.
//!
//! Here is the only loop that decides again, the only place that appends what was decided, and the only
//! one that makes something of the log's verdict.

use std::any::type_name;
use std::collections::HashSet;
use std::marker::PhantomData;
use std::time::Duration;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::Refusal;
use daybook_domain::claim::{Claim, ClaimConflict};
use daybook_domain::resource::Resource;
use metrics::counter;
use uuid::Uuid;

use super::decision::Decided;
use super::refusals::note_answer;
use super::repository::Loaded;
use super::unit_context::UnitContext;
use super::{CommandContext, Engine, ExecuteError, Executed};
use crate::log::{
    Append, Decision, FirstAnswer, OnConflict, PersistedAggregate, Position, StreamId, Submission,
    Verdict,
};
use crate::metrics::DECISION_RETRIES;

/// How often a decision is taken again because what it rests on had changed.
const MAX_ATTEMPTS: u32 = 12;

/// What is decided together, of aggregates of any type.
pub trait UnitOfWork: Sync {
    /// What the command is addressed to. Its state is the answer, also when the command is sent again.
    type Root: PersistedAggregate;

    /// Decides all of it, anew at each attempt; the root among it, whose events come first in the log:
    /// if it claims anything, it is decided first.
    fn decide(&self, unit: &mut UnitContext<'_>) -> impl Future<Output = Result<(), Abort>> + Send;

    /// What whoever reads the program's log knows it by.
    fn name(&self) -> String {
        let name = type_name::<Self>();
        let name = name.split_once('<').map_or(name, |(name, _)| name);
        name.rsplit_once("::").map_or(name, |(_, name)| name).to_owned()
    }
}

/// Why nothing of it happens.
#[derive(Debug)]
pub enum Abort {
    /// A rule refuses it.
    Refused(Refusal),
    /// What it rests on has changed meanwhile: it is decided again.
    Outdated,
    /// It could not be decided.
    Failed(ExecuteError),
}

impl From<Refusal> for Abort {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ExecuteError> for Abort {
    fn from(error: ExecuteError) -> Self {
        Self::Failed(error)
    }
}

/// What the attempts before have taught.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RetryState {
    /// What is in memory was out of date.
    pub(super) fresh: bool,
    /// So often, what was chosen was taken by another.
    pub(super) conflicts: u32,
}

/// How it is answered what became of a unit of work.
pub(super) trait Answer: Sync {
    type Output: Send;

    /// All of it is in the log, up to this position; `None`: it would be.
    fn appended(
        &self,
        decided: Vec<Decided>,
        last: Option<Position>,
    ) -> Result<Self::Output, ExecuteError>;

    /// It was in the log before, when its key was first seen.
    fn first(
        &self,
        engine: &Engine,
        context: &CommandContext,
        accepted: Accepted,
    ) -> impl Future<Output = Result<Self::Output, ExecuteError>> + Send;

    /// What a conflict means, as far as the log can know it.
    fn on_conflict(&self, decided: &[Decided]) -> OnConflict {
        match decided {
            [one] => one.on_conflict,
            _ => OnConflict::Retry,
        }
    }

    /// The refusal of the whole, where the one with this index is refused.
    fn refused(&self, index: usize, refusal: Refusal) -> Refusal {
        let _ = index;
        refusal
    }
}

/// What a key was answered with when it was first seen.
pub(super) struct Accepted {
    id: Uuid,
    version: u64,
    pub(super) position: Position,
}

/// The answer is the root, as the unit left it.
pub(super) struct RootAnswer<A>(PhantomData<fn() -> A>);

impl<A> Default for RootAnswer<A> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<A: PersistedAggregate> Answer for RootAnswer<A> {
    type Output = Executed<A>;

    fn appended(
        &self,
        decided: Vec<Decided>,
        position: Option<Position>,
    ) -> Result<Executed<A>, ExecuteError> {
        let root = decided.into_iter().next().and_then(Decided::into_state);
        let (id, version, state) = root.ok_or_else(nothing_decided::<A>)?;
        Ok(Executed { id, version, position, state })
    }

    async fn first(
        &self,
        engine: &Engine,
        context: &CommandContext,
        Accepted { id, version, position }: Accepted,
    ) -> Result<Executed<A>, ExecuteError> {
        let stream = StreamId::of::<A>(&context.tenant, id);
        let Loaded { state, .. } = engine.repository.load_at(&stream, version).await?;
        if !context.sees(id, &state) {
            // Whoever's key it is, it is not theirs.
            return Err(ExecuteError::KeyReused);
        }
        Ok(Executed { id, version, position: Some(position), state })
    }
}

/// What became of a submission.
pub(super) enum Submitted<T> {
    Done(T),
    /// What was read has changed.
    Stale,
    /// Another has what was chosen.
    Conflict,
    /// Another has what was asked for.
    Refused(Refusal),
}

impl Engine {
    /// Decides several commands and appends what they lead to as one submission, all or nothing.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    pub async fn execute_unit<W: UnitOfWork>(
        &self,
        context: &CommandContext,
        root: Uuid,
        work: &W,
    ) -> Result<Executed<W::Root>, ExecuteError> {
        self.run(context, root, work, &RootAnswer::default()).await
    }

    #[tracing::instrument(
        level = "debug", name = "execute", skip_all,
        fields(
            tenant = %context.tenant, aggregate = W::Root::TYPE, aggregate_id = %root,
            command = work.name(),
        )
    )]
    pub(super) async fn run<W: UnitOfWork, R: Answer>(
        &self,
        context: &CommandContext,
        root: Uuid,
        work: &W,
        answer: &R,
    ) -> Result<R::Output, ExecuteError> {
        let outcome = self.try_until_decided(context, root, work, answer).await;
        if let Err(ExecuteError::Refused(refusal)) = &outcome
            && !context.dry_run
        {
            self.report_refusal(context, (W::Root::TYPE, root), work.name(), refusal);
        }
        outcome
    }

    async fn try_until_decided<W: UnitOfWork, R: Answer>(
        &self,
        context: &CommandContext,
        root: Uuid,
        work: &W,
        answer: &R,
    ) -> Result<R::Output, ExecuteError> {
        let mut retry = RetryState::default();
        let stream = StreamId::of::<W::Root>(&context.tenant, root);
        let mut turn = None;
        for attempt in 0..MAX_ATTEMPTS {
            // Whoever has lost to others waits its turn, and whoever comes then does, too: else of many
            // who change one thing, those who came first would be refused in the end.
            if turn.is_none() && (retry.fresh || self.turns.are_taken(&stream)) {
                turn = Some(self.turns.take(&stream).await);
            }
            pause_before(attempt).await;
            let mut unit = UnitContext::new(self, context, root, retry);
            let submitted = match work.decide(&mut unit).await {
                Err(Abort::Failed(error)) => return Err(error),
                // A refusal is final only if what it rests on is up to date. What is left out for a
                // refusal would be left out for good.
                _ if unit.refused_from_memory => Submitted::Stale,
                Err(Abort::Outdated) => Submitted::Conflict,
                _ if unit.lost => Submitted::Conflict,
                Err(Abort::Refused(refusal)) => Submitted::Refused(refusal),
                Ok(()) => {
                    let (decided_at, mut decided) = unit.into_decided();
                    // The log answers with the first.
                    decided.sort_by_key(|one| one.id() != root);
                    if decided.first().is_none_or(|first| first.id() != root) {
                        return Err(nothing_decided::<W::Root>());
                    }
                    if decided.iter().all(|one| one.events.is_empty()) {
                        return self.keep_as_it_is(context, decided, answer).await;
                    }
                    self.submit(context, decided_at, decided, answer).await?
                }
            };
            match submitted {
                Submitted::Done(output) => return Ok(output),
                Submitted::Stale => {
                    counter!(DECISION_RETRIES, "reason" => "stale").increment(1);
                    retry.fresh = true;
                }
                Submitted::Conflict => {
                    counter!(DECISION_RETRIES, "reason" => "conflict").increment(1);
                    retry.conflicts += 1;
                }
                Submitted::Refused(refusal) => {
                    return self.keep_refusal(context, refusal, answer).await;
                }
            }
        }
        Err(ExecuteError::Contended)
    }

    /// Appends what was decided; in a dry run, only sees whether it could be.
    #[tracing::instrument(level = "debug", name = "append", skip_all)]
    pub(super) async fn submit<R: Answer>(
        &self,
        context: &CommandContext,
        decided_at: DateTime<Utc>,
        mut decided: Vec<Decided>,
        answer: &R,
    ) -> Result<Submitted<R::Output>, ExecuteError> {
        let on_conflict = answer.on_conflict(&decided);
        let key = self.kept_key(context).await?;
        let metadata = context.metadata(key.as_ref())?;
        let submission = Submission {
            tenant: context.tenant.clone(),
            key,
            decided_at,
            decision: accept(&mut decided, &metadata, on_conflict),
        };
        let verdict = if context.dry_run {
            self.log.dry_run(&submission).await?
        } else {
            self.log.append(submission).await?
        };
        match verdict {
            Verdict::Appended(_) if context.dry_run => {
                answer.appended(decided, None).map(Submitted::Done)
            }
            Verdict::Appended(last) => {
                note_answer(false);
                if decided.iter().any(|one| one.stream.kind() == Resource::TYPE) {
                    self.directories.out_of_date(&context.tenant).await;
                }
                answer.appended(decided, Some(last)).map(Submitted::Done)
            }
            Verdict::Stale(streams) => {
                self.facts.forget_all(&streams);
                Ok(Submitted::Stale)
            }
            Verdict::SlotTaken(conflict) => {
                let refusal = Refusal::from(conflict);
                match (on_conflict, refused_by(&decided, &conflict)) {
                    // The log has kept it as the answer to the key.
                    (OnConflict::Refuse, _) => {
                        note_answer(false);
                        Err(ExecuteError::Refused(refusal))
                    }
                    (OnConflict::Retry, Some(index)) => {
                        Ok(Submitted::Refused(answer.refused(index, refusal)))
                    }
                    (OnConflict::Retry, None) => Ok(Submitted::Conflict),
                }
            }
            verdict => self.first_answer(context, verdict, answer).await.map(Submitted::Done),
        }
    }

    /// Keeps a refusal as the answer to the command's key, or gives the answer it has already.
    async fn keep_refusal<R: Answer>(
        &self,
        context: &CommandContext,
        refusal: Refusal,
        answer: &R,
    ) -> Result<R::Output, ExecuteError> {
        if context.key.is_none() || context.dry_run {
            return Err(ExecuteError::Refused(refusal));
        }
        let submission = self.answered(context, FirstAnswer::Refused(refusal.clone())).await?;
        // That is about the version which this request has named, and not about the command: whoever looks again,
        // and names the present one, sends the same command.
        let verdict = if matches!(refusal, Refusal::StaleVersion { .. }) {
            self.log.dry_run(&submission).await?
        } else {
            self.log.append(submission).await?
        };
        match verdict {
            Verdict::AnswerKept => {
                note_answer(false);
                Err(ExecuteError::Refused(refusal))
            }
            verdict => self.first_answer(context, verdict, answer).await,
        }
    }

    /// Nothing happens, for all is as it was asked for: that is the answer, and it is kept as the one to the command's
    /// key. What the stream has become since it was read is of no account: it was so then.
    async fn keep_as_it_is<R: Answer>(
        &self,
        context: &CommandContext,
        decided: Vec<Decided>,
        answer: &R,
    ) -> Result<R::Output, ExecuteError> {
        let first = decided.first().filter(|_| !context.dry_run);
        let Some((id, stream, version)) = first.map(|it| (it.id(), &it.stream, it.version)) else {
            return answer.appended(decided, None);
        };
        let position = self.position_of(context, stream, version).await?;
        if context.key.is_some() {
            let kept = FirstAnswer::Accepted { id, version, position };
            let verdict = self.log.append(self.answered(context, kept).await?).await?;
            if verdict != Verdict::AnswerKept {
                return self.first_answer(context, verdict, answer).await;
            }
        }
        note_answer(false);
        answer.appended(decided, Some(position))
    }

    /// An answer to keep with the command's key.
    async fn answered(
        &self,
        context: &CommandContext,
        answer: FirstAnswer,
    ) -> Result<Submission, ExecuteError> {
        Ok(Submission {
            tenant: context.tenant.clone(),
            key: self.kept_key(context).await?,
            decided_at: self.clock.now(),
            decision: Decision::Answer(answer),
        })
    }

    /// Where the event is that made this version of a stream.
    async fn position_of(
        &self,
        context: &CommandContext,
        stream: &StreamId,
        version: u64,
    ) -> Result<Position, ExecuteError> {
        let range = (version.saturating_sub(1), None);
        let read = self.log.read_stream(&context.tenant, stream, range, 1).await;
        let read = read.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
        let event = read.first().filter(|event| event.sequence == version);
        let none = || ExecuteError::Unreadable(format!("no event makes version {version}"));
        event.map(|event| event.position).ok_or_else(none)
    }

    async fn first_answer<R: Answer>(
        &self,
        context: &CommandContext,
        verdict: Verdict,
        answer: &R,
    ) -> Result<R::Output, ExecuteError> {
        if matches!(verdict, Verdict::Answered(_)) {
            note_answer(true);
        }
        match verdict {
            Verdict::Answered(FirstAnswer::Refused(refusal)) => Err(ExecuteError::Refused(refusal)),
            Verdict::Answered(FirstAnswer::Accepted { id, version, position }) => {
                answer.first(self, context, Accepted { id, version, position }).await
            }
            Verdict::KeyReused => Err(ExecuteError::KeyReused),
            Verdict::KeyOfAnother => Err(ExecuteError::KeyOfAnother),
            other => Err(ExecuteError::Unreadable(format!("an unexpected verdict: {other:?}"))),
        }
    }
}

/// What the log is told; of what was decided, all is left that an answer needs.
fn accept(decided: &mut [Decided], metadata: &str, on_conflict: OnConflict) -> Decision {
    let mut read_set = Vec::new();
    let (mut appends, mut claims) =
        (Vec::with_capacity(decided.len()), Vec::with_capacity(decided.len()));
    for one in &mut *decided {
        read_set.append(&mut one.read_set);
        claims.extend(one.held.iter().cloned());
        let mut events = std::mem::take(&mut one.events);
        for event in &mut events {
            metadata.clone_into(&mut event.metadata);
        }
        appends.push(Append { stream: one.stream.clone(), after: one.after, events });
    }
    if let [_, _, ..] = decided {
        // What is appended to is checked by itself.
        let own: HashSet<&StreamId> = decided.iter().map(|one| &one.stream).collect();
        let mut seen = HashSet::new();
        read_set.retain(|read| !own.contains(&read.0) && seen.insert(read.clone()));
    }
    Decision::Accept { read_set, appends, claims, on_conflict }
}

/// The first that wanted what another has, unless it had a choice: then all is decided again. A reference is never chosen.
fn refused_by(decided: &[Decided], conflict: &ClaimConflict) -> Option<usize> {
    let wants = |claim: &Claim| {
        claim.resource == conflict.resource && claim.during.overlaps(&conflict.during)
    };
    let claims = |one: &Decided| one.held.iter().any(|(_, claims)| claims.iter().any(wants));
    let first = decided.iter().position(claims)?;
    let is_final =
        decided[first].on_conflict == OnConflict::Refuse || conflict.reference_of.is_some();
    is_final.then_some(first)
}

fn nothing_decided<A: PersistedAggregate>() -> ExecuteError {
    ExecuteError::Unreadable(format!("nothing was decided of the root, a {}", A::TYPE))
}

/// The second try is at once; from the third on, those who race are spread out.
async fn pause_before(attempt: u32) {
    if attempt > 1 {
        let jitter_ms = rand::random_range(1..=5 * u64::from(attempt));
        tokio::time::sleep(Duration::from_millis(jitter_ms)).await;
    }
}
