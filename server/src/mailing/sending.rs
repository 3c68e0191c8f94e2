//! What reminders and notices have in common: a try that was begun is handed over, and what has become of it is recorded.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::notice::{Notice, NoticeCommand, Why as WhyNotTold};
use daybook_domain::reminder::{Reminder, ReminderCommand, Why as WhyNotReminded};
use daybook_domain::sending::{Course, Outcome, SendState};
use daybook_integrations::mail::{Handed, Letter};
use daybook_store::metrics::{NOTICES, REMINDERS};
use daybook_store::{CommandContext, Executable, ExecuteError, Target};
use metrics::counter;
use tokio::time::{sleep, timeout};

use super::about::NoLetter;
use super::{Mailer, Post};

/// How long it may take from the beginning to the hand-over, and to record what has become of it.
const MARGIN: Duration = Duration::from_secs(20);

/// How often it is tried to record what has become of one: if that fails, it lapses, and nobody knows.
const RECORD_TRIES: u32 = 5;
const RECORD_PAUSE: Duration = Duration::from_millis(200);

/// What has become of a turn.
pub(super) enum Turn {
    /// It is recorded, and the relay was not asked.
    Done,
    /// It is recorded, and the relay was there.
    Reached,
    /// Nothing is: another program is at it, or it is not due any more.
    Not,
    /// The relay could not be reached.
    NotReached,
}

/// What is sent: an aggregate that is the ledger of it.
pub(super) trait Sendable: Executable {
    /// Why nothing is sent.
    type Why: Copy + Send + std::fmt::Debug;
    /// What it is called, and the metric of its tries.
    const NAME: &'static str;
    const TRIES: &'static str;
    const NO_ADDRESS: Self::Why;

    fn lapse() -> Self::Command;
    fn settle(attempt: u16, outcome: Outcome<Self::Why>, jitter: u8) -> Self::Command;
    fn course(&self) -> Option<&Course<Self::Why>>;
}

impl Sendable for Reminder {
    type Why = WhyNotReminded;
    const NAME: &'static str = "reminder";
    const TRIES: &'static str = REMINDERS;
    const NO_ADDRESS: WhyNotReminded = WhyNotReminded::NoAddress;

    fn lapse() -> ReminderCommand {
        ReminderCommand::Lapse
    }

    fn settle(attempt: u16, outcome: Outcome<WhyNotReminded>, jitter: u8) -> ReminderCommand {
        ReminderCommand::Settle { attempt, outcome, jitter }
    }

    fn course(&self) -> Option<&Course<WhyNotReminded>> {
        self.ledger().map(|ledger| &ledger.course)
    }
}

impl Sendable for Notice {
    type Why = WhyNotTold;
    const NAME: &'static str = "notice";
    const TRIES: &'static str = NOTICES;
    const NO_ADDRESS: WhyNotTold = WhyNotTold::NoAddress;

    fn lapse() -> NoticeCommand {
        NoticeCommand::Lapse
    }

    fn settle(attempt: u16, outcome: Outcome<WhyNotTold>, jitter: u8) -> NoticeCommand {
        NoticeCommand::Settle { attempt, outcome, jitter }
    }

    fn course(&self) -> Option<&Course<WhyNotTold>> {
        self.ledger().map(|ledger| &ledger.course)
    }
}

/// A try that was begun.
pub(super) struct Begun {
    pub(super) attempt: u16,
    pub(super) message_id: String,
    lapses_at: DateTime<Utc>,
}

impl Post {
    /// For how long a try may take.
    pub(super) fn lasts(&self) -> TimeDelta {
        TimeDelta::from_std(self.relay.longest() + MARGIN).unwrap_or(TimeDelta::MAX)
    }

    async fn hand_over(&self, letter: &Letter, longest: Duration) -> Handed {
        timeout(longest, self.relay.hand_over(letter)).await.unwrap_or(Handed::Unknown)
    }
}

impl Mailer {
    /// Records that nobody knows what has become of a try. Whether that was so.
    pub(super) async fn has_lapsed<A: Sendable>(
        &self,
        context: &CommandContext,
        target: Target,
    ) -> anyhow::Result<bool> {
        match self.parts.engine.execute::<A>(context, target, A::lapse()).await {
            Ok(_) => {
                counter!(A::TRIES, "result" => "unknown").increment(1);
                Ok(true)
            }
            Err(ExecuteError::Refused(_)) => Ok(false),
            Err(error) => Err(error).context("a lapse is not recorded"),
        }
    }

    /// Begins a try; within: what there is by then, and the try, if there is something to send. `None`: another program has begun
    /// it, or it is not due any more, and the projection will say so.
    pub(super) async fn begin<A: Sendable>(
        &self,
        context: &CommandContext,
        target: Target,
        command: A::Command,
    ) -> anyhow::Result<Option<(A, Option<Begun>)>> {
        let state = match self.parts.engine.execute::<A>(context, target, command).await {
            Ok(executed) => executed.state,
            Err(ExecuteError::Refused(refusal)) => {
                let (tenant, kind) = (&context.tenant, A::NAME);
                tracing::debug!(%tenant, kind, id = %target.id(), %refusal, "nothing is begun");
                return Ok(None);
            }
            Err(error) => return Err(error).context("it is not begun"),
        };
        let course = state.course().context("what was begun is not")?;
        let SendState::Begun { lapses_at } = course.state else {
            let is_announced = matches!(course.state, SendState::Announced);
            let result = if is_announced { "announced" } else { "skipped" };
            counter!(A::TRIES, "result" => result).increment(1);
            return Ok(Some((state, None)));
        };
        let message_id = course.message_id.clone().context("it was begun with an id")?;
        let begun = Begun { attempt: course.attempts, message_id, lapses_at };
        Ok(Some((state, Some(begun))))
    }

    /// Hands a letter over, and records what has become of it; or why there is none.
    pub(super) async fn deliver<A: Sendable>(
        &self,
        post: &Post,
        (context, target): (&CommandContext, Target),
        begun: &Begun,
        letter: Result<Letter, NoLetter>,
    ) -> anyhow::Result<Turn> {
        let longest = post.relay.longest();
        let (outcome, turn) = match letter {
            Err(why) => (without_a_letter::<A>(why), Turn::Done),
            Ok(letter) => {
                let left = begun.lapses_at - self.parts.clock.now();
                if left.to_std().is_ok_and(|left| left > longest) {
                    outcome(post.hand_over(&letter, longest).await)
                } else {
                    // It was held up for so long that another program may be at it before this one is done.
                    (Outcome::Transient { code: None }, Turn::Done)
                }
            }
        };
        counter!(A::TRIES, "result" => result(&outcome)).increment(1);
        if !matches!(outcome, Outcome::Accepted { .. }) {
            let (tenant, kind, id) = (&context.tenant, A::NAME, target.id());
            tracing::warn!(%tenant, kind, %id, ?outcome, "a message is not sent");
        }
        self.record::<A>(context, target, begun.attempt, outcome).await?;
        Ok(turn)
    }

    async fn record<A: Sendable>(
        &self,
        context: &CommandContext,
        target: Target,
        attempt: u16,
        outcome: Outcome<A::Why>,
    ) -> anyhow::Result<()> {
        let jitter = rand_percent();
        let mut tries = 0;
        loop {
            tries += 1;
            let settle = A::settle(attempt, outcome, jitter);
            match self.parts.engine.execute::<A>(context, target, settle).await {
                // Refused: it has lapsed, and is begun again.
                Ok(_) | Err(ExecuteError::Refused(_)) => return Ok(()),
                Err(error) if error.may_pass() && tries < RECORD_TRIES => {
                    sleep(RECORD_PAUSE * 2_u32.pow(tries)).await;
                }
                Err(error) => return Err(error).context("what has become of it is not recorded"),
            }
        }
    }
}

/// Those that were to be sent at once are not tried again at once.
fn rand_percent() -> u8 {
    uuid::Uuid::now_v7().as_bytes()[15] % 50
}

/// What becomes of what cannot be written. It is nobody's answer, so it has no code.
fn without_a_letter<A: Sendable>(why: NoLetter) -> Outcome<A::Why> {
    match why {
        NoLetter::NoAddress => Outcome::Nothing(A::NO_ADDRESS),
        NoLetter::Faulty => Outcome::Permanent { code: None },
    }
}

const fn outcome<W>(handed: Handed) -> (Outcome<W>, Turn) {
    match handed {
        Handed::Accepted { code } => (Outcome::Accepted { code }, Turn::Reached),
        Handed::Transient { code } => (Outcome::Transient { code: Some(code) }, Turn::Reached),
        Handed::Permanent { code } => (Outcome::Permanent { code: Some(code) }, Turn::Reached),
        Handed::Unknown => (Outcome::Unknown, Turn::Reached),
        Handed::NotReached { code, .. } => (Outcome::Transient { code }, Turn::NotReached),
    }
}

const fn result<W>(outcome: &Outcome<W>) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "sent",
        Outcome::Transient { .. } => "transient",
        Outcome::Permanent { .. } => "permanent",
        Outcome::Unknown => "unknown",
        Outcome::Nothing(_) => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use daybook_integrations::mail::LetterError;

    use super::*;

    #[test]
    fn each_fault_of_a_letter_has_its_own_word() {
        let outcome = |error: LetterError| without_a_letter::<Reminder>(error.into());
        assert_eq!(outcome(LetterError::Address), Outcome::Nothing(WhyNotReminded::NoAddress));
        for fault in [
            LetterError::Subject,
            LetterError::MessageId,
            LetterError::TooLarge,
            LetterError::Parts,
        ] {
            assert_eq!(outcome(fault), Outcome::Permanent { code: None }, "{fault}");
        }
        let told = without_a_letter::<Notice>(NoLetter::NoAddress);
        assert_eq!(told, Outcome::Nothing(WhyNotTold::NoAddress));
    }
}
