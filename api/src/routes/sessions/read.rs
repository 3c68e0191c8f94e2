//! `GET /v1/sessions`, `GET /v1/sessions/{id}`

use axum::extract::State;
use axum::http::Uri;
use chrono::NaiveDate;
use daybook_domain::session::{Session, UnknownSessionStatus};
use daybook_projections::Cursor;
use daybook_projections::Page;
use daybook_projections::sessions::{SessionFilter, Sessions};
use utoipa::IntoParams;
use uuid::Uuid;

use super::SessionView;
use super::view::SessionStatusName;
use crate::App;
use crate::http::params::invalid;
use crate::http::{Answer, Caller, Params, PathId, Problem, Read};
use crate::routes::as_of::AsOfParam;
use crate::routes::commands::Shown as _;
use crate::routes::listing::{List, Listed, limit};
use crate::routes::problems::ReadProblems;

/// Get a session
///
/// As the log has it now, or as of a moment, with the places that are free at that moment.
#[utoipa::path(
    get, path = "/v1/sessions/{id}", tag = "sessions",
    params(("id" = Uuid, Path), AsOfParam),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The session", body = SessionView), ReadProblems)
)]
pub(crate) async fn get_session(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    mut params: Params,
) -> Result<Answer<SessionView>, Problem> {
    let tenant = &caller.tenant;
    let moment = app.as_of(tenant, &mut params).await?;
    params.finish()?;
    let found = app.loaded::<Session>(tenant, id, moment).await?;
    let (session, version) = found.ok_or_else(|| Problem::not_found("session"))?;
    let taken = match moment {
        None => {
            app.engine.who_is_in(tenant, &[(id.into(), &session)]).await?.iter().flatten().count()
        }
        Some(moment) => app.agenda.taken(tenant, (id.into(), &session), moment).await?,
    };
    let view = session.show(id, version).ok_or_else(Problem::internal)?;
    let position = moment.map(|moment| moment.position);
    Ok(Answer { version, position, body: view.with_taken(taken) })
}

/// The filters, for the documentation. All that are given must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `list_sessions`; this is how it is documented")]
pub(crate) struct SessionFilters {
    /// Starts on this day or later (`YYYY-MM-DD`, in `tz`).
    from: Option<NaiveDate>,
    /// Starts on this day or earlier (`YYYY-MM-DD`, in `tz`).
    to: Option<NaiveDate>,
    /// The IANA zone of `from` and `to`; else the tenant's.
    tz: Option<String>,
    /// Of this service.
    service_id: Option<Uuid>,
    /// Only those that are to take place, or only those that were called off.
    #[param(inline)]
    status: Option<SessionStatusName>,
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// List sessions
///
/// By start, each with the places that are free at this moment.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "sessions", params(SessionFilters),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<SessionView>),
              ReadProblems)
)]
pub(crate) async fn list_sessions(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<SessionView>, Problem> {
    let (from, to) = app.days(&caller.tenant, &mut params).await?;
    let status = params.text("status")?.map(|text| text.parse()).transpose();
    let status = status.map_err(|error: UnknownSessionStatus| invalid("status", error))?;
    let service_id = params.id("service_id")?;
    let filter = SessionFilter { from, to, service_id, status };
    let limit = limit(&mut params)?;
    let cursor = params.text("cursor")?.map(Cursor::new);
    app.wait(&caller.tenant, Sessions::ID, &mut params).await?;
    params.finish()?;
    let page = app.sessions.page(&caller.tenant, &filter, cursor.as_ref(), limit).await?;
    let sessions: Vec<_> =
        page.items.iter().map(|listed| (listed.session_id, &listed.session)).collect();
    let who = app.engine.who_is_in(&caller.tenant, &sessions).await?;
    let views = page.items.into_iter().zip(who).map(|(listed, who)| {
        let view = listed.session.show(listed.session_id.uuid(), listed.version)?;
        Some(view.with_taken(who.len()))
    });
    let items = views.collect::<Option<Vec<_>>>().ok_or_else(Problem::internal)?;
    Ok(Listed::of(uri, Page { items, next: page.next }, |view| view))
}
