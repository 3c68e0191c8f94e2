//! `POST /v1/appointments/{id}/accept-conflict`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::{Personal, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Why it is to stay as it is.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// Why.
    #[schema(max_length = 500)]
    reason: Personal<Reason>,
}

/// Accept an appointment's conflicts
///
/// It stays as it is although resources can no longer be had then. What is accepted is what is in
/// conflict now, until the appointment is moved; a later conflict is listed again.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/accept-conflict", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = AcceptBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "They are accepted", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn accept_conflict(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<AcceptBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, AcceptBody { reason }) = request.by(caller);
    let command = AppointmentCommand::AcceptConflict { reason };
    app.change::<Appointment>(&context, id, command).await
}
