//! `GET /v1/templates` and `GET /v1/templates/{kind}/{language}`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::path::{PathTemplate, TemplateParams};
use super::{TemplateHeadView, TemplateView};
use crate::App;
use crate::http::{Answer, Caller, Manage, NoQuery, Problem};
use crate::routes::problems::ReadProblems;

/// The tenant's templates.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateList {
    items: Vec<TemplateHeadView>,
}

/// List templates
///
/// All of them, by kind and language, without what stands in them: at most 100.
#[utoipa::path(
    get, path = "/v1/templates", tag = "templates", security(("api_key" = ["manage"])),
    responses((status = 200, description = "All of them", body = TemplateList), ReadProblems)
)]
pub(crate) async fn list_templates(
    State(app): State<App>,
    caller: Caller<Manage>,
    _: NoQuery,
) -> Result<Json<TemplateList>, Problem> {
    let all = app.templates().list(&caller.tenant).await?;
    Ok(Json(TemplateList { items: all.into_iter().map(Into::into).collect() }))
}

/// Get a template
#[utoipa::path(
    get, path = "/v1/templates/{kind}/{language}", tag = "templates",
    params(TemplateParams),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "The template", body = TemplateView), ReadProblems)
)]
pub(crate) async fn get_template(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathTemplate(key): PathTemplate,
    _: NoQuery,
) -> Result<Answer<TemplateView>, Problem> {
    let found = app.templates().find(&caller.tenant, &key).await?;
    let found = found.ok_or_else(|| Problem::not_found("template"))?;
    Ok(Answer::seen(None, None, found.into()))
}
