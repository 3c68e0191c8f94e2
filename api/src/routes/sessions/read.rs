//! `GET /v1/sessions`, `GET /v1/sessions/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::ServiceId;
use daybook_domain::session::{Session, SessionStatus};
use daybook_projections::Page;
use daybook_projections::sessions::{SessionFilter, Sessions};
use daybook_store::engine::Known;

use crate::App;
use crate::http::query::query_params;
use crate::http::{Answer, Caller, PathId, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{Days, List, Listed, PageParams, ReadParams};
use crate::routes::problems::ReadProblems;
use crate::views::{SessionView, Timed as _, Viewed as _};

/// Get a session
///
/// As the log has it now, or as of a moment, with the places that are free at that moment.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", tag = "sessions",
    params(("id" = Uuid, Path), ReadParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The session", body = SessionView), ReadProblems)
)]
pub(crate) async fn get_session(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    Query(ReadParams { moment: AsOfParams { as_of }, shown }): Query<ReadParams>,
) -> Result<Answer<SessionView>, Problem> {
    let tenant = &caller.tenant;
    let moment = app.as_of(tenant, as_of, None).await?;
    let known = app.known::<Session>(tenant, id, moment).await?;
    let Known { state: session, version, position } =
        known.ok_or_else(|| Problem::not_found("session"))?;
    let taken = match moment {
        None => {
            app.engine.who_is_in(tenant, &[(id.into(), &session)]).await?.iter().flatten().count()
        }
        Some(moment) => app.agenda.taken(tenant, (id.into(), &session), moment).await?,
    };
    let view = session.view(id, version).ok_or_else(Problem::internal)?;
    Ok(Answer::seen(Some(version), Some(position), view.with_taken(taken).shown_in(shown.tz)))
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct SessionParams {
        /// Of this service.
        service_id: Option<ServiceId>,
        /// Only those that are to take place, or only those that were cancelled.
        status: Option<SessionStatus>,
        ..days: Days,
        ..page: PageParams,
    }
}

/// List sessions
///
/// By start, each with the places that are free at this moment.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions",
    params(SessionParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<SessionView>),
              ReadProblems)
)]
pub(crate) async fn list_sessions(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(asked): Query<SessionParams>,
) -> Result<Listed<SessionView>, Problem> {
    let SessionParams { service_id, status, days, page } = asked;
    let (from, to) = app.days(&caller.tenant, &days).await?;
    let filter = SessionFilter { from, to, service_id, status };
    let (limit, cursor) = (page.limit(), page.cursor);
    let position = app.wait(&caller.tenant, Sessions::ID, page.fresh).await?;
    let page = app.sessions.page(&caller.tenant, &filter, cursor.as_ref(), limit).await?;
    let sessions: Vec<_> =
        page.items.iter().map(|listed| (listed.session_id, &listed.session)).collect();
    let who = app.engine.who_is_in(&caller.tenant, &sessions).await?;
    let views = page.items.into_iter().zip(who).map(|(listed, who)| {
        let view = listed.session.view(listed.session_id.uuid(), listed.version)?;
        Some(view.with_taken(who.len()))
    });
    let items = views.collect::<Option<Vec<_>>>().ok_or_else(Problem::internal)?;
    let page = Page { items, next: page.next };
    Ok(Listed::of(uri, position, page, |view| view).shown_in(days.tz))
}
