//! `POST /v1/webhooks` and `POST /v1/webhooks/{id}/rotate-secret`: what shows a secret.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use daybook_store::Position;
use daybook_store::followers::{FollowerState, FollowerStatus};
use daybook_store::webhooks::{NewWebhook, Webhook, WebhookTerms};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{NewWebhookView, WebhookBody, WebhookView, bad, kept_by_nobody, note};
use crate::App;
use crate::http::{
    Analytics, Answer, Body, Caller, Created, DryRun, Manage, PathId, Problem, Query,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// For how long both secrets are good where nothing is said, and at most.
const OVERLAP_HOURS: u16 = 24;
const MAX_OVERLAP_HOURS: u16 = 720;

/// Make a webhook
///
/// From now on the endpoint is told what happens: each event as a CloudEvent, in the order of the log, at least once, signed as
/// [Standard Webhooks](https://www.standardwebhooks.com) has it. The next one is sent when it has answered with a 2xx; until
/// then the same one is tried again, for three days at most. Its secret is shown in the answer to this, and never again: so a
/// request that is sent again makes another one, whatever its `Idempotency-Key`. A tenant has at most 20 (`too-many-webhooks`).
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "webhooks", params(DryRun),
    request_body = WebhookBody, security(("api_key" = ["analytics", "manage"])),
    responses((status = 201, description = "It is told what happens", body = NewWebhookView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_webhook(
    State(app): State<App>,
    caller: Caller<(Analytics, Manage)>,
    Query(dry_run): Query<DryRun>,
    Body(body): Body<WebhookBody>,
) -> Result<Response, Problem> {
    let WebhookBody { url, event_types, categories, personal, active, after } = body;
    let terms = WebhookTerms { url, event_types, categories, personal };
    app.may_be_told(&caller, &terms)?;
    let head = app.engine.log().head(&caller.tenant).await?.unwrap_or_default();
    let after = within(after.unwrap_or(head), head)?;
    let new = NewWebhook { terms, is_active: active.unwrap_or(true), after };
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        let webhook = WebhookView::of(tried(new, head, now), now);
        return Ok(Json(NewWebhookView { webhook, secret: None }).into_response());
    }
    let (webhook, secret) = app.webhooks().add(&caller.tenant, new, now).await?;
    note(&caller, webhook.id, "made a webhook");
    let (location, version) = (format!("/v1/webhooks/{}", webhook.id), webhook.version);
    let answer = Answer::seen(Some(version), None, NewWebhookView::of(webhook, &secret, now));
    Ok(kept_by_nobody(Created { location, answer }))
}

/// A place in the log.
pub(super) fn within(after: Position, head: Position) -> Result<Position, Problem> {
    if after <= head {
        return Ok(after);
    }
    Err(bad("after", &format!("the log ends at position {head}")))
}

fn tried(new: NewWebhook, head: Position, now: DateTime<Utc>) -> Webhook {
    let NewWebhook { terms, is_active, after: position } = new;
    let state = if is_active { FollowerState::Following } else { FollowerState::Paused };
    let status = FollowerStatus {
        position,
        head,
        state,
        failures: 0,
        failing_since: None,
        failure: None,
        due_at: None,
        stopped_at: None,
    };
    let id = Uuid::now_v7();
    Webhook { id, terms, version: 1, created_at: now, previous_until: None, status }
}

/// How the secret is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecretBody {
    /// For how many hours messages are signed with both; 24 where it is left out.
    #[schema(maximum = 720)]
    overlap_hours: Option<u16>,
}

/// Rotate a webhook's secret
///
/// Gives the endpoint another secret. For `overlap_hours` its messages have a signature by each, so whoever checks them has time to
/// take the new one.
#[utoipa::path(
    post, path = "/v1/webhooks/{id}/rotate-secret", tag = "webhooks",
    params(("id" = Uuid, Path), DryRun),
    request_body = Option<RotateSecretBody>, security(("api_key" = ["analytics", "manage"])),
    responses((status = 200, description = "It has another secret", body = NewWebhookView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn rotate_webhook_secret(
    State(app): State<App>,
    caller: Caller<(Analytics, Manage)>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
    Body(RotateSecretBody { overlap_hours }): Body<RotateSecretBody>,
) -> Result<Response, Problem> {
    let overlap_hours = overlap_hours.unwrap_or(OVERLAP_HOURS);
    if overlap_hours > MAX_OVERLAP_HOURS {
        return Err(bad("overlap_hours", &format!("at most {MAX_OVERLAP_HOURS}")));
    }
    let (overlap, now) = (TimeDelta::hours(overlap_hours.into()), app.engine.clock().now());
    if dry_run.is_asked_for() {
        let webhook = app.webhooks().find(&caller.tenant, id).await?;
        let webhook = Webhook { previous_until: Some(now + overlap), ..webhook };
        let webhook = WebhookView::of(webhook, now);
        return Ok(Json(NewWebhookView { webhook, secret: None }).into_response());
    }
    let rotated = app.webhooks().rotate_secret(&caller.tenant, id, overlap, now).await?;
    let (webhook, secret) = rotated;
    note(&caller, id, "rotated a webhook's secret");
    Ok(kept_by_nobody(Json(NewWebhookView::of(webhook, &secret, now))))
}
