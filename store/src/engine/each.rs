//! Many bookings in one request, each by itself.

use cqrs_es::Aggregate as _;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use futures::future::{BoxFuture, join_all};
use uuid::Uuid;

use super::refusals::variant_name;
use super::unit_of_work::{RetryState, RootAnswer, Submitted};
use super::{CommandContext, Engine, ExecuteError, Executed, Target, UnitContext};
use crate::log::CommandKey;

/// So many are decided together and wait for one commit, at most. (Up to thirty, `join_all` polls in
/// order, so that they are in the committer's queue in order.)
const BESIDE: usize = 25;

type Outcome = Result<Executed<Appointment>, ExecuteError>;

impl Engine {
    /// Books new appointments in order: each is booked or refused by itself, and an earlier one comes
    /// before a later one that wants the same.
    ///
    /// The first has the context's idempotency key, which so is used up; the others have keys made of
    /// it and their number. When one gets no verdict, the rest is not tried, and the outcomes end there.
    #[must_use]
    pub fn book_each<'a>(
        &'a self,
        context: &'a CommandContext,
        commands: &'a [AppointmentCommand],
    ) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            if context.dry_run {
                return self.try_each(context, commands).await;
            }
            let mut outcomes: Vec<Outcome> = Vec::with_capacity(commands.len());
            // The first is alone: if its key names another request, nothing of this one may happen.
            let mut beside = 1;
            while outcomes.len() < commands.len() && outcomes.iter().all(is_verdict) {
                let rest = commands.len() - outcomes.len();
                if beside == 1 {
                    outcomes.push(self.book_one(context, commands, outcomes.len()).await);
                    // Of whoever is limited, each can be what they may not make.
                    beside = if context.limits.are_none() { BESIDE } else { 1 };
                } else if !self
                    .book_beside(context, commands, beside.min(rest), &mut outcomes)
                    .await
                {
                    // Where one is refused, the next may be.
                    beside = 1;
                }
            }
            outcomes
        })
    }

    /// What would become of each, if those before it that can be booked were.
    async fn try_each(
        &self,
        context: &CommandContext,
        commands: &[AppointmentCommand],
    ) -> Vec<Outcome> {
        // Nobody decides it again: nothing may be out of date.
        let retry = RetryState { fresh: true, ..RetryState::default() };
        let mut unit = UnitContext::new(self, context, Uuid::nil(), retry);
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(commands.len());
        for command in commands {
            let target = Target::fresh();
            let decided = unit.decide::<Appointment>(target, command.clone()).await;
            let outcome = match decided {
                Ok(Ok(())) => unit.tried(target.id()),
                Ok(Err(refusal)) => Err(ExecuteError::Refused(refusal)),
                Err(error) => Err(error),
            };
            let goes_on = is_verdict(&outcome);
            outcomes.push(outcome);
            if !goes_on {
                break;
            }
        }
        outcomes
    }

    async fn book_one(
        &self,
        context: &CommandContext,
        commands: &[AppointmentCommand],
        index: usize,
    ) -> Outcome {
        let context = of_item(context, index);
        self.execute(&context, Target::fresh(), commands[index].clone()).await
    }

    /// Books the next so many, up to one that would be refused: decided in order, each as if those
    /// before it were booked, and sent to the log in order, which takes them in order. Whether none
    /// would be.
    async fn book_beside(
        &self,
        context: &CommandContext,
        commands: &[AppointmentCommand],
        count: usize,
        outcomes: &mut Vec<Outcome>,
    ) -> bool {
        let first = outcomes.len();
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
        let some = &commands[first..first + count];
        let mut unit = UnitContext::new(self, context, Uuid::nil(), RetryState::default());
        let refused = match unit.book_in_order(&ids, some).await {
            Ok(refused) => refused,
            Err(error) => {
                outcomes.push(Err(error));
                return false;
            }
        };
        let contexts: Vec<_> =
            (first..first + count).map(|index| of_item(context, index)).collect();
        let (now, decided) = unit.into_decided();
        let answer = RootAnswer::<Appointment>::default();
        let each = contexts.iter().zip(decided);
        let each = each.map(|(context, one)| self.submit(context, now, vec![one], &answer));
        for submitted in join_all(each).await {
            let index = outcomes.len();
            let outcome = match submitted {
                Ok(Submitted::Done(executed)) => Ok(executed),
                // What it rested on has changed.
                Ok(Submitted::Stale | Submitted::Conflict | Submitted::Refused(_)) => {
                    self.book_one(context, commands, index).await
                }
                Err(error) => {
                    if let ExecuteError::Refused(refusal) = &error {
                        let command = variant_name(&commands[index]);
                        let stream = (Appointment::TYPE, ids[index - first]);
                        self.report_refusal(context, stream, command, refusal);
                    }
                    Err(error)
                }
            };
            outcomes.push(outcome);
        }
        refused.is_none()
    }
}

impl UnitContext<'_> {
    /// An appointment as the unit would leave it.
    fn tried(&self, id: Uuid) -> Outcome {
        let decided = self.decided().iter().find(|decided| decided.id() == id);
        let known =
            decided.and_then(|one| Some((one.version, one.state::<Appointment>()?.clone())));
        let unknown = || ExecuteError::Unreadable(format!("nothing was decided of {id}"));
        let (version, state) = known.ok_or_else(unknown)?;
        Ok(Executed { id, version, position: None, state })
    }
}

const fn is_verdict(outcome: &Outcome) -> bool {
    matches!(outcome, Ok(_) | Err(ExecuteError::Refused(_) | ExecuteError::Outside(_)))
}

/// The item's own key: no client's key has a space, so it is nobody else's.
fn of_item(context: &CommandContext, index: usize) -> CommandContext {
    let key = context.key.as_ref().map(|key| match index {
        0 => key.clone(),
        _ => CommandKey { key: format!("{} {index}", key.key), fingerprint: key.fingerprint },
    });
    CommandContext { key, ..context.clone() }
}
