//! `PATCH /v1/resources/{id}`, `POST /v1/resources/{id}/retire`

use axum::extract::State;
use daybook_domain::resource::{ResourceCommand, ResourcePatch};

use super::ResourceChanges;
use super::dry_run::{Changed, ResourceOrDryRun};
use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PatchRequest, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ResourceView;

/// Change a resource
///
/// What is left out stays; `null` removes. Appointments made before stand, and keep their places; those that are then
/// outside the opening hours are listed as conflicts.
#[utoipa::path(
    patch, path = "/v1/resources/{id}", tag = "resources",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body(content((ResourceChanges = "application/merge-patch+json"),
                         (ResourceChanges = "application/json"))),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is changed", body = ResourceOrDryRun),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_resource(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: PatchRequest<ResourcePatch>,
) -> Result<Changed<Answer<ResourceView>>, Problem> {
    let (context, patch) = request.by(caller);
    app.change_resource(&context, id, patch.commands()).await
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
    app.change_resource(&context, id, vec![ResourceCommand::RetireResource]).await
}
