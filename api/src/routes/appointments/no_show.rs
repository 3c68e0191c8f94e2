//! `POST /v1/appointments/{id}/no-show`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};

use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem, Within,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Mark a no-show
///
/// The client did not come; the time is free again.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/no-show", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is marked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn mark_no_show(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    caller.must_be_staff()?;
    let (context, EmptyBody {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::MarkNoShow).await
}
