//! Many bookings in one request: all of them or none.

use daybook_domain::Refusal;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::claim::{ClaimIndex, ClaimSnapshot};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::decision::Decided;
use super::repository::Loaded;
use super::unit_of_work::{Accepted, Answer};
use super::{Abort, CommandContext, Engine, ExecuteError, Executed, UnitContext, UnitOfWork};
use crate::log::{AnyEvent, OnConflict, Position, StreamId};

/// Where so many claims have to be seen, they are loaded before more bookings are prepared: a service
/// may have a thousand candidates for a role.
const QUERIES_AT_ONCE: usize = 20_000;

/// The largest batch.
pub const MAX_BATCH: usize = 500;

impl Engine {
    /// Books all of these new appointments, or none: one submission to the log. Each is decided as
    /// if those before it were booked already.
    ///
    /// # Errors
    /// [`Refusal::InBatch`], when one is refused; or when nothing can be decided or appended at
    /// present.
    #[must_use]
    pub fn book_all<'a>(
        &'a self,
        context: &'a CommandContext,
        commands: &'a [AppointmentCommand],
    ) -> BoxFuture<'a, Result<Vec<Executed<Appointment>>, ExecuteError>> {
        Box::pin(async move {
            let ids: Vec<Uuid> = commands.iter().map(|_| Uuid::now_v7()).collect();
            let root = ids.first().copied().unwrap_or_default();
            let work = BookAppointments { ids: &ids, commands };
            self.run(context, root, &work, &EachBooking { count: ids.len() }).await
        })
    }
}

struct BookAppointments<'a> {
    ids: &'a [Uuid],
    commands: &'a [AppointmentCommand],
}

impl UnitOfWork for BookAppointments<'_> {
    type Root = Appointment;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        match unit.book_in_order(self.ids, self.commands).await? {
            Some(refusal) => Err(in_batch(unit.decided().len(), refusal).into()),
            None => Ok(()),
        }
    }
}

impl UnitContext<'_> {
    /// Decides one after the other, each as if those before it were booked, up to the first that is
    /// refused. Whether what they claim can be had is left to the log.
    pub(super) async fn book_in_order(
        &mut self,
        ids: &[Uuid],
        commands: &[AppointmentCommand],
    ) -> Result<Option<Refusal>, ExecuteError> {
        // To see who is in the way of whom.
        let mut index = ClaimIndex::default();
        let mut waiting = ids.iter().zip(commands).peekable();
        while waiting.peek().is_some() {
            let (mut prepared, mut queries) = (Vec::new(), Vec::new());
            while queries.len() < QUERIES_AT_ONCE
                && let Some((id, command)) = waiting.next()
            {
                let stream = StreamId::of::<Appointment>(self.tenant(), *id);
                let new = Loaded::<Appointment>::default();
                let one = self.prepare(stream, new, command.clone()).await?;
                queries.extend_from_slice(&one.queries);
                prepared.push(one);
            }
            let mut seen = ClaimSnapshot::default();
            if !queries.is_empty() {
                seen = self.claims(&queries).await?;
            }
            for mut one in prepared {
                one.facts.claims = std::mem::take(&mut seen);
                let from_memory = one.from_memory;
                let (decided, claims) = match self.settle(one).await? {
                    Ok(settled) => settled,
                    Err(refusal) => return Ok(Some(refusal)),
                };
                seen = claims;
                for (holder, claims) in &decided.held {
                    seen.add(*holder, claims);
                    if let Err(conflict) = index.replace(*holder, claims.clone(), self.now()) {
                        self.refused_from_memory |= from_memory;
                        return Ok(Some(conflict.into()));
                    }
                }
                self.keep(decided);
            }
        }
        Ok(None)
    }
}

/// The answer is each of the bookings.
struct EachBooking {
    count: usize,
}

impl Answer for EachBooking {
    type Output = Vec<Executed<Appointment>>;

    /// Every booking is one event, and they are appended in their order.
    fn appended(
        &self,
        decided: Vec<Decided>,
        last: Option<Position>,
    ) -> Result<Self::Output, ExecuteError> {
        let events: u64 = decided.iter().map(|one| one.version).sum();
        let mut position = last.map(|last| last.minus(events));
        let executed = decided.into_iter().map(|one| {
            let (id, version, state) = one.into_state().ok_or_else(|| unreadable(&last))?;
            position = position.map(|before| before.plus(version));
            Ok(Executed { id, version, position, state })
        });
        executed.collect()
    }

    /// The events were appended together: they are the last so many up to the answer's position.
    async fn first(
        &self,
        engine: &Engine,
        context: &CommandContext,
        Accepted { position: last, .. }: Accepted,
    ) -> Result<Self::Output, ExecuteError> {
        let limit = u32::try_from(self.count).map_err(|error| unreadable(&error))?;
        let before = last.minus(limit.into());
        let events = engine.log.read(&context.tenant, before, limit).await;
        let events = events.map_err(|error| ExecuteError::Unavailable(error.to_string()))?;
        let mut all = Vec::with_capacity(self.count);
        for recorded in events {
            let recorded = recorded.map_err(|error| unreadable(&error))?;
            let AnyEvent::Appointment(id, event) = recorded.event else {
                return Err(unreadable(&recorded.position));
            };
            let mut state = Appointment::default();
            state.evolve(event);
            if !context.sees(id.uuid(), &state) {
                // Whoever's key it is, it is not theirs.
                return Err(ExecuteError::KeyReused);
            }
            let (version, position) = (recorded.sequence, Some(recorded.position));
            all.push(Executed { id: id.uuid(), version, position, state });
        }
        Ok(all)
    }

    /// Which of them is refused is not known to the log, not even where there is but one.
    fn on_conflict(&self, _: &[Decided]) -> OnConflict {
        OnConflict::Retry
    }

    fn refused(&self, index: usize, refusal: Refusal) -> Refusal {
        in_batch(index, refusal)
    }
}

fn in_batch(index: usize, refusal: Refusal) -> Refusal {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Refusal::InBatch { index, refusal: Box::new(refusal) }
}

fn unreadable(what: &impl std::fmt::Debug) -> ExecuteError {
    ExecuteError::Unreadable(format!("not what a batch leaves: {what:?}"))
}
