//! What is known of an appointment and its client at the moment of sending.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::Appointment;
use daybook_domain::client::{Client, ClientRecord, Contact};
use daybook_domain::notice::Subject;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::{AppointmentId, ClientId, Email, Location, ResourceId, ServiceId, TenantId};
use daybook_integrations::mail::{CalendarPart, Letter, LetterError};
use daybook_store::ExecuteError;
use daybook_wording::{UNNAMED_SERVICE, Written};

use super::{Mailer, Post};

/// Of what, and to whom.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "each is the id of another thing")]
pub(super) struct Of {
    pub(super) appointment_id: AppointmentId,
    pub(super) service_id: ServiceId,
    pub(super) client_id: ClientId,
}

impl From<&Subject> for Of {
    fn from(of: &Subject) -> Self {
        let Subject { appointment_id, service_id, client_id, .. } = *of;
        Self { appointment_id, service_id, client_id }
    }
}

/// What a message can say. It does not show itself: it is somebody's.
pub(super) struct About {
    pub(super) email: Email,
    pub(super) contact: Contact,
    pub(super) service: Option<String>,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// That of the first resource.
    pub(super) zone: Tz,
    pub(super) location: Option<Location>,
}

impl About {
    pub(super) fn service(&self) -> &str {
        self.service.as_deref().unwrap_or(UNNAMED_SERVICE)
    }

    pub(super) fn name(&self) -> &str {
        self.contact.name.reveal().map_or("", |name| name.as_str())
    }
}

impl Mailer {
    /// `None`: there is nobody to write to.
    pub(super) async fn about(&self, tenant: &TenantId, of: Of) -> anyhow::Result<Option<About>> {
        let engine = &self.parts.engine;
        let client = match engine.load_open::<Client>(tenant, of.client_id.uuid()).await {
            // The key is destroyed.
            Err(ExecuteError::Refused(_)) => return Ok(None),
            client => client?,
        };
        let Some((Client::Registered(ClientRecord { contact, .. }), _)) = client else {
            return Ok(None);
        };
        let email = contact.email.as_ref().and_then(|email| email.reveal().cloned());
        let Some(email) = email else { return Ok(None) };
        let appointment = engine.load::<Appointment>(tenant, of.appointment_id.uuid()).await?;
        let details = appointment.as_ref().and_then(|(it, _)| it.details());
        let details = details.context("the appointment was there")?;
        let resource = match details.slot.resource_ids.iter().next().map(ResourceId::uuid) {
            Some(id) => engine.load::<Resource>(tenant, id).await?,
            None => None,
        };
        let zone = resource.as_ref().and_then(|(it, _)| it.profile()).map(|it| it.time_zone);
        let service = engine.load::<Service>(tenant, of.service_id.uuid()).await?;
        let terms = service.as_ref().and_then(|(service, _)| service.terms());
        Ok(Some(About {
            email,
            contact,
            service: terms.map(|terms| terms.name.as_str().to_owned()),
            start: details.slot.during.start(),
            end: details.slot.during.end(),
            zone: zone.unwrap_or(Tz::UTC),
            location: details.location.clone(),
        }))
    }

    /// A letter to them.
    pub(super) fn letter(
        &self,
        (tenant, post): (&TenantId, &Post),
        about: &About,
        message_id: &str,
        written: &Written,
        calendar: Option<&CalendarPart>,
    ) -> Result<Letter, NoLetter> {
        let date = self.parts.clock.now().into();
        let to = about.email.as_str();
        let letter = post.mailing.letter(to, message_id, written, (calendar, date));
        letter.map_err(|error| {
            let why = NoLetter::from(error);
            if why == NoLetter::Faulty {
                tracing::warn!(%tenant, %error, "a message cannot be written");
            }
            why
        })
    }
}

/// Why there is no letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLetter {
    /// Nobody can be written to.
    NoAddress,
    /// It cannot be put together, and no other time either.
    Faulty,
}

impl From<LetterError> for NoLetter {
    fn from(error: LetterError) -> Self {
        match error {
            LetterError::Address => Self::NoAddress,
            LetterError::Subject
            | LetterError::MessageId
            | LetterError::TooLarge
            | LetterError::Parts => Self::Faulty,
        }
    }
}
