//! `GET /v1/appointments/{id}`

use axum::extract::State;
use daybook_domain::appointment::Appointment;

use super::AppointmentView;
use crate::App;
use crate::http::{Answer, Caller, PathId, Problem, Read};
use crate::routes::problems::ReadProblems;

/// Get an appointment
///
/// As the log has it now; no `min_position` is needed to see what a command did.
#[utoipa::path(
    get, path = "/v1/appointments/{id}", tag = "appointments", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The appointment", body = AppointmentView), ReadProblems)
)]
pub(crate) async fn get_appointment(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
) -> Result<Answer<AppointmentView>, Problem> {
    let found = app.engine.load::<Appointment>(&caller.tenant, id).await?;
    let now = app.engine.clock().now();
    let shown = found.and_then(|(appointment, version)| {
        Some((AppointmentView::at(appointment, id, version, now)?, version))
    });
    let (body, version) = shown.ok_or_else(|| Problem::not_found("appointment"))?;
    Ok(Answer { version, position: None, body })
}
