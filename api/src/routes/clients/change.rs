//! `PATCH /v1/clients/{id}`

use axum::extract::State;
use daybook_domain::client::{Client, ClientCommand, ContactPatch};

use super::ClientChanges;
use crate::App;
use crate::http::{
    Answer, Book, Caller, CommandParams, IfMatch, PatchRequest, PathId, Personal, Problem,
};
use crate::routes::problems::{CommandProblems, ReadProblems};
use crate::views::ClientView;

/// Change a client
///
/// What is left out stays; `null` removes.
#[utoipa::path(
    patch, path = "/v1/clients/{id}", tag = "clients",
    params(("id" = Uuid, Path), CommandParams, IfMatch),
    request_body(content((ClientChanges = "application/merge-patch+json"),
                         (ClientChanges = "application/json"))),
    security(("api_key" = ["book", "personal"])),
    responses((status = 200, description = "They are changed", body = ClientView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn change_client(
    State(app): State<App>,
    caller: Caller<(Book, Personal)>,
    PathId(id): PathId,
    request: PatchRequest<ContactPatch>,
) -> Result<Answer<ClientView>, Problem> {
    let (context, patch) = request.by(caller);
    app.change::<Client>(&context, id, ClientCommand::ChangeClientContact(patch)).await
}
