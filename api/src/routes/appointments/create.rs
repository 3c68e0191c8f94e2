//! `POST /v1/appointments`

use axum::extract::State;
use daybook_domain::appointment::Appointment;

use crate::App;
use crate::bodies::BookingBody;
use crate::http::{Book, Caller, CommandParams, CommandRequest, Created, Problem, Within};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Book an appointment
///
/// No two appointments ever overlap on a resource: of many who
/// ask for the same time, one gets it, and the others are told who stands in the way
/// (`slot-taken`: which resource, from when to when; `role-taken`: for which role nobody is free). A
/// rule of the service that is broken is a problem by the rule's name, with what it required and what
/// it found.
#[utoipa::path(
    post, path = "/v1/appointments", tag = "appointments", params(CommandParams),
    request_body = BookingBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is booked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_appointment(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<BookingBody>,
) -> Result<Created<AppointmentView>, Problem> {
    app.may_book_for(&caller, request.body.client_id()).await?;
    let context = request.context(&caller);
    app.create::<Appointment>(&context, request.body.command(&caller)?).await
}
