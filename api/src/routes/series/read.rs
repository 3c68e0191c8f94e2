//! `GET /v1/series/{id}`

use axum::extract::State;
use daybook_domain::AppointmentId;
use daybook_domain::appointment::Appointment;
use daybook_domain::series::Series;
use daybook_store::Position;
use daybook_store::engine::Known;

use crate::App;
use crate::http::{Answer, Appointments, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::ReadParams;
use crate::routes::problems::ReadProblems;
use crate::views::{AppointmentView, SeriesView, Timed as _, Viewed as _};

/// Get a series
///
/// With each of its appointments, as the log has them now, or as of a moment. The version is that of the series, which
/// does not change when one of its appointments is changed by itself; the `ETag` does.
#[utoipa::path(
    get, path = "/v1/series/{id}", tag = "series",
    params(("id" = Uuid, Path), ReadParams),
    security(("api_key" = ["appointments"])),
    responses((status = 200, description = "The series", body = SeriesView), ReadProblems)
)]
pub(crate) async fn get_series(
    State(app): State<App>,
    caller: Caller<Within<Appointments>>,
    PathId(id): PathId,
    Query(ReadParams { moment: AsOfParams { as_of }, shown }): Query<ReadParams>,
) -> Result<Answer<SeriesView>, Problem> {
    let tenant = &caller.tenant;
    let moment = app.moment(tenant, as_of, shown.tz).await?;
    let known = app.known_to::<Series, _>(&caller, id, moment).await?;
    let none = || Problem::not_found("series");
    let Known { state, version, position, .. } = known.ok_or_else(none)?;
    let state = app.seen_of(&caller, state, moment).await?.ok_or_else(none)?;
    let body = state.view(id, version).ok_or_else(none)?;
    let body = if caller.limits.are_none() { body } else { Series::within_limits(body) };
    let ids: Vec<_> = body.appointment_ids().map(AppointmentId::uuid).collect();
    let each = app.each_known::<Appointment>(tenant, &ids, moment).await?;
    let position = each.iter().flatten().map(|known| known.position).fold(position, Position::max);
    let now = app.at(moment);
    let appointments = ids.iter().zip(each).map(|(id, known)| {
        let Known { state, version, .. } = known?;
        Some(AppointmentView::at(state, *id, version, now)?.for_caller(&caller).shown_in(shown.tz))
    });
    let body = body.with_appointments(appointments).shown_in(shown.tz);
    Ok(Answer::seen(Some(version), Some(position), body))
}
