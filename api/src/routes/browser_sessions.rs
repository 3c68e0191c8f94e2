//! `/v1/browser-sessions`: cookies for pages, so that they keep neither a key nor a token.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use daybook_domain::rights::Scopes;
use daybook_store::browser::{BrowserSession, LONGEST, MadeSession, MakeError, SessionHeld};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problems::ReadProblems;
use crate::App;
use crate::http::auth::Credential;
use crate::http::{
    Answer, Anybody, Caller, Created, DryRun, NoQuery, PathId, Problem, Query, Within, cookie,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_browser_sessions, make_browser_session))
        .routes(routes!(end_browser_session))
}

/// A session, but for its cookie, which nobody keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrowserSessionView {
    id: Uuid,
    /// Whether it is the one that asks.
    is_current: bool,
    created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    used_at: DateTime<Utc>,
    /// When it ends at the latest: earlier if nobody uses it for half an hour, or what it was made by ends.
    expires_at: DateTime<Utc>,
}

impl BrowserSessionView {
    fn of(session: &BrowserSession, current: Option<Uuid>) -> Self {
        let BrowserSession { id, created_at, used_at, ends_at: expires_at } = *session;
        Self { id, is_current: current == Some(id), created_at, used_at, expires_at }
    }
}

/// A session that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewBrowserSessionView {
    #[serde(flatten)]
    session: BrowserSessionView,
    /// What it is good for: the same as what it was made by.
    scopes: Scopes,
}

/// The sessions of one key, or of one person.
#[derive(Serialize, ToSchema)]
pub(crate) struct BrowserSessionList {
    items: Vec<BrowserSessionView>,
}

/// Who makes a session: by a key or a token alone. A cookie beside it is that of the session before.
pub(crate) struct Maker {
    caller: Caller<Within<Anybody>>,
    before: Option<String>,
}

impl FromRequestParts<App> for Maker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let before = cookie::sent(&parts.headers)?.map(str::to_owned);
        if before.is_some() {
            // So nobody is signed in by another site's page.
            cookie::refuse_other_sites(&parts.method, &parts.headers)?;
        }
        let caller = Caller::by_header(parts, app).await?;
        Ok(Self { caller, before })
    }
}

/// Make a session of a browser
///
/// For pages: the answer sets a cookie (`__Host-daybook`; `Secure`, `HttpOnly`, `SameSite=Lax`), which is good for what the
/// key or the token is good for with which this is asked, and ends with it: after 12 hours at the latest, and half an hour
/// after its last request. What is asked by cookie must come of a page of the same origin (`cross-site`), and never has an
/// `Authorization` beside (`two-credentials`). A cookie that is sent with this is of the session before, which ends. Of one
/// key, or one person, there are 50 sessions at most: those that were used longest ago end.
#[utoipa::path(
    post, path = "/v1/browser-sessions", tag = "keys", params(DryRun), security(("api_key" = [])),
    responses((status = 201, description = "It is made", body = NewBrowserSessionView,
               headers(("Set-Cookie" = String, description = "The session's cookie."))),
              ReadProblems)
)]
pub(crate) async fn make_browser_session(
    State(app): State<App>,
    Maker { caller, before }: Maker,
    Query(dry_run): Query<DryRun>,
) -> Result<Response, Problem> {
    let scopes = caller.scopes;
    let view =
        |session| NewBrowserSessionView { session: BrowserSessionView::of(session, None), scopes };
    if dry_run.is_asked_for() {
        let now = app.engine.clock().now();
        let ends_at = now + LONGEST;
        let tried = BrowserSession { id: Uuid::now_v7(), created_at: now, used_at: now, ends_at };
        return Ok(Answer::tried(view(&tried)).into_response());
    }
    if let Some(before) = before
        && let SessionHeld::By(session) = app.sessions_of_browsers.holder(&before).await?
    {
        let tenant = &session.principal.tenant;
        app.sessions_of_browsers.end(tenant, session.maker_id, session.id).await?;
    }
    let MadeSession { text, listed } = match &caller.credential {
        Credential::Key(key) => app.sessions_of_browsers.make_by_key(&caller, key).await?,
        Credential::Token(token) => app.sessions_of_browsers.make_by_token(token).await?,
        // It was shown by a header, where there are none.
        Credential::Session(_) => return Err(Problem::internal()),
    };
    let seconds = (listed.ends_at - listed.created_at).num_seconds();
    let location = format!("/v1/browser-sessions/{}", listed.id);
    let answer = Answer::seen(None, None, view(&listed));
    Ok(with_cookie(Created { location, answer }.into_response(), &cookie::set(&text, seconds)))
}

/// List sessions of browsers
///
/// Those of the same key, or of the same person, that have not ended: the one that was used last first.
#[utoipa::path(
    get, path = "/v1/browser-sessions", tag = "keys", security(("api_key" = [])),
    responses((status = 200, description = "All of them", body = BrowserSessionList), ReadProblems)
)]
pub(crate) async fn list_browser_sessions(
    State(app): State<App>,
    caller: Caller<Within<Anybody>>,
    _: NoQuery,
) -> Result<Json<BrowserSessionList>, Problem> {
    let (maker, current) = caller.credential.maker();
    let listed = app.sessions_of_browsers.list(&caller.tenant, maker).await?;
    let view = |session| BrowserSessionView::of(session, current);
    Ok(Json(BrowserSessionList { items: listed.iter().map(view).collect() }))
}

/// End a session of a browser
///
/// One of the same key, or of the same person: on every program within a second, with its streams of events. Where it is the
/// one that asks, it signs out, and the cookie is removed.
#[utoipa::path(
    delete, path = "/v1/browser-sessions/{id}", tag = "keys",
    params(("id" = Uuid, Path), DryRun), security(("api_key" = [])),
    responses((status = 200, description = "It has ended", body = BrowserSessionView), ReadProblems)
)]
pub(crate) async fn end_browser_session(
    State(app): State<App>,
    caller: Caller<Within<Anybody>>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
) -> Result<Response, Problem> {
    let (maker, current) = caller.credential.maker();
    let sessions = &app.sessions_of_browsers;
    let found = if dry_run.is_asked_for() {
        let listed = sessions.list(&caller.tenant, maker).await?;
        listed.into_iter().find(|session| session.id == id)
    } else {
        sessions.end(&caller.tenant, maker, id).await?
    };
    let found = found.ok_or_else(|| Problem::not_found("session of a browser"))?;
    let signs_out = current == Some(id) && !dry_run.is_asked_for();
    let response = Json(BrowserSessionView::of(&found, current)).into_response();
    Ok(if signs_out { with_cookie(response, &cookie::unset()) } else { response })
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<MakeError> for Problem {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::Database(error) => error.into(),
            MakeError::Random(error) => {
                Self::unavailable("no random bytes to be had").because(&error)
            }
        }
    }
}
