//! `POST /v1/appointments/{id}/reassign`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::{Personal, Reason, ResourceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Which resource is replaced by which.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReassignBody {
    /// The resource that it is not to use any longer.
    from_resource_id: ResourceId,
    /// The one that it is to use instead.
    to_resource_id: ResourceId,
    /// Why.
    #[schema(max_length = 500)]
    reason: Option<Personal<Reason>>,
}

/// Move an appointment to another resource
///
/// Its time stays. The new resource is taken and the old one freed at once, or nothing happens: it
/// must be open, free, and fit for what the service needs.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/reassign", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = ReassignBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "It uses the other resource", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reassign_appointment(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<ReassignBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    caller.must_be_staff()?;
    let (context, body) = request.by(caller);
    let ReassignBody { from_resource_id: from, to_resource_id: to, reason } = body;
    let command = AppointmentCommand::ReassignAppointment { from, to, reason };
    app.change::<Appointment>(&context, id, command).await
}
