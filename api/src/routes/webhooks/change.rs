//! `PATCH` and `DELETE /v1/webhooks/{id}`, and `POST /v1/webhooks/{id}/replay`

use axum::Json;
use axum::extract::State;
use daybook_store::Position;
use daybook_store::webhooks::{Webhook, WebhookError, WebhookPatch};
use serde::Deserialize;
use utoipa::ToSchema;

use super::make::within;
use super::{WebhookChanges, WebhookView, note};
use crate::App;
use crate::http::{
    Analytics, Answer, Body, Caller, DryRun, IfMatch, Manage, PatchRequest, PathId, Problem, Query,
    auth,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Change a webhook
///
/// What is left out stays. `active: false` leaves the endpoint alone, and `active: true` goes on from where it is, also where
/// it was given up. One that is told what is personal is changed by those alone who may have that told.
#[utoipa::path(
    patch, path = "/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = Uuid, Path), DryRun, IfMatch),
    request_body(content((WebhookChanges = "application/merge-patch+json"),
                         (WebhookChanges = "application/json"))),
    security(("api_key" = ["analytics", "manage"])),
    responses((status = 200, description = "It is changed", body = WebhookView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_webhook(
    State(app): State<App>,
    caller: Caller<(Analytics, Manage)>,
    PathId(id): PathId,
    request: PatchRequest<WebhookPatch>,
) -> Result<Answer<WebhookView>, Problem> {
    let before = app.webhooks().find(&caller.tenant, id).await?;
    if before.terms.tells_personal() {
        caller.must_have::<auth::Privacy>("to change what is told personal data")?;
    }
    let (context, patch) = request.of(&caller);
    let (terms, seen) = (patch.terms(&before.terms), context.expected_version);
    app.may_be_told(&caller, &terms)?;
    let now = app.engine.clock().now();
    if context.dry_run {
        if seen.is_some_and(|seen| seen != before.version) {
            return Err(WebhookError::Stale { present: before.version }.into());
        }
        let mut view = WebhookView::of(Webhook { terms, ..before }, now);
        view.active = patch.active.0.unwrap_or(view.active);
        return Ok(Answer::tried(view));
    }
    let changed = app.webhooks().change(&caller.tenant, id, seen, &patch, now).await?;
    note(&caller, id, "changed a webhook");
    let version = changed.version;
    Ok(Answer::seen(Some(version), None, WebhookView::of(changed, now)))
}

/// Delete a webhook
///
/// The endpoint is told nothing more. What is being sent to it at this moment arrives all the same.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = Uuid, Path), DryRun), security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is told nothing more", body = WebhookView), ReadProblems)
)]
pub(crate) async fn delete_webhook(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<WebhookView>, Problem> {
    let (webhooks, now) = (app.webhooks(), app.engine.clock().now());
    if dry_run.is_asked_for() {
        let webhook = webhooks.find(&caller.tenant, id).await?;
        return Ok(Json(WebhookView::of(webhook, now)));
    }
    let removed = webhooks.remove(&caller.tenant, id, now).await?;
    note(&caller, id, "removed a webhook");
    Ok(Json(WebhookView::of(removed, now)))
}

/// From where an endpoint is told again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayBody {
    /// The position after which it begins: 0 for all that there is.
    #[schema(minimum = 0)]
    after: Position,
}

/// Replay to a webhook
///
/// Tells the endpoint what comes after a position, once more, each with the same `webhook-id` as before. One that is told
/// nothing begins there when it is active again. A position further on leaves out what is between.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/replay", tag = "webhooks",
    params(("id" = Uuid, Path), DryRun),
    request_body = ReplayBody, security(("api_key" = ["analytics", "manage"])),
    responses((status = 200, description = "It is told again", body = WebhookView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn replay_webhook(
    State(app): State<App>,
    caller: Caller<(Analytics, Manage)>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
    Body(ReplayBody { after }): Body<ReplayBody>,
) -> Result<Json<WebhookView>, Problem> {
    let (webhooks, now) = (app.webhooks(), app.engine.clock().now());
    let mut webhook = webhooks.find(&caller.tenant, id).await?;
    if webhook.terms.tells_personal() {
        caller.must_have::<auth::Privacy>("to have personal data told again")?;
    }
    let after = within(after, webhook.status.head)?;
    if dry_run.is_asked_for() {
        webhook.status.position = after;
        return Ok(Json(WebhookView::of(webhook, now)));
    }
    let replayed = webhooks.replay(&caller.tenant, id, after).await?;
    note(&caller, id, "set a webhook back");
    Ok(Json(WebhookView::of(replayed, now)))
}
