//! `POST /v1/clients`

use axum::extract::State;
use daybook_domain::client::{Client, ClientCommand};

use super::ClientBody;
use crate::App;
use crate::http::{Book, Caller, CommandParams, CommandRequest, Created, Problem, Within};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ClientView;

/// Register a client
///
/// From now on they can book.
#[utoipa::path(
    post, path = "/v1/clients", tag = "clients", params(CommandParams),
    request_body = ClientBody, security(("api_key" = ["book"])),
    responses((status = 201, description = "They are registered", body = ClientView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn register_client(
    State(app): State<App>,
    caller: Caller<Within<Book>>,
    request: CommandRequest<ClientBody>,
) -> Result<Created<ClientView>, Problem> {
    let (context, body) = request.by(caller);
    app.create::<Client>(&context, ClientCommand::RegisterClient(body.into())).await
}
