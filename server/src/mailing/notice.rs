//! One notice: what the client is to be told is begun in the log, handed over, and what has become of it is recorded.

use chrono::{DateTime, Utc};
use daybook_domain::notice::{Begin, Notice, NoticeCommand, Subject, What};
use daybook_domain::sending::SendState;
use daybook_domain::{Location, NoticeId, TenantId};
use daybook_integrations::mail::{CalendarPart, Invitation, Method};
use daybook_store::{CommandContext, Target};

use super::about::{self, About, NoLetter};
use super::sending::Turn;
use super::{Mailer, Post};

impl Mailer {
    /// Does what is to be done with a notice.
    pub(super) async fn tell(
        &self,
        tenant: &TenantId,
        id: NoticeId,
        since: DateTime<Utc>,
    ) -> anyhow::Result<Turn> {
        let Some(post) = self.post.as_deref() else { return Ok(Turn::Not) };
        let Some(row) = self.notices.one(tenant, id).await? else { return Ok(Turn::Not) };
        let target = Target::Existing(id.uuid());
        let context = CommandContext::new(tenant.clone(), "daybook:notices");
        let course = row.ledger.ledger().map(|ledger| &ledger.course);
        let is_begun = course.is_some_and(|it| matches!(it.state, SendState::Begun { .. }));
        if is_begun && !self.has_lapsed::<Notice>(&context, target).await? {
            return Ok(Turn::Not);
        }
        let attempts = course.map_or(0, |course| course.attempts);
        let settings = self.parts.engine.tenants().get(tenant).await?.settings;
        let command = NoticeCommand::Begin(Begin {
            appointment_id: row.appointment_id,
            service_id: row.service_id,
            client_id: row.client_id,
            appointment_version: row.appointment_version,
            sequence: row.sequence,
            is_offered: row.offered,
            changed_at: row.changed_at,
            since,
            notices: settings.notices,
            message_id: post.mailing.message_id(id.uuid(), attempts + 1),
            lasts: post.lasts(),
        });
        let Some((notice, begun)) = self.begin::<Notice>(&context, target, command).await? else {
            return Ok(Turn::Not);
        };
        let (Some(begun), Some(ledger)) = (begun, notice.ledger()) else { return Ok(Turn::Done) };
        let letter = match self.about(tenant, about::Of::from(&ledger.of)).await? {
            None => Err(NoLetter::NoAddress),
            Some(about) => {
                // What was begun, whatever has happened since.
                let told = &ledger.of.told;
                let location = told.location.clone();
                let about = About { start: told.start, end: told.end, location, ..about };
                let what = ledger.of.what;
                let until = (what == What::Offer).then(|| told.until());
                let written = self.written(tenant, &about, (what.into(), until)).await?;
                let calendar = self.invitation(post, &about, &ledger.of);
                let calendar = calendar.as_ref();
                self.letter((tenant, post), &about, &begun.message_id, &written, calendar)
            }
        };
        self.deliver::<Notice>(post, (&context, target), &begun, letter).await
    }

    /// The same for calendars; of what is only offered there is nothing.
    fn invitation(&self, post: &Post, about: &About, of: &Subject) -> Option<CalendarPart> {
        let method = match of.what {
            What::Offer => return None,
            What::Confirmation | What::Change => Method::Request,
            What::Cancellation => Method::Cancel,
        };
        let invitation = Invitation {
            method,
            uid: &of.appointment_id.calendar_uid(),
            sequence: of.sequence.unwrap_or_default(),
            stamp: self.parts.clock.now(),
            start: about.start,
            end: about.end,
            zone: about.zone,
            summary: about.service(),
            location: about.location.as_ref().map(Location::as_str),
            organizer: post.mailing.from(),
            attendee: (about.name(), about.email.as_str()),
        };
        Some(invitation.write())
    }
}
