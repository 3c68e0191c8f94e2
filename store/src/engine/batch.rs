//! Many bookings in one request: all of them or none.

use std::collections::HashSet;

use daybook_domain::appointment::{Appointment, AppointmentCommand, AppointmentRefusal};
use daybook_domain::claim::{Claim, ClaimConflict, ClaimIndex, ClaimSnapshot, Claims};
use daybook_domain::{AppointmentId, Decide as _, Needs, Refusal, TenantId};
use uuid::Uuid;

use super::{
    Attempt, CommandContext, Engine, ExecuteError, Executed, Lessons, MAX_ATTEMPTS, Prepared, busy,
    pass_over, pause_before, serialise, settle,
};
use crate::log::{
    AnyEvent, Append, Decision, FirstAnswer, IfTaken, Position, StreamId, Submission, Verdict,
};

/// Where so many looks are to be taken, they are taken before more bookings are prepared: a service
/// may have a thousand candidates for a role.
const LOOKS_AT_ONCE: usize = 20_000;

/// The largest batch.
pub const MAX_BATCH: usize = 500;

/// What one attempt decided for all of a batch.
#[derive(Default)]
pub(super) struct Together {
    pub(super) attempts: Vec<Attempt<Appointment>>,
    /// What each of them claims, in the same order.
    claims: Vec<(AppointmentId, Vec<Claim>)>,
    /// The same, to see who is in the way of whom.
    book: ClaimIndex,
    /// Which facts have been read anew for this attempt.
    renewed: HashSet<Uuid>,
}

enum Appended {
    Done(Vec<Executed<Appointment>>),
    Stale,
    /// Another has what was chosen.
    Taken,
    /// Another has what the first of these asked for.
    Refused(Refusal),
}

impl Engine {
    /// Books all of these new appointments, or none: one submission to the log. Each is decided as
    /// if those before it were booked already.
    ///
    /// # Errors
    /// [`Refusal::InBatch`], when one is refused; or when nothing can be decided or appended at
    /// present.
    pub async fn book_all(
        &self,
        context: &CommandContext,
        commands: &[AppointmentCommand],
    ) -> Result<Vec<Executed<Appointment>>, ExecuteError> {
        let ids: Vec<Uuid> = commands.iter().map(|_| Uuid::now_v7()).collect();
        let mut lessons = Lessons::default();
        for attempt in 0..MAX_ATTEMPTS {
            pause_before(attempt).await;
            let (together, refused) =
                self.decide_in_order(&context.tenant, &ids, commands, lessons).await?;
            if let Some(refusal) = refused {
                // A refusal is final only if what it rests on is up to date.
                if !lessons.fresh {
                    lessons.fresh = true;
                    continue;
                }
                let refusal = in_batch(together.attempts.len(), refusal);
                return self.refuse_all(context, refusal, ids.len()).await;
            }
            match self.append_all(context, together).await? {
                Appended::Done(executed) => return Ok(executed),
                Appended::Stale => lessons.fresh = true,
                Appended::Taken => lessons.lost += 1,
                Appended::Refused(refusal) => {
                    return self.refuse_all(context, refusal, ids.len()).await;
                }
            }
        }
        Err(ExecuteError::Contended)
    }

    /// Decides one after the other, each as if those before it were booked, up to the first that is
    /// refused.
    pub(super) async fn decide_in_order(
        &self,
        tenant: &TenantId,
        ids: &[Uuid],
        commands: &[AppointmentCommand],
        lessons: Lessons,
    ) -> Result<(Together, Option<Refusal>), ExecuteError> {
        let now = self.clock.now();
        let mut together = Together::default();
        let mut waiting = commands.iter().peekable();
        while waiting.peek().is_some() {
            let (mut prepared, mut queries) = (Vec::new(), Vec::new());
            while queries.len() < LOOKS_AT_ONCE
                && let Some(command) = waiting.next()
            {
                let needs = Appointment::default().needs(command);
                let fresh = lessons.fresh && together.renews(&needs);
                let one =
                    self.prepare(tenant, &Appointment::default(), command, (fresh, now)).await?;
                queries.extend_from_slice(&one.queries);
                prepared.push((command.clone(), one));
            }
            let mut busy = ClaimSnapshot::default();
            if !queries.is_empty() {
                let seen = busy::look(self.log.lookers(), tenant, &queries, Uuid::nil(), now).await;
                busy = seen.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
                for (holder, claims) in &together.claims {
                    busy.add(*holder, claims);
                }
            }
            for (command, mut one) in prepared {
                one.facts.skip = pass_over(lessons.lost);
                let index = together.attempts.len();
                let decided = together.decide(tenant, ids[index], command, one, &mut busy).await;
                if let Err(refusal) = decided {
                    return Ok((together, Some(refusal)));
                }
            }
        }
        Ok((together, None))
    }

    async fn append_all(
        &self,
        context: &CommandContext,
        together: Together,
    ) -> Result<Appended, ExecuteError> {
        let Together { attempts, claims, .. } = together;
        let metadata = context.metadata()?;
        let mut read_set = HashSet::new();
        let mut appends = Vec::with_capacity(attempts.len());
        for attempt in &attempts {
            let streams = attempt.read_set.iter();
            read_set.extend(streams.map(|(stream, version)| (stream.clone(), *version)));
            let events = attempt.events.iter().map(|event| serialise(event, &metadata));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            appends.push(Append { stream: attempt.stream.clone(), after: 0, events });
        }
        let submission = Submission {
            tenant: context.tenant.clone(),
            key: context.key.clone(),
            decided_at: attempts.first().map_or_else(|| self.clock.now(), |one| one.facts.now),
            decision: Decision::Accept {
                read_set: read_set.into_iter().collect(),
                appends,
                claims: claims.clone(),
                // Which of them is refused is not known to the log.
                if_taken: IfTaken::DecidedAgain,
            },
        };
        match self.log.append(submission).await? {
            Verdict::Appended(last) => Ok(Appended::Done(executed(attempts, last))),
            Verdict::Stale(streams) => {
                self.facts.forget_all(&streams).await;
                Ok(Appended::Stale)
            }
            Verdict::SlotTaken(conflict) => Ok(lost(&attempts, &claims, conflict)),
            verdict => {
                let first = self.first_answer(context, verdict, attempts.len()).await;
                first.map(Appended::Done)
            }
        }
    }

    /// Keeps a refusal as the answer to the batch's key, or gives the answer it has already.
    async fn refuse_all(
        &self,
        context: &CommandContext,
        refusal: Refusal,
        count: usize,
    ) -> Result<Vec<Executed<Appointment>>, ExecuteError> {
        let Some(key) = context.key.clone() else { return Err(ExecuteError::Refused(refusal)) };
        let submission = Submission {
            tenant: context.tenant.clone(),
            key: Some(key),
            decided_at: self.clock.now(),
            decision: Decision::Refuse(refusal.clone()),
        };
        match self.log.append(submission).await? {
            Verdict::RefusalKept => Err(ExecuteError::Refused(refusal)),
            verdict => self.first_answer(context, verdict, count).await,
        }
    }

    /// What the batch's key was answered with. Its events were appended together, one for each
    /// booking: they are the last so many up to the answer's position.
    async fn first_answer(
        &self,
        context: &CommandContext,
        verdict: Verdict,
        count: usize,
    ) -> Result<Vec<Executed<Appointment>>, ExecuteError> {
        let last = match verdict {
            Verdict::Answered(FirstAnswer::Accepted { position, .. }) => position,
            Verdict::Answered(FirstAnswer::Refused(refusal)) => {
                return Err(ExecuteError::Refused(refusal));
            }
            Verdict::KeyReused => return Err(ExecuteError::KeyReused),
            other => return Err(unreadable(&other)),
        };
        let limit = u32::try_from(count).map_err(|error| unreadable(&error))?;
        let before = last.minus(limit.into());
        let events = self.log.read(&context.tenant, before, limit).await;
        let events = events.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
        let mut all = Vec::with_capacity(count);
        for recorded in events {
            let recorded = recorded.map_err(|error| unreadable(&error))?;
            let AnyEvent::Appointment(id, event) = recorded.event else {
                return Err(unreadable(&recorded.position));
            };
            let mut state = Appointment::default();
            state.evolve(event);
            let (version, position) = (recorded.sequence, recorded.position);
            all.push(Executed { id: id.uuid(), version, position, state });
        }
        Ok(all)
    }
}

impl Together {
    /// Whether something of this has not been read anew yet; from now on it has.
    fn renews(&mut self, needs: &Needs) -> bool {
        let before = self.renewed.len();
        self.renewed.extend(needs.ids());
        self.renewed.len() > before
    }

    /// Decides one more. What it claims is busy for the next.
    async fn decide(
        &mut self,
        tenant: &TenantId,
        id: Uuid,
        command: AppointmentCommand,
        mut prepared: Prepared,
        busy: &mut ClaimSnapshot,
    ) -> Result<(), Refusal> {
        let stream = StreamId::of::<Appointment>(tenant, id);
        prepared.facts.claims = std::mem::take(busy);
        let new = (Appointment::default(), 0);
        let mut attempt = settle(tenant, stream, new, command, prepared).await?;
        *busy = std::mem::take(&mut attempt.facts.claims);
        let holder = AppointmentId::from(id);
        let claims = Claims::after(&attempt.events).unwrap_or_default();
        let taken = self.book.replace(holder, claims.clone(), attempt.facts.now);
        taken.map_err(AppointmentRefusal::from)?;
        busy.add(holder, &claims);
        self.claims.push((holder, claims));
        self.attempts.push(attempt);
        Ok(())
    }
}

/// Each with its position: every booking is one event, and they are appended in their order.
fn executed(attempts: Vec<Attempt<Appointment>>, last: Position) -> Vec<Executed<Appointment>> {
    let after: u64 = attempts.iter().map(|attempt| attempt.events.len() as u64).sum();
    let mut position = last.minus(after);
    let executed = attempts.into_iter().map(|attempt| {
        let version = attempt.events.len() as u64;
        position = position.plus(version);
        Executed { id: attempt.stream.uuid(), version, position, state: attempt.state }
    });
    executed.collect()
}

/// The first that wanted what another has: if it had a choice, all is decided again.
fn lost(
    attempts: &[Attempt<Appointment>],
    claims: &[(AppointmentId, Vec<Claim>)],
    conflict: ClaimConflict,
) -> Appended {
    let wants = |claim: &Claim| {
        claim.resource == conflict.resource && claim.during.overlaps(&conflict.during)
    };
    let first = claims.iter().position(|(_, claims)| claims.iter().any(wants));
    match first {
        Some(index) if attempts[index].if_taken == IfTaken::Refused => {
            Appended::Refused(in_batch(index, AppointmentRefusal::from(conflict).into()))
        }
        _ => Appended::Taken,
    }
}

fn in_batch(index: usize, refusal: Refusal) -> Refusal {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Refusal::InBatch { index, refusal: Box::new(refusal) }
}

fn unreadable(what: &impl std::fmt::Debug) -> ExecuteError {
    ExecuteError::Unreadable(format!("not what a batch leaves: {what:?}"))
}
