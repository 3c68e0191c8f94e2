//! `PUT` and `DELETE /v1/templates/{kind}/{language}`

use axum::Json;
use axum::extract::State;
use daybook_domain::rights::Principal;
use daybook_store::templates::{Changed, KeptTemplate, TemplateKey};

use super::path::{PathTemplate, TemplateParams};
use super::{TemplateBody, TemplateView};
use crate::App;
use crate::http::etag::{self, IfMatchTag, SeenTag};
use crate::http::{Answer, Body, Caller, DryRun, Manage, Problem, Query};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Put a template
///
/// From now on clients are written this instead of daybook's own words: those whose `language` it is, or one that is a kind of it
/// (`pt-br` of `pt`); by `default`, those for whom there is none in theirs. It is tried with examples first, and refused where it
/// names what there is not, or could not be written (`faulty-template`, with `part`, `line` and `column`). A tenant has at most
/// 100 (`too-many-templates`).
#[utoipa::path(
    put, path = "/v1/templates/{kind}/{language}", tag = "templates",
    params(TemplateParams, DryRun, IfMatchTag),
    request_body = TemplateBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is used from now on", body = TemplateView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn put_template(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathTemplate(key): PathTemplate,
    seen: SeenTag,
    Query(dry_run): Query<DryRun>,
    Body(body): Body<TemplateBody>,
) -> Result<Answer<TemplateView>, Problem> {
    let kind = key.kind;
    let checked = app.made_of(&caller.tenant, body.into(), move |template| template.check(kind));
    let ((), text) = checked.await?;
    let changed = Changed { by: caller.actor(), at: app.engine.clock().now() };
    let new = KeptTemplate { key, text, changed };
    // Of what is not there nobody has seen a tag.
    let is_seen = |now: Option<&KeptTemplate>| seen.is_of(&now.cloned().map(TemplateView::from));
    if dry_run.is_asked_for() {
        let now = app.templates().find(&caller.tenant, &new.key).await?;
        let is_seen = is_seen(now.as_ref());
        return is_seen.then(|| Answer::tried(new.into())).ok_or_else(etag::outdated);
    }
    let put = app.templates().put(&caller.tenant, new, is_seen).await?;
    note(&caller, &put.key, "put a template");
    Ok(Answer::seen(None, None, put.into()))
}

/// Delete a template
///
/// Whom it was for is written the tenant's `default` from now on, or daybook's own words.
#[utoipa::path(
    delete, path = "/v1/templates/{kind}/{language}", tag = "templates",
    params(TemplateParams, DryRun),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is used no more", body = TemplateView), ReadProblems)
)]
pub(crate) async fn delete_template(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathTemplate(key): PathTemplate,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<TemplateView>, Problem> {
    let templates = app.templates();
    let removed = if dry_run.is_asked_for() {
        templates.find(&caller.tenant, &key).await?
    } else {
        templates.remove(&caller.tenant, &key, app.engine.clock().now()).await?
    };
    let removed = removed.ok_or_else(|| Problem::not_found("template"))?;
    if !dry_run.is_asked_for() {
        note(&caller, &key, "deleted a template");
    }
    Ok(Json(removed.into()))
}

/// What was done to a template, and by whom.
fn note(by: &Principal, key: &TemplateKey, what: &'static str) {
    let TemplateKey { kind, language } = key;
    tracing::info!(tenant = %by.tenant, actor = by.actor(), %kind, %language, "{what}");
}
