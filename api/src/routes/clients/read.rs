//! `GET /v1/clients`, `GET /v1/clients/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::client::Client;
use daybook_domain::{Email, Personal, Phone};
use daybook_projections::catalogue::{CatalogueFilter, CatalogueStatus, Facet};
use daybook_projections::search::TitleWords;

use crate::App;
use crate::http::query::{Several, query_params};
use crate::http::{Answer, Caller, PathId, Problem, Query, Within, auth};
use crate::routes::as_of::AsOfParams;
use crate::routes::catalogue::CatalogueParams;
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;
use crate::views::{ClientView, Recorded};

/// Get a client
#[utoipa::path(
    get, path = "/v1/clients/{id}", tag = "clients",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["personal"])),
    responses((status = 200, description = "The client", body = ClientView), ReadProblems)
)]
pub(crate) async fn get_client(
    State(app): State<App>,
    caller: Caller<Within<auth::Personal>>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ClientView>, Problem> {
    let moment = app.moment(&caller.tenant, as_of.as_of, None).await?;
    let known = if app.sees_client(&caller, id.into()).await? {
        app.known::<Client>(&caller.tenant, id, moment).await?
    } else {
        None
    };
    App::read(id, known)
}

query_params! {
    /// Which of them.
    pub(crate) struct ClientParams {
        /// Words of their name: at least their beginnings, however they are spelt.
        q: Option<TitleWords>,
        /// Their e-mail address, or one of several, in any case.
        email: Several<Email>,
        /// Their phone number, or one of several: what counts is its digits, and whether a country is before them.
        phone: Several<Phone>,
        /// `true`: those of whom what is known is restricted, and nobody else; that needs `privacy`. Otherwise they are left out.
        restricted: Option<bool>,
        ..asked: CatalogueParams,
    }
}

/// List clients
///
/// In the order in which they were registered, unless another one is asked for.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients",
    params(ClientParams),
    security(("api_key" = ["personal"])),
    responses((status = 200, description = "A page", body = List<Recorded<ClientView>>),
              ReadProblems)
)]
pub(crate) async fn list_clients(
    State(app): State<App>,
    caller: Caller<auth::Personal>,
    uri: Uri,
    Query(ClientParams { q, email, phone, restricted, asked }): Query<ClientParams>,
) -> Result<Listed<Recorded<ClientView>>, Problem> {
    // Those who are erased are nobody to be listed.
    let status = Some(if restricted.unwrap_or_default() {
        caller.must_have::<auth::Privacy>("listing clients who are restricted")?;
        CatalogueStatus::Restricted
    } else {
        CatalogueStatus::Active
    });
    let filter =
        CatalogueFilter { name: q.map(Personal::new), status, ..CatalogueFilter::default() };
    let filter = filter.with_any(email.iter().map(Facet::email));
    let filter = filter.with_any(phone.iter().map(Facet::phone));
    let (position, page) = app.catalogue_page::<Client>(&caller.tenant, filter, asked).await?;
    Ok(Listed::of(uri, position, page, |client| {
        let times = (client.created_at, client.updated_at);
        Recorded::new(ClientView::listed(client), times)
    }))
}
