//! One reminder: it is begun in the log, handed over, and what has become of it is recorded.

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::reminder::{Begin, Reminder, ReminderCommand};
use daybook_domain::sending::{Kind, Status};
use daybook_domain::service::Channel;
use daybook_domain::{ReminderId, TenantId};
use daybook_projections::reminders::DueReminder;
use daybook_store::{CommandContext, Target};

use super::about::{self, NoLetter};
use super::sending::Turn;
use super::{Mailer, Post};

impl Mailer {
    /// Does what is to be done with a reminder.
    pub(super) async fn remind(
        &self,
        tenant: &TenantId,
        id: ReminderId,
        since: DateTime<Utc>,
    ) -> anyhow::Result<Turn> {
        let Some(DueReminder { row, is_superseded }) = self.reminders.one(tenant, id).await? else {
            return Ok(Turn::Not);
        };
        let post = self.post.as_deref();
        if post.is_none() && row.of.rule.channel() == Channel::Email {
            return Ok(Turn::Not);
        }
        let target = Target::Existing(id.uuid());
        let context = CommandContext::new(tenant.clone(), "daybook:reminders");
        let is_begun = row.status == Status::Begun;
        if is_begun && !self.has_lapsed::<Reminder>(&context, target).await? {
            return Ok(Turn::Not);
        }
        let appointment = row.of.appointment_id.uuid();
        let appointment = self.parts.engine.load::<Appointment>(tenant, appointment).await?;
        let slot = appointment.as_ref().and_then(|(it, _)| it.slot());
        let first = slot.and_then(|slot| slot.resource_ids.iter().next());
        let Some(zone_of) = row.resource_id.or(first) else { return Ok(Turn::Not) };
        let command = ReminderCommand::Begin(Begin {
            of: row.of,
            zone_of,
            since,
            is_superseded,
            message_id: post
                .map(|post| post.mailing.message_id(id.uuid(), row.attempts + 1))
                .unwrap_or_default(),
            lasts: post.map(Post::lasts).unwrap_or_default(),
        });
        let Some((_, begun)) = self.begin::<Reminder>(&context, target, command).await? else {
            return Ok(Turn::Not);
        };
        let (Some(begun), Some(post)) = (begun, post) else { return Ok(Turn::Done) };
        let of = about::Of {
            appointment_id: row.of.appointment_id,
            service_id: row.of.service_id,
            client_id: row.of.client_id,
        };
        let letter = match self.about(tenant, of).await? {
            None => Err(NoLetter::NoAddress),
            Some(about) => {
                let about = about::About { start: row.of.start, ..about };
                let written = self.written(tenant, &about, (Kind::Reminder, None)).await?;
                self.letter((tenant, post), &about, &begun.message_id, &written, None)
            }
        };
        self.deliver::<Reminder>(post, (&context, target), &begun, letter).await
    }
}
