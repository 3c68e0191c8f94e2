//! `GET /v1/appointments/{id}`

use axum::extract::State;
use daybook_domain::appointment::Appointment;
use daybook_store::engine::Known;

use crate::App;
use crate::http::{Answer, Caller, PathId, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::problems::ReadProblems;
use crate::views::AppointmentView;

/// Get an appointment
///
/// As the log has it now, or as of a moment; no `min_position` is needed to see what a command did.
#[utoipa::path(
    get, path = "/v1/appointments/{id}", tag = "appointments",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The appointment", body = AppointmentView), ReadProblems)
)]
pub(crate) async fn get_appointment(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    Query(AsOfParams { as_of }): Query<AsOfParams>,
) -> Result<Answer<AppointmentView>, Problem> {
    let moment = app.moment(&caller.tenant, as_of).await?;
    let known = app.known::<Appointment>(&caller.tenant, id, moment).await?;
    let now = moment.map_or_else(|| app.engine.clock().now(), |moment| moment.at);
    let none = || Problem::not_found("appointment");
    let Known { state, version, position } = known.ok_or_else(none)?;
    let body = AppointmentView::at(state, id, version, now).ok_or_else(none)?;
    Ok(Answer::read(version, position, body.for_caller(&caller)))
}
