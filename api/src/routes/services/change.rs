//! `POST /v1/services/{id}/...`

use axum::extract::State;
use daybook_domain::service::{Service, ServiceCommand};

use super::ServiceBody;
use crate::App;
use crate::http::body::EmptyBody;
use crate::http::{
    Answer, Caller, CommandParams, CommandRequest, IfMatch, Manage, PathId, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ServiceView;

/// Revise a service
///
/// Replaces all its terms. Appointments made before keep theirs.
#[utoipa::path(
    post, path = "/v1/services/{id}/revise", tag = "services",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = ServiceBody, security(("api_key" = ["manage"])),
    responses((status = 200, description = "It is revised", body = ServiceView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn revise_service(
    State(app): State<App>,
    caller: Caller<Manage>,
    PathId(id): PathId,
    request: CommandRequest<ServiceBody>,
) -> Result<Answer<ServiceView>, Problem> {
    let (context, body) = request.by(caller);
    app.change::<Service>(&context, id, ServiceCommand::ReviseService(body.into())).await
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
