//! `GET /v1/clients`, `GET /v1/clients/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::client::Client;

use super::ClientView;
use crate::App;
use crate::http::{Answer, Caller, Params, PathId, Problem, Read};
use crate::routes::as_of::AsOfParam;
use crate::routes::catalogue::PageParams;
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;

/// Get a client
#[utoipa::path(
    get, path = "/v1/clients/{id}", tag = "clients",
    params(("id" = Uuid, Path), AsOfParam),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The client", body = ClientView), ReadProblems)
)]
pub(crate) async fn get_client(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    params: Params,
) -> Result<Answer<ClientView>, Problem> {
    app.get::<Client>(&caller.tenant, id, params).await
}

/// List clients
///
/// In the order in which they were registered.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients",
    params(PageParams), security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ClientView>), ReadProblems)
)]
pub(crate) async fn list_clients(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    params: Params,
) -> Result<Listed<ClientView>, Problem> {
    let asked = app.page_asked(&caller.tenant, params).await?;
    let page = app.catalogue.clients(&caller.tenant, asked.cursor.as_ref(), asked.limit).await?;
    Ok(Listed::of(uri, page, |client| {
        ClientView::new(client.id.uuid(), client.version, client.document)
    }))
}
