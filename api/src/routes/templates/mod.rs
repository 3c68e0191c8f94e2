//! `/v1/templates`: what the tenant writes to clients in its own words.
//!
//! * `read`: which there are. `change`: putting and deleting one. `preview`: what would be written, which is sent to nobody.
//! * `path`: which one a path names.

mod change;
mod path;
mod preview;
mod read;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::sending::Kind as MessageKind;
use daybook_store::templates::{
    Changed, KeptTemplate, MAX_TEMPLATES, TemplateError, TemplateHead, TemplateText, Templates,
};
use daybook_wording::{Fault, Template};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_templates))
        .routes(routes!(read::get_template, change::put_template, change::delete_template))
        .routes(routes!(preview::preview_template))
}

/// What is written, in the language of Jinja; all of it together has at most 16 KiB.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplateBody {
    /// One line.
    #[schema(
        min_length = 1,
        max_length = 16384,
        example = "{{ appointment.service }}: {{ appointment.start.date }}"
    )]
    subject: String,
    #[schema(
        min_length = 1,
        max_length = 16384,
        example = "Hello {{ client.name }},\n\nwe expect you at {{ appointment.start.time }}.\n"
    )]
    text: String,
    /// The same for whoever reads HTML, as a whole document; left out: the mail is of text alone. What is said in it is
    /// escaped.
    #[schema(min_length = 1, max_length = 16384)]
    html: Option<String>,
}

impl From<TemplateBody> for TemplateText {
    fn from(TemplateBody { subject, text, html }: TemplateBody) -> Self {
        Self { subject, text, html }
    }
}

/// A template, without what stands in it.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateHeadView {
    kind: MessageKind,
    /// A language, or `default`.
    #[schema(example = "nb")]
    language: String,
    /// Who did: the `actor` of events.
    changed_by: String,
    changed_at: DateTime<Utc>,
}

/// A template.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateView {
    #[serde(flatten)]
    head: TemplateHeadView,
    subject: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

impl From<TemplateHead> for TemplateHeadView {
    fn from(TemplateHead { key, changed }: TemplateHead) -> Self {
        let Changed { by: changed_by, at: changed_at } = changed;
        Self { kind: key.kind, language: key.language.to_string(), changed_by, changed_at }
    }
}

impl From<KeptTemplate> for TemplateView {
    fn from(KeptTemplate { key, text, changed }: KeptTemplate) -> Self {
        let (head, TemplateText { subject, text, html }) = (TemplateHead { key, changed }, text);
        Self { head: head.into(), subject, text, html }
    }
}

impl App {
    fn templates(&self) -> Templates {
        Templates::new(self.engine.log())
    }

    /// What is made of a template: beside the runtime, for it may take as long as its bounds let it.
    async fn made_of<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        text: TemplateText,
        make: impl FnOnce(Template<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<(T, TemplateText), Problem> {
        let written = self.heavy.run(tenant, move |_| {
            let TemplateText { subject, text: plain, html } = &text;
            let written = make(Template { subject, text: plain, html: html.as_deref() });
            (written, text)
        });
        let (written, text) = written.await?;
        Ok((written.map_err(|fault| faulty(&fault))?, text))
    }
}

/// What is wrong with a template that somebody has sent.
fn faulty(fault: &Fault) -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let title = "The template cannot be used";
    let problem = Problem::new(status, "faulty-template", title, fault.to_string())
        .with("part", fault.part.as_str())
        .with("fault", fault.wrong.as_str());
    match fault.place {
        Some(place) => problem.with("line", place.line).with("column", place.column),
        None => problem,
    }
}

impl From<TemplateError> for Problem {
    fn from(error: TemplateError) -> Self {
        let detail = error.to_string();
        match error {
            TemplateError::NoTenant => Self::not_found("tenant"),
            TemplateError::TooMany => {
                let title = "The tenant has too many templates";
                Self::new(StatusCode::CONFLICT, "too-many-templates", title, detail)
                    .with("limit", MAX_TEMPLATES)
            }
            TemplateError::Outdated => crate::http::etag::outdated(),
            TemplateError::Database(error) => error.into(),
        }
    }
}
