//! Doing what was planned, by ordinary commands.

use anyhow::anyhow;
use daybook_domain::Refusal;
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentRefusal, CancelledBy,
};
use daybook_domain::time::Interval;
use daybook_store::{CommandContext, CommandKey, ExecuteError, Executed, Target, noting};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::importer::{AT_ONCE, Importer, Item};
use super::outcome::{Kept, Outcome, is_taken, why};
use super::patience::{Done, patiently};
use super::plan::{CHANGED_HERE, Planned, Step};
use super::wanted::{Changes, Wish, because_it_is_so, standing};

/// What has become of an entry, and whether its place was taken.
struct Tried {
    outcome: Outcome,
    is_taken: bool,
}

impl From<Outcome> for Tried {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, is_taken: false }
    }
}

impl Tried {
    /// It is there because it was booked a moment ago, when no answer came.
    fn booked_just_now(self) -> Self {
        match self.outcome {
            Outcome::AlreadyThere {
                kept: Some(Kept { appointment, version: version @ 1, content: Some(content) }),
            } => Outcome::Booked { appointment, version, content }.into(),
            _ => self,
        }
    }
}

impl Importer {
    /// Does it: what is cancelled first, for others may have its time; then in the order of the file, of two
    /// that lie over each other the first first.
    pub(super) async fn applied(
        &self,
        planned: Vec<Planned>,
    ) -> anyhow::Result<Vec<(Item, Outcome)>> {
        let (first, then): (Vec<_>, Vec<_>) =
            planned.into_iter().partition(|one| matches!(one.step, Step::Cancel { .. }));
        let mut done = Vec::with_capacity(first.len() + then.len());
        let mut taken = Vec::new();
        let mut moved = false;
        for wave in waves(first).into_iter().chain(waves(then)) {
            for (one, tried) in self.at_once(wave).await? {
                moved |= matches!(tried.outcome, Outcome::Moved { .. });
                if tried.is_taken {
                    taken.push((one, tried.outcome));
                } else {
                    done.push((one.item, tried.outcome));
                }
            }
        }
        if !moved {
            done.extend(taken.into_iter().map(|(one, outcome)| (one.item, outcome)));
            return Ok(done);
        }
        // What was in the way of one may have moved since.
        for wave in waves(taken.into_iter().map(|(one, _)| one).collect()) {
            let again = self.at_once(wave).await?;
            done.extend(again.into_iter().map(|(one, tried)| (one.item, tried.outcome)));
        }
        Ok(done)
    }

    async fn at_once(&self, wave: Vec<Planned>) -> anyhow::Result<Vec<(Planned, Tried)>> {
        let each = wave.into_iter().map(async |mut one| {
            let tried = self.apply(&mut one).await?;
            anyhow::Ok((one, tried))
        });
        stream::iter(each).buffered(AT_ONCE).try_collect().await
    }

    async fn apply(&self, one: &mut Planned) -> anyhow::Result<Tried> {
        let Planned { item, step } = one;
        match (step, &item.wish) {
            (Step::Done(outcome), _) => {
                Ok(std::mem::replace(outcome, Outcome::NotTakingPlace).into())
            }
            (Step::Cancel { appointment, version }, _) => {
                self.cancel(*appointment, *version).await.map(Into::into)
            }
            (Step::Book { appointment, content }, Some(wish)) => {
                self.book(*appointment, *content, wish).await
            }
            (Step::Change { appointment, version, content, changes }, Some(wish)) => {
                self.change((*appointment, *version), *content, changes, wish).await
            }
            (Step::Book { .. } | Step::Change { .. }, None) => Err(anyhow!("there is no wish")),
        }
    }

    /// Gives a command, and gives it again while the database is away.
    async fn execute(
        &self,
        context: &CommandContext,
        appointment: Uuid,
        command: AppointmentCommand,
    ) -> Done<Executed<Appointment>, ExecuteError> {
        patiently(|| {
            let target = Target::Existing(appointment);
            let done = self.engine.execute(context, target, command.clone());
            // What is refused the import tells itself, with names in place of ids.
            async { noting(Box::pin(done)).await.0 }
        })
        .await
    }

    /// Gives a command to what is there in this version, once however often it has to be given.
    async fn alter(
        &self,
        appointment: Uuid,
        version: u64,
        command: AppointmentCommand,
    ) -> Result<Executed<Appointment>, ExecuteError> {
        // Of this time alone: what is refused may be tried again later, when what was in its way has moved.
        let key = Uuid::now_v7().to_string();
        let fingerprint = Sha256::digest(&key).into();
        let context = CommandContext {
            expected_version: Some(version),
            key: Some(CommandKey { key, fingerprint }),
            ..self.context.clone()
        };
        self.execute(&context, appointment, command).await.result
    }

    async fn cancel(&self, appointment: Uuid, version: u64) -> anyhow::Result<Outcome> {
        let command = AppointmentCommand::CancelAppointment {
            reason: because_it_is_so(),
            by: CancelledBy::Staff,
            overriding: None,
        };
        match self.alter(appointment, version, command).await {
            Ok(done) => Ok(Outcome::Cancelled { appointment, version: done.version }),
            Err(ExecuteError::Refused(_)) => Ok(Outcome::Left(CHANGED_HERE)),
            Err(error) => Err(error.into()),
        }
    }

    async fn book(&self, appointment: Uuid, content: Uuid, wish: &Wish) -> anyhow::Result<Tried> {
        let mut done = self.execute(&self.context, appointment, wish.booking(None)).await;
        if is_closed(&done.result) {
            let command = wish.booking(because_it_is_so());
            done = self.execute(&self.context, appointment, command).await;
        }
        match done.result {
            Ok(done) => Ok(Outcome::Booked { appointment, version: done.version, content }.into()),
            Err(ExecuteError::Refused(Refusal::Appointment(
                AppointmentRefusal::AppointmentExists,
            ))) => {
                let tried = self.adopt(appointment, content, wish).await?;
                Ok(if done.again { tried.booked_just_now() } else { tried })
            }
            Err(ExecuteError::Refused(refusal)) => Ok(refused(&refusal, wish)),
            Err(error) => Err(error.into()),
        }
    }

    /// It was imported before, but what was known of it then is not there.
    async fn adopt(&self, appointment: Uuid, content: Uuid, wish: &Wish) -> anyhow::Result<Tried> {
        let there = self.there::<Appointment>(appointment).await?;
        let Some((there, version)) = there else {
            return Err(anyhow!("an appointment is there and is not"));
        };
        let Some(changes) = standing(&there).map(|details| wish.changes(details)) else {
            return Ok(Outcome::Left("it was cancelled here: it is left as it is").into());
        };
        if changes.commands.is_empty() {
            let kept = Some(Kept { appointment, version, content: Some(content) });
            Ok(Outcome::AlreadyThere { kept }.into())
        } else if version == 1 {
            self.change((appointment, version), content, &changes, wish).await
        } else {
            Ok(Outcome::Left(CHANGED_HERE).into())
        }
    }

    async fn change(
        &self,
        (appointment, mut version): (Uuid, u64),
        content: Uuid,
        changes: &Changes,
        wish: &Wish,
    ) -> anyhow::Result<Tried> {
        for command in &changes.commands {
            let mut outcome = self.alter(appointment, version, command.clone()).await;
            if is_closed(&outcome) {
                let command = wish.following(because_it_is_so());
                outcome = self.alter(appointment, version, command).await;
            }
            match outcome {
                Ok(done) => version = done.version,
                Err(ExecuteError::Refused(Refusal::StaleVersion { .. })) => {
                    return Ok(Outcome::Left(CHANGED_HERE).into());
                }
                Err(ExecuteError::Refused(refusal)) => return Ok(refused(&refusal, wish)),
                Err(error) => return Err(error.into()),
            }
        }
        let done = if changes.moves {
            Outcome::Moved { appointment, version, content }
        } else {
            Outcome::Changed { appointment, version, content }
        };
        Ok(done.into())
    }
}

fn is_closed(outcome: &Result<Executed<Appointment>, ExecuteError>) -> bool {
    matches!(
        outcome,
        Err(ExecuteError::Refused(Refusal::Appointment(
            AppointmentRefusal::OutsideOpeningHours { .. }
        )))
    )
}

fn refused(refusal: &Refusal, wish: &Wish) -> Tried {
    Tried { outcome: Outcome::Refused(why(refusal, wish)), is_taken: is_taken(refusal) }
}

/// In their order, those together of which none wants what another wants.
fn waves(planned: Vec<Planned>) -> Vec<Vec<Planned>> {
    let mut waves = Vec::new();
    let mut wave: Vec<Planned> = Vec::new();
    for one in planned {
        let wants = wanted(&one);
        let in_the_way = |(resource, during): (Uuid, Interval)| {
            let others = wave.iter().filter_map(wanted);
            others.into_iter().any(|(other, at)| other == resource && at.overlaps(&during))
        };
        if wave.len() >= AT_ONCE || wants.is_some_and(in_the_way) {
            waves.push(std::mem::take(&mut wave));
        }
        wave.push(one);
    }
    waves.push(wave);
    waves
}

/// What an entry is to have, to itself or as the first.
fn wanted(one: &Planned) -> Option<(Uuid, Interval)> {
    let wish = one.item.wish.as_ref().filter(|wish| wish.is_in_the_way())?;
    let takes = matches!(one.step, Step::Book { .. } | Step::Change { .. });
    takes.then_some((wish.resource, wish.to_book.copied.during))
}
