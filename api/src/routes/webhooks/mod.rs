//! `/v1/webhooks`: endpoints of the tenant's that are told what happens.

mod change;
mod deliveries;
mod make;
mod read;

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use daybook_domain::Category;
use daybook_domain::rights::Principal;
use daybook_store::Position;
use daybook_store::feed::Privacy;
use daybook_store::followers::FollowerState;
use daybook_store::webhooks::{
    InvalidWebhookUrl, MAX_WANTED, MAX_WEBHOOKS, Secret, Webhook, WebhookError, WebhookPatch,
    WebhookTerms, WebhookUrl, Webhooks,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::App;
use crate::http::patch::patch_form;
use crate::http::{Caller, Problem, auth};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_webhooks, make::create_webhook))
        .routes(routes!(read::get_webhook, change::change_webhook, change::delete_webhook))
        .routes(routes!(change::replay_webhook))
        .routes(routes!(make::rotate_webhook_secret))
        .routes(routes!(deliveries::list_webhook_deliveries))
}

/// An endpoint that is to be told what happens.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookBody {
    /// Where it is: an https URL that everybody reaches. It is asked by `POST`, and nobody is followed elsewhere.
    #[schema(value_type = String, max_length = 1000, example = "https://example.org/daybook",
             pattern = r"^https?://[A-Za-z0-9.:\[\]-]+([/?][!-~]*)?$")]
    url: WebhookUrl,
    /// Which events it is told, like `AppointmentBooked`; left out or empty: all.
    #[serde(default)]
    #[schema(max_items = 50)]
    event_types: Vec<String>,
    /// Of what is in one of these categories, or was until then, however they are spelt; left out or empty: of anything.
    #[serde(default)]
    #[schema(max_items = 50, value_type = Vec<crate::schema::CategoryText>)]
    categories: Vec<Category>,
    /// Whether it is told names, addresses and notes of clients: `told` needs `privacy`.
    #[serde(default)]
    personal: Privacy,
    /// Whether it is told anything; left out: yes.
    active: Option<bool>,
    /// The position after which it begins; left out: after the present end of the log.
    #[schema(minimum = 0)]
    after: Option<Position>,
}

patch_form! {
    /// What changes of an endpoint. One that is not told what is personal begins to be with the next event.
    WebhookChanges: WebhookPatch of WebhookBody
}

/// An endpoint, but for its secret, which is shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookView {
    id: Uuid,
    #[schema(value_type = String)]
    url: WebhookUrl,
    event_types: Vec<String>,
    #[schema(value_type = Vec<crate::schema::CategoryText>)]
    categories: Vec<Category>,
    personal: Privacy,
    /// Whether it is told anything: not where it was given up, or is to be left alone.
    active: bool,
    /// Up to here it was told.
    position: Position,
    /// How many events the log has after that, whether or not it asks for them.
    events_behind: u64,
    /// How many attempts have failed in a row; left out: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_attempts: Option<u32>,
    /// When the first of them failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failed_at: Option<DateTime<Utc>>,
    /// Why the last one failed, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was given up: it could not be told for three days, or has said that it is gone. `active: true` goes on with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_at: Option<DateTime<Utc>>,
    /// Until when messages are signed with the secret before as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_secret_expires_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// An endpoint whose secret was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewWebhookView {
    #[serde(flatten)]
    webhook: WebhookView,
    /// What its messages are signed with (Standard Webhooks). It is shown this once; left out in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookView {
    fn of(webhook: Webhook, now: DateTime<Utc>) -> Self {
        let Webhook { id, terms, created_at, previous_until, status, .. } = webhook;
        let WebhookTerms { url, event_types, categories, personal } = terms;
        let fails = status.failures > 0;
        Self {
            id,
            url,
            event_types,
            categories,
            personal,
            active: status.state == FollowerState::Following,
            position: status.position,
            events_behind: status.head.get().saturating_sub(status.position.get()),
            failed_attempts: fails.then_some(status.failures),
            first_failed_at: status.failing_since,
            failure: status.failure,
            next_attempt_at: status.due_at.filter(|_| fails),
            stopped_at: status.stopped_at,
            previous_secret_expires_at: previous_until.filter(|until| now < *until),
            created_at,
        }
    }
}

impl NewWebhookView {
    fn of(webhook: Webhook, secret: &Secret, now: DateTime<Utc>) -> Self {
        Self { webhook: WebhookView::of(webhook, now), secret: Some(secret.shown()) }
    }
}

/// An answer that has a secret: nobody keeps it.
fn kept_by_nobody(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl App {
    fn webhooks(&self) -> Webhooks {
        Webhooks::new(self.engine.log(), self.engine.keyring().cloned())
    }

    /// What is asked for, of somebody who may have it told.
    fn may_be_told<S>(&self, caller: &Caller<S>, terms: &WebhookTerms) -> Result<(), Problem> {
        let counts =
            [("event_types", terms.event_types.len()), ("categories", terms.categories.len())];
        for (member, count) in counts {
            if count > MAX_WANTED {
                return Err(bad(member, &format!("at most {MAX_WANTED}")));
            }
        }
        terms.filter().map_err(|error| bad("event_types", &error.to_string()))?;
        if terms.url.is_insecure() && !self.allows_insecure_webhooks {
            let detail = "an endpoint without TLS is told nothing by a program that others reach: \
                `daybook serve --allow-insecure-webhooks` is for trying it on one machine";
            return Err(bad("url", detail));
        }
        if terms.url.as_str().parse::<Uri>().is_err() {
            return Err(bad("url", &InvalidWebhookUrl.to_string()));
        }
        if terms.tells_personal() {
            caller.must_have::<auth::Privacy>("personal: told")?;
        }
        Ok(())
    }
}

fn bad(member: &str, why: &str) -> Problem {
    Problem::bad_body(format!("{member}: {why}")).with("member", member)
}

/// What was done to an endpoint, and by whom.
fn note(by: &Principal, id: Uuid, what: &'static str) {
    tracing::info!(tenant = %by.tenant, actor = by.actor(), webhook_id = %id, "{what}");
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        match error {
            WebhookError::NoTenant => Self::not_found("tenant"),
            WebhookError::NoWebhook => Self::not_found("webhook"),
            WebhookError::TooMany => {
                let title = "The tenant has too many webhooks";
                Self::new(StatusCode::CONFLICT, "too-many-webhooks", title, detail)
                    .with("limit", MAX_WEBHOOKS)
            }
            WebhookError::Stale { present } => {
                let title = "It has changed";
                Self::new(StatusCode::PRECONDITION_FAILED, "stale-version", title, detail)
                    .with("version", present)
            }
            WebhookError::NoMasterKey => Self::unavailable(detail),
            WebhookError::Secret(error) => {
                Self::unavailable("no random bytes to be had").because(&error)
            }
            WebhookError::Keyring(error) => error.read().into(),
            WebhookError::Database(error) => error.into(),
        }
    }
}
