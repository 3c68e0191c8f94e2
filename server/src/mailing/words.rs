//! What is written to a client: in the tenant's words, or in daybook's.

use chrono::{DateTime, Utc};
use daybook_domain::sending::Kind;
use daybook_domain::{Location, TenantId};
use daybook_store::metrics::TEMPLATE_FAULTS;
use daybook_store::templates::{KeptTemplate, TemplateText};
use daybook_wording::{Said, Template, Written, own};
use metrics::counter;
use tokio::task::block_in_place;

use super::Mailer;
use super::about::About;

impl Mailer {
    /// A message about something; of an offer, it is said until when that is. A template that cannot be used holds nothing up:
    /// then it is daybook's own words that the client reads.
    pub(super) async fn written(
        &self,
        tenant: &TenantId,
        about: &About,
        (kind, until): (Kind, Option<DateTime<Utc>>),
    ) -> Result<Written, sqlx::Error> {
        let said = Said {
            kind,
            client: about.name(),
            service: about.service(),
            start: about.start,
            end: about.end,
            zone: about.zone,
            location: about.location.as_ref().map(Location::as_str),
            until,
        };
        let language = about.contact.language.as_ref().and_then(|language| language.reveal());
        let template = self.templates.for_client(tenant, kind, language).await?;
        Ok(template.map_or_else(|| own(&said), |template| in_words_of(tenant, &template, &said)))
    }
}

fn in_words_of(tenant: &TenantId, template: &KeptTemplate, said: &Said<'_>) -> Written {
    let TemplateText { subject, text, html } = &template.text;
    let words = Template { subject, text, html: html.as_deref() };
    // It may take as long as its bounds let it.
    block_in_place(|| words.write(said)).unwrap_or_else(|fault| {
        counter!(TEMPLATE_FAULTS).increment(1);
        // In words, the fault can quote what was to be said.
        let (part, wrong) = (fault.part.as_str(), fault.wrong.as_str());
        let line = fault.place.map(|place| place.line);
        tracing::warn!(%tenant, template = %template.key, part, wrong, line, "daybook's own words are sent");
        own(said)
    })
}
