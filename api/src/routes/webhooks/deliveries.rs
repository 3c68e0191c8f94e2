//! `GET /v1/webhooks/{id}/deliveries`

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use daybook_projections::Limit;
use daybook_store::webhooks::{Delivery, deliveries};
use daybook_store::{Position, hex};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::query::query_params;
use crate::http::{Caller, Manage, PathId, Problem, Query, link};
use crate::routes::listing::List;
use crate::routes::problems::ReadProblems;

query_params! {
    /// Which page.
    pub(crate) struct DeliveryParams {
        /// The most items of a page: 1 to 200, 50 where it is left out.
        limit: Option<Limit>,
        /// The `next_cursor` of the page before.
        cursor: Option<Uuid>,
    }
}

/// An attempt to tell an endpoint an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    id: Uuid,
    /// Of the event.
    position: Position,
    /// The how manieth in a row.
    attempt: u32,
    sent_at: DateTime<Utc>,
    /// The HTTP status of the answer, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why it was not received, in a word; left out: it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    duration_milliseconds: u64,
    /// The SHA-256 of the body, in hexadecimal: what was in it is kept nowhere.
    #[schema(min_length = 64, max_length = 64)]
    body_sha256: String,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let Delivery { id, position, attempt, at: sent_at, status, failure, took, body_sha256 } =
            delivery;
        let duration_milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let body_sha256 = hex(&body_sha256);
        Self { id, position, attempt, sent_at, status, failure, duration_milliseconds, body_sha256 }
    }
}

/// List a webhook's deliveries
///
/// What was sent to the endpoint in the last 30 days, the latest first, and what came of it.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = Uuid, Path), DeliveryParams), security(("api_key" = ["manage"])),
    responses((status = 200, description = "A page", body = List<DeliveryView>), ReadProblems)
)]
pub(crate) async fn list_webhook_deliveries(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    uri: Uri,
    Query(DeliveryParams { limit, cursor }): Query<DeliveryParams>,
) -> Result<Response, Problem> {
    app.webhooks().find(&caller.tenant, id).await?;
    let (pool, limit) = (app.engine.log().pool(), limit.unwrap_or_default().items());
    let page = deliveries(pool, &caller.tenant, id, cursor, limit).await?;
    let next_cursor = page.next.map(|next| next.to_string());
    let next = next_cursor.as_deref().and_then(|cursor| link(&uri, cursor));
    let items = page.items.into_iter().map(DeliveryView::from).collect();
    let mut response = Json(List { items, next_cursor }).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}
