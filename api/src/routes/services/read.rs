//! `GET /v1/services`, `GET /v1/services/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::Category;
use daybook_domain::service::Service;
use daybook_projections::catalogue::{CatalogueFilter, CatalogueStatus, Facet};

use crate::App;
use crate::http::query::{Several, one_of, query_params};
use crate::http::{Answer, Availability, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::catalogue::CatalogueParams;
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;
use crate::views::service::ServiceStatus;
use crate::views::{Recorded, ServiceView};

/// Get a service
#[utoipa::path(
    get, path = "/v1/services/{id}", tag = "services",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "The service", body = ServiceView), ReadProblems)
)]
pub(crate) async fn get_service(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ServiceView>, Problem> {
    app.get::<Service, _>(&caller, id, as_of).await
}

query_params! {
    /// Which of them.
    pub(crate) struct ServiceParams {
        /// Only those with this status.
        status: Option<ServiceStatus>,
        /// Of this category, or of one of several, however they are spelt.
        category: Several<Category>,
        ..asked: CatalogueParams,
    }
}

one_of!(ServiceStatus { "offered" => ServiceStatus::Offered, "retired" => ServiceStatus::Retired });

/// List services
///
/// In the order in which they were defined, unless another one is asked for.
#[utoipa::path(
    get, path = "/v1/services", tag = "services",
    params(ServiceParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "A page", body = List<Recorded<ServiceView>>),
              ReadProblems)
)]
pub(crate) async fn list_services(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    uri: Uri,
    Query(ServiceParams { status, category, asked }): Query<ServiceParams>,
) -> Result<Listed<Recorded<ServiceView>>, Problem> {
    let status = status.map(CatalogueStatus::from);
    let filter = CatalogueFilter { status, ..CatalogueFilter::default() };
    let filter = filter.with_any(category.iter().map(Facet::category));
    let (position, mut page) = app.catalogue_page::<Service>(&caller.tenant, filter, asked).await?;
    page.items.retain(|service| caller.limits.see_service(&service.document));
    Ok(Listed::of(uri, position, page, |service| {
        let times = (service.created_at, service.updated_at);
        let status = ServiceStatus::from(service.status);
        let id = service.id.uuid();
        Recorded::new(ServiceView::new(id, service.version, status, service.document), times)
    }))
}
