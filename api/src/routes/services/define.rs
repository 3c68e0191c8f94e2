//! `POST /v1/services`

use axum::extract::State;
use daybook_domain::service::{Service, ServiceCommand};

use super::ServiceBody;
use crate::App;
use crate::http::{Caller, CommandParams, CommandRequest, Created, Manage, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ServiceView;

/// Define a service
///
/// From now on it can be booked.
#[utoipa::path(
    post, path = "/v1/services", tag = "services", params(CommandParams),
    request_body = ServiceBody, security(("api_key" = ["manage"])),
    responses((status = 201, description = "It is defined", body = ServiceView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn define_service(
    State(app): State<App>,
    caller: Caller<Manage>,
    request: CommandRequest<ServiceBody>,
) -> Result<Created<ServiceView>, Problem> {
    let (context, body) = request.by(caller);
    app.create::<Service>(&context, ServiceCommand::DefineService(body.into())).await
}
