//! `/v1/holds`: time that is kept free until it is confirmed. A hold is an appointment, and is read as
//! one.

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::bodies::HoldBody;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, Created, IfMatch, PathId, Problem, Within,
};
use crate::views::AppointmentView;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_hold))
        .routes(routes!(confirm_hold))
        .routes(routes!(release_hold))
}

/// Hold the time for an appointment
///
/// Nobody else can have it until `hold_expires_at`; until then it can be confirmed without fail. From
/// that instant on it is in nobody's way. A client can hold only so many at once
/// (`client-hold-limit`).
#[utoipa::path(
    post, path = "/v1/holds", tag = "holds", params(CommandParams),
    request_body = HoldBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "It is held", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn create_hold(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<HoldBody>,
) -> Result<Created<AppointmentView>, Problem> {
    app.may_book_for(&caller, request.body.client_id()).await?;
    let context = request.context(&caller);
    let command = request.body.command(&app, &caller).await?;
    app.create::<Appointment>(&context, command).await
}

/// Confirm a hold
///
/// It becomes a booking, whatever has become of the service or the opening hours since it was made.
/// After it has lapsed it is too late (`hold-expired`).
#[utoipa::path(
    post, path = "/v1/holds/{id}/confirm", tag = "holds",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is booked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn confirm_hold(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::ConfirmAppointment).await
}

/// Release a hold
///
/// Its time is free again at once. What is booked already is not released but cancelled.
#[utoipa::path(
    delete, path = "/v1/holds/{id}", tag = "holds",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    security(("api_key" = ["book"])),
    responses((status = 200, description = "It is released", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn release_hold(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::ReleaseHold).await
}
