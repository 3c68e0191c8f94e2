//! `POST /v1/appointments/{id}/cancel`

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand, CancelledBy};
use daybook_domain::{Personal, Reason};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::bodies::by_client;
use crate::bodies::overriding::{self, OverrideBody};
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, Linked, PathId, Problem, auth,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Who cancels, and why.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    /// Why, in the words of who cancels.
    #[schema(max_length = 500)]
    reason: Option<Personal<Reason>>,
    /// On whose side: `client` where it is left out. Only a client is bound by the cancellation
    /// window.
    #[serde(default = "by_client")]
    by: CancelledBy,
    /// Cancel it although its cancellation window has closed: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Cancel an appointment
///
/// Its time is free again at once.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/cancel", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<CancelBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is cancelled", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn cancel_appointment(
    State(app): State<App>,
    caller: Caller<Linked<Book, auth::Cancel>>,
    PathId(id): PathId,
    mut request: CommandRequest<CancelBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    if request.body.by != CancelledBy::Client {
        caller.must_be_staff()?;
    }
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, CancelBody { reason, by, overriding: _ }) = request.by(caller);
    let command = AppointmentCommand::CancelAppointment { reason, by, overriding };
    app.change::<Appointment>(&context, id, command).await
}
