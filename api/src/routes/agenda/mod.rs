//! `/v1/agenda`: what is on a resource's calendar.
//!
//! * `query`: which days of which resource; `view`: how they are shown.
//! * `diff`: what changed on them between two moments.

mod diff;
mod query;
mod view;

use axum::Json;
use axum::extract::State;
use daybook_domain::ResourceId;
use daybook_projections::appointments::Appointments;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::expanding::Source;
use super::problems::{BroadProblems, ReadProblems};
use crate::App;
use crate::http::{At, Caller, Problem, Query, Within, auth};
use query::{AgendaAsked, AgendaQuery};
use view::AgendaView;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_agenda)).routes(routes!(diff::diff_agenda))
}

/// See a resource's day or week
///
/// What has its time there, in order: appointments and sessions, but nothing that was cancelled or to
/// which nobody came. With when the resource is open, and when some place of it is free.
#[utoipa::path(
    get, path = "/v1/agenda", tag = "agenda",
    params(AgendaAsked),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "The calendar", body = AgendaView), ReadProblems,
              BroadProblems)
)]
pub(crate) async fn get_agenda(
    State(app): State<App>,
    caller: Caller<Within<auth::Appointments>>,
    Query(asked): Query<AgendaAsked>,
) -> Result<At<Json<AgendaView>>, Problem> {
    let tenant = &caller.tenant;
    let AgendaAsked { agenda, moment, expand } = asked;
    expand.is_for(&caller)?;
    let query = AgendaQuery::of(&agenda)?;
    is_theirs(&caller, query.resource_id)?;
    let named = (moment.as_of, agenda.tz);
    let asked_for = app.reading(tenant, named, agenda.fresh, Appointments::ID).await?.moment;
    let moment = match asked_for {
        Some(moment) => moment,
        None => app.now_in_history(tenant).await?,
    };
    let view = app.agenda_of(&caller, &query, moment, asked_for).await?;
    let mut view = view.ok_or_else(|| Problem::not_found("resource"))?;
    if !expand.expand.is_empty() {
        let source = Source::of(asked_for, agenda.fresh);
        let found = app.found(tenant, &view.items, &expand.expand, source).await?;
        view.included = Some(found.included());
    }
    Ok(At(moment.position, Json(view)))
}

/// Refuses the calendar of a resource that is not there, to this caller; or that has what they do not see: then it would look
/// free where it is not.
fn is_theirs<S>(caller: &Caller<S>, resource: ResourceId) -> Result<(), Problem> {
    let is_theirs = caller.only_resources()?.is_none_or(|few| few.contains(&resource));
    if is_theirs { Ok(()) } else { Err(Problem::not_found("resource")) }
}
