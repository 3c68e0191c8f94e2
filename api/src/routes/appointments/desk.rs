//! What the front desk does: check in, complete, mark as a no-show, tag.

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_domain::{Category, Tags};
use serde::Deserialize;
use utoipa::ToSchema;

use super::AppointmentView;
use crate::App;
use crate::http::body::Nothing;
use crate::http::{Answer, Book, Caller, CommandHeaders, CommandRequest, IfMatch, PathId, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Check a client in
#[utoipa::path(
    post, path = "/v1/appointments/{id}/check-in", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<Nothing>, security(("api_key" = ["book"])),
    responses((status = 200, description = "They are checked in", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn check_in_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::CheckInAppointment).await
}

/// Complete an appointment
///
/// The service was provided; whether the client was checked in does not matter.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/complete", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<Nothing>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is fulfilled", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn complete_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::CompleteAppointment).await
}

/// Mark a no-show
///
/// The client did not come; the time is free again.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/no-show", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<Nothing>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is marked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn mark_no_show(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::MarkNoShow).await
}

/// A new category, new tags, or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagBody {
    /// The new category; else the same as before.
    #[schema(value_type = Option<String>, max_length = 80)]
    category: Option<Category>,
    /// All the new tags; else the same as before.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Tags>,
}

/// Change category and tags
#[utoipa::path(
    post, path = "/v1/appointments/{id}/tag", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = TagBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "They are changed", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn tag_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<TagBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, TagBody { category, tags }) = request.by(caller);
    let command = AppointmentCommand::TagAppointment { category, tags };
    app.change::<Appointment>(&context, id, command).await
}
