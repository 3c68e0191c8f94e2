//! `POST /v1/appointments/{id}/reschedule`

use axum::extract::State;
use daybook_domain::ResourceIds;
use daybook_domain::appointment::{Appointment, AppointmentCommand, MovedBy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::bodies::new_resources;
use crate::bodies::overriding::{self, OverrideBody};
use crate::http::instant::Instant;
use crate::http::{
    Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, Linked, PathId, Problem, auth,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::AppointmentView;

/// Where an appointment moves.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RescheduleBody {
    /// The new start: RFC 3339, with an offset. The length stays.
    #[schema(example = "2026-12-01T10:00:00+01:00")]
    start_at: Instant,
    /// The new resources; else the same as before. Where they are fewer than the service has roles for, the others are
    /// chosen.
    #[schema(min_items = 1, max_items = 16)]
    resource_ids: Option<ResourceIds>,
    /// Choose anew what `resource_ids` does not name, as for a booking: so every start can be moved to that
    /// `GET /v1/availability` offers.
    #[serde(default)]
    choose_resources: bool,
    /// On whose side: `client` where it is left out. Staff are not bound by the rescheduling
    /// window.
    #[serde(default)]
    by: MovedBy,
    /// Move it although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    overriding: Option<OverrideBody>,
}

/// Reschedule an appointment
///
/// Its new time is taken and its old time freed at once, or nothing happens.
#[utoipa::path(
    post, path = "/v1/appointments/{id}/reschedule", tag = "appointments",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = RescheduleBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "It is moved", body = AppointmentView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn reschedule_appointment(
    State(app): State<App>,
    caller: Caller<Linked<Book, auth::Move>>,
    PathId(id): PathId,
    mut request: CommandRequest<RescheduleBody>,
) -> Result<Answer<AppointmentView>, Problem> {
    if request.body.by != MovedBy::Client {
        caller.must_be_staff()?;
    }
    let overriding = overriding::reason(&caller, request.body.overriding.take())?;
    let (context, body) = request.by(caller);
    let RescheduleBody { start_at, resource_ids, choose_resources, by, overriding: _ } = body;
    let Instant(start) = start_at;
    let resource_ids = new_resources(resource_ids, choose_resources);
    let command = AppointmentCommand::RescheduleAppointment { start, resource_ids, by, overriding };
    app.change::<Appointment>(&context, id, command).await
}
