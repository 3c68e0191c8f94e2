//! Which template a path names.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use daybook_store::templates::TemplateKey;
use serde::Deserialize;
use utoipa::IntoParams;

use super::MessageKind;
use crate::App;
use crate::http::Problem;

/// The members of `/v1/templates/{kind}/{language}`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct TemplateParams {
    /// What the messages are for.
    kind: MessageKind,
    /// The language of whom it is for, or `default`.
    #[param(min_length = 2, max_length = 35, example = "nb")]
    language: String,
}

/// The template that they name. What is neither a kind nor a language names nothing that is there.
pub(crate) struct PathTemplate(pub(crate) TemplateKey);

impl FromRequestParts<App> for PathTemplate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let path = Path::<TemplateParams>::from_request_parts(parts, app).await;
        let Path(TemplateParams { kind, language }) =
            path.map_err(|_| Problem::not_found("template"))?;
        let language = language.parse().map_err(|_| Problem::not_found("language"))?;
        Ok(Self(TemplateKey { kind, language }))
    }
}
