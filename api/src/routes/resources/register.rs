//! `POST /v1/resources`

use axum::extract::State;
use daybook_domain::resource::{Resource, ResourceCommand};

use super::ResourceBody;
use crate::App;
use crate::http::{Caller, CommandParams, CommandRequest, Created, Manage, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ResourceView;

/// Register a resource
///
/// From now on it can be booked in its opening hours.
#[utoipa::path(
    post, path = "/v1/resources", tag = "resources", params(CommandParams),
    request_body = ResourceBody, security(("api_key" = ["manage"])),
    responses((status = 201, description = "It is registered", body = ResourceView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn register_resource(
    State(app): State<App>,
    caller: Caller<Manage>,
    request: CommandRequest<ResourceBody>,
) -> Result<Created<ResourceView>, Problem> {
    let (context, body) = request.by(caller);
    app.create::<Resource>(&context, ResourceCommand::RegisterResource(body.into())).await
}
