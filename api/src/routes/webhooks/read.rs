//! `GET /v1/webhooks` and `GET /v1/webhooks/{id}`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::WebhookView;
use crate::App;
use crate::http::{Answer, Caller, Manage, NoQuery, PathId, Problem};
use crate::routes::problems::ReadProblems;

/// The tenant's endpoints.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookList {
    items: Vec<WebhookView>,
}

/// List webhooks
///
/// All endpoints of the tenant, oldest first, and how far each was told: at most 20.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks",
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "All of them", body = WebhookList), ReadProblems)
)]
pub(crate) async fn list_webhooks(
    State(app): State<App>,
    caller: Caller<Manage>,
    _: NoQuery,
) -> Result<Json<WebhookList>, Problem> {
    let (listed, now) = (app.webhooks().list(&caller.tenant).await?, app.engine.clock().now());
    let items = listed.into_iter().map(|webhook| WebhookView::of(webhook, now)).collect();
    Ok(Json(WebhookList { items }))
}

/// Get a webhook
///
/// An endpoint, how far it was told, and whether it is being tried again or was given up.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}", tag = "webhooks",
    params(("id" = Uuid, Path)), security(("api_key" = ["manage"])),
    responses((status = 200, description = "The endpoint", body = WebhookView), ReadProblems)
)]
pub(crate) async fn get_webhook(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Answer<WebhookView>, Problem> {
    let webhook = app.webhooks().find(&caller.tenant, id).await?;
    let version = webhook.version;
    let view = WebhookView::of(webhook, app.engine.clock().now());
    Ok(Answer::seen(Some(version), None, view))
}
