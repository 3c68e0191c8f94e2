//! One reminder: it is begun in the log, handed over, and what has become of it is recorded.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::client::{Client, ClientRecord};
use daybook_domain::reminder::{
    Begin, Ledger, Outcome, Reminder as Ledgered, ReminderCommand, ReminderState, Status, Why,
};
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::{Location, ReminderId, ResourceId, TenantId};
use daybook_integrations::mail::{Handed, Letter, LetterError};
use daybook_projections::reminders::DueReminder;
use daybook_store::metrics::REMINDERS;
use daybook_store::{CommandContext, ExecuteError, Target};
use metrics::counter;
use tokio::time::{sleep, timeout};

use super::text::{self, About};
use super::{Reminder, Turn};

/// How long it may take from the beginning to the hand-over, and to record what has become of it.
const MARGIN: Duration = Duration::from_secs(20);

/// How often it is tried to record what has become of one: if that fails, it lapses, and nobody knows.
const RECORD_TRIES: u32 = 5;
const RECORD_PAUSE: Duration = Duration::from_millis(200);

impl Reminder {
    /// Does what is to be done with a reminder.
    pub(super) async fn turn(
        &self,
        tenant: &TenantId,
        id: ReminderId,
        since: DateTime<Utc>,
    ) -> anyhow::Result<Turn> {
        let Some(DueReminder { row, is_superseded }) = self.reminders.one(tenant, id).await? else {
            return Ok(Turn::Not);
        };
        let (engine, target) = (&self.parts.engine, Target::Existing(id.uuid()));
        let context = CommandContext::new(tenant.clone(), "daybook:reminders");
        if row.status == Status::Begun {
            let lapsed = engine.execute::<Ledgered>(&context, target, ReminderCommand::Lapse).await;
            match lapsed {
                Ok(_) => counter!(REMINDERS, "result" => "unknown").increment(1),
                Err(ExecuteError::Refused(_)) => return Ok(Turn::Not),
                Err(error) => return Err(error).context("a lapse is not recorded"),
            }
        }
        let appointment = row.of.appointment_id.uuid();
        let appointment = engine.load::<Appointment>(tenant, appointment).await?;
        let slot = appointment.as_ref().and_then(|(it, _)| it.slot());
        let first = slot.and_then(|slot| slot.resource_ids.iter().next());
        let Some(zone_of) = row.resource_id.or(first) else { return Ok(Turn::Not) };
        let longest = self.relay.longest();
        let begin = Begin {
            of: row.of,
            zone_of,
            since,
            is_superseded,
            message_id: self.mailing.message_id(id, row.attempts + 1),
            lasts: TimeDelta::from_std(longest + MARGIN).unwrap_or(TimeDelta::MAX),
        };
        let beginning = engine.execute::<Ledgered>(&context, target, ReminderCommand::Begin(begin));
        let ledger = match beginning.await {
            Ok(executed) => executed.state.ledger().cloned(),
            // Another program has begun it, or it is not due any more: the projection will say so.
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%tenant, %id, %refusal, "nothing is begun");
                return Ok(Turn::Not);
            }
            Err(error) => return Err(error).context("it is not begun"),
        };
        let ledger = ledger.context("a reminder that was begun is none")?;
        let ReminderState::Begun { lapses_at } = ledger.state else {
            counter!(REMINDERS, "result" => "skipped").increment(1);
            return Ok(Turn::Done);
        };
        let (outcome, turn) = match self.letter(tenant, &ledger).await? {
            Err(why) => (Outcome::Nothing(why), Turn::Done),
            Ok(letter) => {
                let left = lapses_at - self.parts.clock.now();
                if left.to_std().is_ok_and(|left| left > longest) {
                    outcome(self.hand_over(&letter, longest).await)
                } else {
                    // It was held up for so long that another program may be at it before this one is done.
                    (Outcome::Transient { code: None }, Turn::Done)
                }
            }
        };
        counter!(REMINDERS, "result" => result(outcome)).increment(1);
        if !matches!(outcome, Outcome::Accepted { .. }) {
            tracing::warn!(%tenant, reminder = %id, ?outcome, "a reminder is not sent");
        }
        self.record(&context, target, ledger.attempts, outcome).await?;
        Ok(turn)
    }

    async fn hand_over(&self, letter: &Letter, longest: Duration) -> Handed {
        timeout(longest, self.relay.hand_over(letter)).await.unwrap_or(Handed::Unknown)
    }

    /// What is written, to whom; within: why there is nothing to write, or nobody.
    async fn letter(
        &self,
        tenant: &TenantId,
        ledger: &Ledger,
    ) -> anyhow::Result<Result<Letter, Why>> {
        let (engine, of) = (&self.parts.engine, &ledger.of);
        let client = match engine.load_open::<Client>(tenant, of.client_id.uuid()).await {
            // The key is destroyed.
            Err(ExecuteError::Refused(_)) => return Ok(Err(Why::NoAddress)),
            client => client?,
        };
        let Some((Client::Registered(ClientRecord { contact, .. }), _)) = client else {
            return Ok(Err(Why::NoAddress));
        };
        let email = contact.email.as_ref().and_then(|email| email.reveal());
        let Some(email) = email else { return Ok(Err(Why::NoAddress)) };
        let appointment = engine.load::<Appointment>(tenant, of.appointment_id.uuid()).await?;
        let details = appointment.as_ref().and_then(|(it, _)| it.details());
        let details = details.context("the appointment was there")?;
        let resource = details.slot.resource_ids.iter().next().map(ResourceId::uuid);
        let resource = match resource {
            Some(id) => engine.load::<Resource>(tenant, id).await?,
            None => None,
        };
        let service = engine.load::<Service>(tenant, of.service_id.uuid()).await?;
        let terms = service.as_ref().and_then(|(service, _)| service.terms());
        let about = About {
            contact: &contact,
            service: terms.map(|terms| terms.name.as_str()),
            start: of.start,
            time_zone: resource.as_ref().and_then(|(it, _)| it.profile()).map(|it| it.time_zone),
            location: details.location.as_ref().map(Location::as_str),
        };
        let message_id = ledger.message_id.as_deref().context("it was begun with an id")?;
        let written = text::write(&about);
        let letter = self.mailing.letter(email.as_str(), message_id, &written, self.date());
        Ok(letter.map_err(|error| {
            if error != LetterError::Address {
                tracing::warn!(%tenant, %error, "a reminder cannot be written");
            }
            Why::NoAddress
        }))
    }

    fn date(&self) -> SystemTime {
        self.parts.clock.now().into()
    }

    async fn record(
        &self,
        context: &CommandContext,
        target: Target,
        attempt: u16,
        outcome: Outcome,
    ) -> anyhow::Result<()> {
        let jitter = rand_percent();
        let mut tries = 0;
        loop {
            tries += 1;
            let settle = ReminderCommand::Settle { attempt, outcome, jitter };
            match self.parts.engine.execute::<Ledgered>(context, target, settle).await {
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

const fn outcome(handed: Handed) -> (Outcome, Turn) {
    match handed {
        Handed::Accepted { code } => (Outcome::Accepted { code }, Turn::Done),
        Handed::Transient { code } => (Outcome::Transient { code: Some(code) }, Turn::Done),
        Handed::Permanent { code } => (Outcome::Permanent { code: Some(code) }, Turn::Done),
        Handed::Unknown => (Outcome::Unknown, Turn::Done),
        Handed::NotReached { code, .. } => (Outcome::Transient { code }, Turn::NotReached),
    }
}

const fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted { .. } => "sent",
        Outcome::Transient { .. } => "transient",
        Outcome::Permanent { .. } => "permanent",
        Outcome::Unknown => "unknown",
        Outcome::Nothing(_) => "skipped",
    }
}
