//! `/v1/keys`: the tenant's API keys.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::Name;
use daybook_domain::rights::{Limits, Scopes};
use daybook_store::keys::links::MAX_LINKS;
use daybook_store::keys::{
    self, CreateKeyError, CreatedKey, ListedKey, MAX_KEYS, NewKey, RotateKeyError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::instant::Instant;
use crate::http::{
    Answer, Body, Caller, Created, DryRun, Keys, NoQuery, PathId, Problem, Query, auth,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_keys, create_key))
        .routes(routes!(get_key))
        .routes(routes!(revoke_key))
        .routes(routes!(rotate_key))
}

/// How long both keys are good where nothing is said, and at most.
const OVERLAP_HOURS: u16 = 24;
const MAX_OVERLAP_HOURS: u16 = 720;

/// What a key is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyBody {
    /// What people call it.
    name: Name,
    /// What it is good for: nothing that yours is not.
    #[schema(min_items = 1)]
    scopes: Scopes,
    /// Of what it is good for that; left out: of all of the tenant.
    #[serde(default)]
    limits: Limits,
    /// From when on it is none; left out: until it is revoked.
    expires_at: Option<Instant>,
}

/// How it is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateBody {
    /// For how many hours both are good; 24 where it is left out.
    #[schema(maximum = 720)]
    overlap_hours: Option<u16>,
    /// From when on the new one is none; left out: it is good for as long as the old one was to be.
    expires_at: Option<Instant>,
}

/// A key, but for its text, which nobody keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// It is part of the key, and stands in events and in the log as the actor.
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    scopes: Scopes,
    /// Of what it is good for that; left out: of all of the tenant.
    #[serde(skip_serializing_if = "Limits::are_none")]
    limits: Limits,
    created_at: DateTime<Utc>,
    /// From when on it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute; left out where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
    /// Since when it is none, where it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
    /// The key that it was made to replace.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces_id: Option<Uuid>,
}

impl From<ListedKey> for KeyView {
    fn from(key: ListedKey) -> Self {
        let ListedKey { id, name, scopes, limits, created_at, expires_at, .. } = key;
        let ListedKey { last_used_at, revoked_at, replaces: replaces_id, .. } = key;
        Self {
            id,
            name,
            scopes,
            limits,
            created_at,
            expires_at,
            last_used_at,
            revoked_at,
            replaces_id,
        }
    }
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKeyView {
    #[serde(flatten)]
    listed: KeyView,
    /// What is sent as `Authorization: Bearer`. It is shown this once; left out in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// The tenant's keys.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyList {
    items: Vec<KeyView>,
}

/// List keys
///
/// All that the tenant has, oldest first: at most 1,000. Those that have ended stay until there is no room for a new one.
#[utoipa::path(
    get, path = "/v1/keys", tag = "keys",
    security(("api_key" = ["keys"])),
    responses((status = 200, description = "All of them", body = KeyList), ReadProblems)
)]
pub(crate) async fn list_keys(
    State(app): State<App>,
    caller: Caller<Keys>,
    _: NoQuery,
) -> Result<Json<KeyList>, Problem> {
    let listed = keys::list(app.engine.log().pool(), &caller.tenant).await?;
    Ok(Json(KeyList { items: listed.into_iter().map(KeyView::from).collect() }))
}

/// Get a key
#[utoipa::path(
    get, path = "/v1/keys/{id}", tag = "keys",
    params(("id" = Uuid, Path)), security(("api_key" = ["keys"])),
    responses((status = 200, description = "The key", body = KeyView), ReadProblems)
)]
pub(crate) async fn get_key(
    State(app): State<App>,
    caller: Caller<Keys>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Answer<KeyView>, Problem> {
    Ok(Answer::seen(None, None, app.key(&caller, id).await?.into()))
}

/// Make a key
///
/// It is shown in the answer to this, and never again: so a request that is sent again makes another one, whatever its
/// `Idempotency-Key`. Nobody can give what their own key is not good for. A tenant has at most 1,000 keys that have not ended
/// (`too-many-keys`).
#[utoipa::path(
    post, path = "/v1/keys", tag = "keys", params(DryRun),
    request_body = KeyBody, security(("api_key" = ["keys"])),
    responses((status = 201, description = "It is made", body = NewKeyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_key(
    State(app): State<App>,
    caller: Caller<Keys>,
    Query(dry_run): Query<DryRun>,
    Body(KeyBody { name, scopes, limits, expires_at }): Body<KeyBody>,
) -> Result<Response, Problem> {
    if scopes.is_empty() {
        return Err(Problem::bad_body("scopes: a key is good for something"));
    }
    may_give(&caller, scopes)?;
    let now = app.engine.clock().now();
    let expires_at = to_come(expires_at, now)?;
    let new = NewKey { name: Some(name), scopes, limits, expires_at };
    if dry_run.is_asked_for() {
        return Ok(tried(new, None, now));
    }
    let created = keys::create(app.engine.log().pool(), &caller.tenant, new, now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), key = %created.listed.id, "made a key");
    Ok(made(created))
}

/// Revoke a key
///
/// It ends at once, and so do its streams of events: within a second on every program. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/v1/keys/{id}/revoke", tag = "keys",
    params(("id" = Uuid, Path), DryRun), security(("api_key" = ["keys"])),
    responses((status = 200, description = "It has ended", body = KeyView), ReadProblems)
)]
pub(crate) async fn revoke_key(
    State(app): State<App>,
    caller: Caller<Keys>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<KeyView>, Problem> {
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        let key = app.key(&caller, id).await?;
        let revoked_at = key.revoked_at.or(Some(now));
        return Ok(Json(ListedKey { revoked_at, ..key }.into()));
    }
    let revoked = app.keys.revoke(&caller.tenant, id, now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), key = %id, "revoked a key");
    revoked.map(|key| Json(key.into())).ok_or_else(|| Problem::not_found("key"))
}

/// Rotate a key
///
/// Makes a key that is good for the same, and lets the old one end after `overlap_hours`: so whoever uses it has time to
/// take the new one. Nobody can rotate a key that is good for more than their own.
#[utoipa::path(
    post, path = "/v1/keys/{id}/rotate", tag = "keys",
    params(("id" = Uuid, Path), DryRun),
    request_body = Option<RotateBody>, security(("api_key" = ["keys"])),
    responses((status = 201, description = "The new one is made", body = NewKeyView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn rotate_key(
    State(app): State<App>,
    caller: Caller<Keys>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
    Body(RotateBody { overlap_hours, expires_at }): Body<RotateBody>,
) -> Result<Response, Problem> {
    let overlap_hours = overlap_hours.unwrap_or(OVERLAP_HOURS);
    if overlap_hours > MAX_OVERLAP_HOURS {
        let detail = format!("overlap_hours: at most {MAX_OVERLAP_HOURS}");
        return Err(Problem::bad_body(detail));
    }
    let now = app.engine.clock().now();
    let expires_at = to_come(expires_at, now)?;
    let ends = (TimeDelta::hours(overlap_hours.into()), expires_at);
    if dry_run.is_asked_for() {
        let old = app.key(&caller, id).await?;
        let new = old.successor(expires_at, caller.scopes, now)?;
        return Ok(tried(new, Some(id), now));
    }
    let rotated = app.keys.rotate(&caller.tenant, id, ends, caller.scopes, now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), key = %id, "rotated a key");
    Ok(made(rotated))
}

impl App {
    async fn key(&self, caller: &Caller<Keys>, id: Uuid) -> Result<ListedKey, Problem> {
        let found = keys::find(self.engine.log().pool(), &caller.tenant, id).await?;
        found.ok_or_else(|| Problem::not_found("key"))
    }
}

fn may_give(caller: &Caller<Keys>, scopes: Scopes) -> Result<(), Problem> {
    auth::sufficient("to give this", scopes, caller.scopes)
}

fn to_come(
    expires_at: Option<Instant>,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    match expires_at {
        Some(Instant(end)) if end <= now => {
            Err(Problem::bad_body(format!("expires_at: {end} has passed")))
        }
        end => Ok(end.map(|Instant(end)| end)),
    }
}

fn made(CreatedKey { key, listed }: CreatedKey) -> Response {
    let location = format!("/v1/keys/{}", listed.id);
    let view = NewKeyView { listed: listed.into(), key: Some(key) };
    let mut response = Created { location, answer: Answer::seen(None, None, view) }.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn tried(new: NewKey, replaces: Option<Uuid>, now: DateTime<Utc>) -> Response {
    let listed = ListedKey::of(Uuid::now_v7(), new, replaces, now);
    Json(NewKeyView { listed: listed.into(), key: None }).into_response()
}

impl From<CreateKeyError> for Problem {
    fn from(error: CreateKeyError) -> Self {
        match error {
            CreateKeyError::TooMany => {
                let title = "The tenant has too many keys";
                Self::new(StatusCode::CONFLICT, "too-many-keys", title, error.to_string())
                    .with("limit", MAX_KEYS)
            }
            CreateKeyError::TooManyLinks => {
                let title = "The appointment has too many links";
                Self::new(StatusCode::CONFLICT, "too-many-links", title, error.to_string())
                    .with("limit", MAX_LINKS)
            }
            CreateKeyError::NoTenant => Self::not_found("tenant"),
            CreateKeyError::Database(error) => error.into(),
            CreateKeyError::Random(error) => {
                Self::unavailable("no random bytes to be had").because(&error)
            }
        }
    }
}

impl From<RotateKeyError> for Problem {
    fn from(error: RotateKeyError) -> Self {
        match error {
            RotateKeyError::NoKey => Self::not_found("key"),
            RotateKeyError::Ended => {
                let title = "The key has ended";
                Self::new(StatusCode::CONFLICT, "key-ended", title, error.to_string())
            }
            RotateKeyError::Larger { needed, held } => {
                let refused = auth::sufficient("to rotate it", needed, held);
                refused.err().unwrap_or_else(Self::internal)
            }
            RotateKeyError::Create(error) => error.into(),
        }
    }
}
