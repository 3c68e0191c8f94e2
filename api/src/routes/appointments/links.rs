//! `/v1/appointments/{id}/links`: links for the client, who has no key.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::rights::{LinkActions, links_end};
use daybook_store::engine::Known;
use daybook_store::keys::links::{self, ListedLink, NewLink};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::http::{
    Answer, Body, Book, Caller, Created, DryRun, NoQuery, PathId, PathIds, Personal, Problem,
    Query, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// What a link is to be good for.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinkBody {
    /// What it is good for; left out: all of it.
    #[serde(default = "LinkActions::all")]
    #[schema(min_items = 1)]
    actions: LinkActions,
}

/// A link, but for its text, which nobody keeps.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkView {
    /// Events that come of it have it as the actor.
    id: Uuid,
    actions: LinkActions,
    created_at: DateTime<Utc>,
    /// When it ends as things are: a day after the visit, or after it was cancelled.
    expires_at: DateTime<Utc>,
    /// When it was used last, to the minute; left out where it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
    /// Since when it is none, where it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
}

/// A link that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewLinkView {
    #[serde(flatten)]
    listed: LinkView,
    /// What is sent as `Authorization: Bearer`. It is shown this once; left out in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// The links of an appointment.
#[derive(Serialize, ToSchema)]
pub(crate) struct LinkList {
    items: Vec<LinkView>,
}

impl LinkView {
    fn of(listed: ListedLink, visit: DateTime<Utc>) -> Self {
        let ListedLink { id, actions, created_at, expires_at, last_used_at, revoked_at } = listed;
        Self {
            id,
            actions,
            created_at,
            expires_at: expires_at.min(visit),
            last_used_at,
            revoked_at,
        }
    }
}

/// Make a link for the client
///
/// Whoever has it can do what it is good for with this appointment, and nothing else: see, move and cancel it as the client, within the
/// service's windows. It is shown in the answer to this, and never again. It ends a day after the visit, a day after that was
/// cancelled, or when it is revoked. Looking never changes anything, so a program that opens links in messages does no harm.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/links", tag = "appointments",
    params(("id" = Uuid, Path), DryRun), request_body = Option<LinkBody>,
    security(("api_key" = ["book", "personal"])),
    responses((status = 201, description = "It is made", body = NewLinkView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_link(
    State(app): State<App>,
    caller: Caller<Within<(Book, Personal)>>,
    PathId(id): PathId,
    Query(dry_run): Query<DryRun>,
    Body(LinkBody { actions }): Body<LinkBody>,
) -> Result<Response, Problem> {
    caller.must_be_staff()?;
    if actions.is_empty() {
        return Err(Problem::bad_body("actions: a link is good for something"));
    }
    let (known, visit) = app.visit(&caller, id).await?;
    let now = app.engine.clock().now();
    if visit <= now {
        let title = "The visit is over";
        let detail = "a link would have ended already";
        return Err(Problem::new(StatusCode::CONFLICT, "visit-is-over", title, detail));
    }
    let client_id = known.state.details().ok_or_else(Problem::internal)?.client_id;
    let new = NewLink { appointment_id: id.into(), client_id, actions };
    if dry_run.is_asked_for() {
        let listed = LinkView::of(ListedLink::of(Uuid::now_v7(), &new, now), visit);
        return Ok(Json(NewLinkView { listed, token: None }).into_response());
    }
    let pool = app.engine.log().pool();
    let (token, listed) = links::create(pool, &caller.tenant, new, now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), link = %listed.id, "made a link");
    let view = NewLinkView { listed: LinkView::of(listed, visit), token: Some(token) };
    // Where it is listed.
    let location = format!("/v1/appointments/{id}/links");
    let mut response = Created { location, answer: Answer::seen(None, None, view) }.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// List the links of an appointment
///
/// Oldest first; those that were revoked stay until there is no room for a new one.
#[utoipa::path(
    get, path = "/v1/appointments/{id}/links", tag = "appointments",
    params(("id" = Uuid, Path)), security(("api_key" = ["book", "personal"])),
    responses((status = 200, description = "All of them", body = LinkList), ReadProblems)
)]
pub(crate) async fn list_links(
    State(app): State<App>,
    caller: Caller<Within<(Book, Personal)>>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Json<LinkList>, Problem> {
    let (_, visit) = app.visit(&caller, id).await?;
    let listed = links::list(app.engine.log().pool(), &caller.tenant, id.into()).await?;
    let items = listed.into_iter().map(|listed| LinkView::of(listed, visit)).collect();
    Ok(Json(LinkList { items }))
}

/// Revoke a link
///
/// It ends at once on every program. One that has ended stays as it is.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/links/{link_id}/revoke", tag = "appointments",
    params(("id" = Uuid, Path), ("link_id" = Uuid, Path), DryRun),
    security(("api_key" = ["book", "personal"])),
    responses((status = 200, description = "It has ended", body = LinkView), ReadProblems)
)]
pub(crate) async fn revoke_link(
    State(app): State<App>,
    caller: Caller<Within<(Book, Personal)>>,
    PathIds(id, link): PathIds,
    Query(dry_run): Query<DryRun>,
) -> Result<Json<LinkView>, Problem> {
    let (_, visit) = app.visit(&caller, id).await?;
    let now = app.engine.clock().now();
    let all = links::list(app.engine.log().pool(), &caller.tenant, id.into()).await?;
    let found = all.into_iter().find(|listed| listed.id == link);
    let listed = found.ok_or_else(|| Problem::not_found("link"))?;
    let revoked_at = listed.revoked_at.or(Some(now));
    let view = LinkView::of(ListedLink { revoked_at, ..listed }, visit);
    if dry_run.is_asked_for() {
        return Ok(Json(view));
    }
    app.keys.revoke_link(&caller.tenant, (id.into(), link), now).await?;
    tracing::info!(tenant = %caller.tenant, actor = caller.actor(), link = %link, "revoked a link");
    Ok(Json(view))
}

impl App {
    /// An appointment that the caller sees, and when its links end.
    async fn visit<S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
    ) -> Result<(Known<Appointment>, DateTime<Utc>), Problem> {
        let known = self.known_to::<Appointment, S>(caller, id, None).await?;
        let none = || Problem::not_found("appointment");
        let known = known.ok_or_else(none)?;
        let visit = links_end(&known.state, known.updated_at).ok_or_else(none)?;
        Ok((known, visit))
    }
}
