//! `GET /v1/clients`, `GET /v1/clients/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::client::Client;
use daybook_projections::catalogue::Catalogue;

use crate::App;
use crate::http::{Answer, Caller, PathId, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{List, Listed, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::ClientView;

/// Get a client
#[utoipa::path(
    get, path = "/v1/clients/{id}", tag = "clients",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The client", body = ClientView), ReadProblems)
)]
pub(crate) async fn get_client(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ClientView>, Problem> {
    app.get::<Client>(&caller.tenant, id, as_of).await
}

/// List clients
///
/// In the order in which they were registered.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients",
    params(PageParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ClientView>), ReadProblems)
)]
pub(crate) async fn list_clients(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(page): Query<PageParams>,
) -> Result<Listed<ClientView>, Problem> {
    let (limit, cursor) = (page.limit(), page.cursor.as_ref());
    let position = app.wait(&caller.tenant, Catalogue::ID, page.fresh).await?;
    let found = app.catalogue.clients(&caller.tenant, cursor, limit).await?;
    Ok(Listed::of(uri, position, found, |client| {
        ClientView::new(client.id.uuid(), client.version, client.document)
    }))
}
