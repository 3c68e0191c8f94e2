//! `GET /v1/series/{id}`

use axum::extract::State;
use daybook_domain::AppointmentId;
use daybook_domain::appointment::Appointment;
use daybook_domain::series::Series;

use crate::App;
use crate::http::{Answer, Caller, NoQuery, PathId, Problem, Read};
use crate::routes::problems::ReadProblems;
use crate::views::{AppointmentView, SeriesView};

/// Get a series
///
/// With each of its appointments, as the log has them now. The `ETag` is that of the series, which does not
/// change when one of its appointments is changed by itself.
#[utoipa::path(
    get, path = "/v1/series/{id}", tag = "series", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The series", body = SeriesView), ReadProblems)
)]
pub(crate) async fn get_series(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    _: NoQuery,
) -> Result<Answer<SeriesView>, Problem> {
    let answer = app.get_at::<Series>(&caller.tenant, id, None).await?;
    let ids: Vec<_> = answer.body.appointment_ids().map(AppointmentId::uuid).collect();
    let found = app.engine.load_each::<Appointment>(&caller.tenant, &ids).await?;
    let now = app.engine.clock().now();
    let shown = ids.iter().zip(found).map(|(id, found)| {
        let (appointment, version) = found?;
        AppointmentView::at(appointment, *id, version, now)
    });
    Ok(answer.map(|series| series.with_appointments(shown)))
}
