//! `GET /v1/clients`, `GET /v1/clients/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::client::Client;
use daybook_projections::catalogue::Catalogue;

use crate::App;
use crate::http::query::query_params;
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

query_params! {
    /// Which of them.
    pub(crate) struct ClientParams {
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

/// List clients
///
/// In the order in which they were registered.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients",
    params(ClientParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ClientView>), ReadProblems)
)]
pub(crate) async fn list_clients(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(ClientParams { page, moment }): Query<ClientParams>,
) -> Result<Listed<ClientView>, Problem> {
    let (tenant, asked) = (&caller.tenant, (page.cursor.as_ref(), page.limit()));
    let as_of = (moment.as_of, None);
    let reading = app.reading(tenant, as_of, page.fresh, Catalogue::ID).await?;
    let found = match reading.moment {
        None => app.catalogue.clients(tenant, asked).await?,
        Some(moment) => app.catalogue_as_of::<Client>(tenant, None, moment, asked).await?,
    };
    Ok(Listed::of(uri, reading.position, found, |client| {
        ClientView::new(client.id.uuid(), client.version, client.document)
    }))
}
