//! What is done to an appointment before its day: confirm, reschedule, cancel.

use axum::extract::State;
use daybook_domain::appointment::{Appointment, AppointmentCommand, CancelledBy, MovedBy};
use daybook_domain::{Reason, ResourceIds};
use serde::Deserialize;
use utoipa::ToSchema;

use super::AppointmentView;
use super::overriding::{self, OverrideBody};
use super::view::CancelledBySide;
use crate::App;
use crate::http::body::Nothing;
use crate::http::instant::Instant;
use crate::http::{Answer, Book, Caller, CommandHeaders, CommandRequest, IfMatch, PathId, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};

/// Confirm a hold
///
/// It becomes a booking. After the hold has lapsed it is too late.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/confirm", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<Nothing>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is booked", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn confirm_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<Nothing>,
) -> Result<Answer<AppointmentView>, Problem> {
    let (context, Nothing {}) = request.by(caller);
    app.change::<Appointment>(&context, id, AppointmentCommand::ConfirmAppointment).await
}

/// Where an appointment moves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RescheduleBody {
    /// The new start: RFC 3339, with an offset. The length stays.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T10:00:00+01:00")]
    start: Instant,
    /// The new resources; else the same as before.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// On whose side: `client` where it is left out. Staff are not bound by the rescheduling
    /// window.
    #[serde(default)]
    #[schema(value_type = Option<MovedBySide>)]
    by: MovedBy,
    /// Move it although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// On whose side an appointment is moved.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it documents `MovedBy`")]
pub(in crate::routes) enum MovedBySide {
    Client,
    Staff,
}

/// Reschedule an appointment
///
/// Its new time is taken and its old time freed at once, or nothing happens.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/reschedule", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = RescheduleBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is moved", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reschedule_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    mut request: CommandRequest<RescheduleBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let RescheduleBody { start: Instant(start), resource_ids, by, overriding: _ } = body;
    let command = AppointmentCommand::RescheduleAppointment { start, resource_ids, by, overriding };
    app.change::<Appointment>(&context, id, command).await
}

/// Who cancels, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    /// Why, in the words of who cancels.
    #[schema(value_type = Option<String>, max_length = 500)]
    reason: Option<Reason>,
    /// On whose side: `client` where it is left out. Only a client is bound by the cancellation
    /// window.
    #[serde(default = "by_client")]
    #[schema(value_type = Option<CancelledBySide>)]
    by: CancelledBy,
    /// Cancel it although its cancellation window has closed: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

pub(in crate::routes) const fn by_client() -> CancelledBy {
    CancelledBy::Client
}

/// Cancel an appointment
///
/// Its time is free again at once.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/cancel", tag = "appointments",
    params(("id" = Uuid, Path), CommandHeaders, IfMatch),
    request_body = Option<CancelBody>, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is cancelled", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn cancel_appointment(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    mut request: CommandRequest<CancelBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, CancelBody { reason, by, overriding: _ }) = request.by(caller);
    let command = AppointmentCommand::CancelAppointment { reason, by, overriding };
    app.change::<Appointment>(&context, id, command).await
}
