//! `PATCH /v1/services/{id}`, `POST /v1/services/{id}/retire`

use axum::extract::State;
use daybook_domain::service::{Service, ServiceCommand, TermsPatch};

use super::ServiceChanges;
use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PatchRequest, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ServiceView;

/// Change a service
///
/// What is left out stays; `null` removes. Appointments made before keep their terms.
#[utoipa::path(
    patch, path = "/v1/services/{id}", tag = "services",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body(content((ServiceChanges = "application/merge-patch+json"),
                         (ServiceChanges = "application/json"))),
    security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is changed", body = ServiceView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_service(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: PatchRequest<TermsPatch>,
) -> Result<Answer<ServiceView>, Problem> {
    let (context, patch) = request.by(caller);
    app.change::<Service>(&context, id, ServiceCommand::ReviseService(patch)).await
}

/// Retire a service
///
/// It takes no further bookings. Appointments made before stand.
#[utoipa::path(
    post, path = "/v1/services/{id}/retire", tag = "services",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = Option<EmptyBody>, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is retired", body = ServiceView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn retire_service(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<EmptyBody>,
) -> Result<Answer<ServiceView>, Problem> {
    let (context, EmptyBody {}) = request.by(caller);
    app.change::<Service>(&context, id, ServiceCommand::RetireService).await
}
