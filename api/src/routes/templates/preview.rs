//! `POST /v1/templates/preview`

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::Appointment;
use daybook_domain::client::{Client, ClientRecord};
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::{AppointmentId, Language, Location, ResourceId, TenantId};
use daybook_store::ExecuteError;
use daybook_store::templates::{TemplateLanguage, TemplateText};
use daybook_wording::{Said, UNNAMED_SERVICE, Written, example, own};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MessageKind, TemplateBody};
use crate::App;
use crate::http::{Appointments, Body, Caller, Manage, NoQuery, Personal, Problem};
use crate::routes::problems::ReadProblems;

/// What is to be looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewBody {
    kind: MessageKind,
    /// What is to be tried; left out: what is written now.
    template: Option<TemplateBody>,
    /// To whom it is written: a language, or `default`; left out: that of the appointment's client, or else `default`.
    #[schema(max_length = 35, example = "nb")]
    language: Option<String>,
    /// Of which appointment, which needs `appointments` and `personal`; left out: of an example.
    appointment_id: Option<AppointmentId>,
}

/// What would be written.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewView {
    /// Whose words they are: those that were given (`given`), those of a template (`template`), or daybook's (`own`).
    #[schema(pattern = "^(given|template|own)$")]
    words: &'static str,
    /// That of the template, where they are of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    subject: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

impl PreviewView {
    fn of(words: &'static str, language: Option<String>, written: Written) -> Self {
        let Written { subject, text, html } = written;
        Self { words, language, subject, text, html }
    }
}

/// Preview a template
///
/// Says what would be written, of an example or of an appointment, by a template that is given, or by what is used now. Nothing is
/// sent or kept. What is wrong with a template is told with `part`, `line` and `column` (`faulty-template`).
#[utoipa::path(
    post, path = "/v1/templates/preview", tag = "templates",
    request_body = PreviewBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "What would be written", body = PreviewView), ReadProblems)
)]
pub(crate) async fn preview_template(
    State(app): State<App>,
    caller: Caller<Manage>,
    _: NoQuery,
    Body(body): Body<PreviewBody>,
) -> Result<Json<PreviewView>, Problem> {
    let PreviewBody { kind, template, language, appointment_id } = body;
    let language = language.as_deref().map(str::parse::<TemplateLanguage>).transpose();
    let language = language.map_err(|error| {
        Problem::bad_body(format!("language: {error}")).with("member", "language")
    })?;
    let known = match appointment_id {
        None => None,
        Some(id) => {
            caller.must_have::<(Appointments, Personal)>("looking at what a client is written")?;
            Some(app.known_of(&caller.tenant, id).await?)
        }
    };
    let template = match template {
        None => {
            let language = match language {
                Some(TemplateLanguage::Of(language)) => Some(language),
                Some(TemplateLanguage::Default) => None,
                None => known.as_ref().and_then(|known| known.language.clone()),
            };
            let used = app.templates().for_client(&caller.tenant, kind, language.as_ref()).await?;
            used.map(|used| ("template", Some(used.key.language.to_string()), used.text))
        }
        Some(given) => Some(("given", None, TemplateText::from(given))),
    };
    let Some((words, language, text)) = template else {
        let written = own(&said(kind, known.as_ref()));
        return Ok(Json(PreviewView::of("own", None, written)));
    };
    let written = app.made_of(&caller.tenant, text, move |template| {
        // What was put has been tried.
        if words == "given" {
            template.check(kind)?;
        }
        template.write(&said(kind, known.as_ref()))
    });
    let (written, _) = written.await?;
    Ok(Json(PreviewView::of(words, language, written)))
}

fn said(kind: MessageKind, known: Option<&Known>) -> Said<'_> {
    known.map_or_else(|| example(kind), |known| known.said(kind))
}

/// What is known of an appointment and its client.
struct Known {
    client: String,
    language: Option<Language>,
    service: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: Tz,
    location: Option<Location>,
    hold_expires_at: Option<DateTime<Utc>>,
}

impl Known {
    fn said(&self, kind: MessageKind) -> Said<'_> {
        Said {
            kind,
            client: &self.client,
            service: &self.service,
            start: self.start,
            end: self.end,
            zone: self.zone,
            location: self.location.as_ref().map(Location::as_str),
            until: (kind == MessageKind::Offer).then(|| self.hold_expires_at.unwrap_or(self.start)),
        }
    }
}

impl App {
    /// What can be said of it. Who opens what is known of its client is on record.
    async fn known_of(&self, tenant: &TenantId, id: AppointmentId) -> Result<Known, Problem> {
        let engine = &self.engine;
        let appointment = engine.load::<Appointment>(tenant, id.uuid()).await?;
        let appointment = appointment.as_ref().map(|(appointment, _)| appointment);
        let details = appointment.and_then(Appointment::details);
        let details = details.ok_or_else(|| Problem::not_found("appointment"))?;
        let client = match engine.load_open::<Client>(tenant, details.client_id.uuid()).await {
            // They are erased.
            Err(ExecuteError::Refused(_)) => None,
            client => client?,
        };
        let contact = match client {
            Some((Client::Registered(ClientRecord { contact, .. }), _)) => Some(contact),
            _ => None,
        };
        let name = contact.as_ref().and_then(|contact| contact.name.reveal());
        let language = contact.as_ref().and_then(|contact| contact.language.as_ref()?.reveal());
        let service = engine.load::<Service>(tenant, details.service_id.uuid()).await?;
        let terms = service.as_ref().and_then(|(service, _)| service.terms());
        let resource = match details.slot.resource_ids.iter().next().map(ResourceId::uuid) {
            Some(id) => engine.load::<Resource>(tenant, id).await?,
            None => None,
        };
        let profile = resource.as_ref().and_then(|(resource, _)| resource.profile());
        let during = details.slot.during;
        Ok(Known {
            client: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
            language: language.cloned(),
            service: terms.map_or(UNNAMED_SERVICE, |terms| terms.name.as_str()).to_owned(),
            start: during.start(),
            end: during.end(),
            zone: profile.map_or(Tz::UTC, |profile| profile.time_zone),
            location: details.location.clone(),
            hold_expires_at: appointment.and_then(Appointment::hold_expires_at),
        })
    }
}
