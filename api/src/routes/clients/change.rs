//! `POST /v1/clients/{id}/change-contact`

use axum::extract::State;
use daybook_domain::client::{Client, ClientCommand};

use super::ClientBody;
use crate::App;
use crate::http::{Answer, Book, Caller, CommandParams, CommandRequest, IfMatch, PathId, Problem};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ClientView;

/// Change a client's contact details
///
/// Replaces all of them.
#[utoipa::path(
    post, path = "/v1/clients/{id}/change-contact", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body = ClientBody, security(("api_key" = ["book"])),
    responses((status = 200, description = "They are changed", body = ClientView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_client_contact(
    State(app): State<App>,
    caller: Caller<Book>,
    PathId(id): PathId,
    request: CommandRequest<ClientBody>,
) -> Result<Answer<ClientView>, Problem> {
    let (context, body) = request.by(caller);
    app.change::<Client>(&context, id, ClientCommand::ChangeClientContact(body.into())).await
}
