//! `POST /v1/resources/{id}/...`

use axum::extract::State;
use daybook_domain::resource::{Capacity, ResourceCommand};
use daybook_domain::time::WeeklyHours;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dry_run::{Changed, ResourceOrDryRun};
use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ResourceView;

/// New opening hours.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursBody {
    /// All the windows from now on.
    #[schema(max_items = 50)]
    weekly_hours: WeeklyHours,
}

/// Change a resource's opening hours
///
/// Appointments made before stand; those that are then outside the hours are listed as conflicts.
#[utoipa::path(
    post, path = "/v1/resources/{id}/change-hours", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = HoursBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "They are changed", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_resource_hours(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<HoursBody>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, body) = request.by(caller);
    let command = ResourceCommand::ChangeResourceHours(body.weekly_hours);
    app.change_resource(&context, id, command).await
}

/// More places, or fewer.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapacityBody {
    /// How many appointments it takes at once, each on a place of its own: 1 to 1,000.
    #[schema(minimum = 1, maximum = 1000)]
    capacity: Capacity,
}

/// Change how many places a resource has
///
/// Appointments made before keep theirs, also where there are fewer places now.
#[utoipa::path(
    post, path = "/v1/resources/{id}/change-capacity", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = CapacityBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is changed", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_resource_capacity(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<CapacityBody>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, body) = request.by(caller);
    let command = ResourceCommand::ChangeResourceCapacity(body.capacity);
    app.change_resource(&context, id, command).await
}

/// Retire a resource
///
/// It takes no further bookings. Appointments made before stand, and are listed as conflicts.
#[utoipa::path(
    post, path = "/v1/resources/{id}/retire", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is retired", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn retire_resource(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    app.change_resource(&context, id, ResourceCommand::RetireResource).await
}
