//! `POST /v1/appointments/{id}/check-in`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};

use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Check a client in
#[utoipa::path(
    post, path = "/v1/appointments/{id}/check-in", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "They are checked in", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn check_in_appointment(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    caller.must_be_staff()?;
    let (context, EmptyBody {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::CheckInAppointment).await
}
