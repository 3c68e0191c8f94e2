//! `GET /v1/services`, `GET /v1/services/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::service::Service;
use daybook_projections::catalogue::{Catalogue, CatalogueStatus};

use crate::App;
use crate::http::query::{one_of, query_params};
use crate::http::{Answer, Caller, PathId, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{List, Listed, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::ServiceView;
use crate::views::service::ServiceStatus;

/// Get a service
#[utoipa::path(
    get, path = "/v1/services/{id}", tag = "services",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The service", body = ServiceView), ReadProblems)
)]
pub(crate) async fn get_service(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ServiceView>, Problem> {
    app.get::<Service>(&caller.tenant, id, as_of).await
}

query_params! {
    /// Which of them.
    pub(crate) struct ServiceParams {
        /// Only those with this status.
        status: Option<ServiceStatus>,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

one_of!(ServiceStatus { "offered" => ServiceStatus::Offered, "retired" => ServiceStatus::Retired });

/// List services
///
/// In the order in which they were defined.
#[utoipa::path(
    get, path = "/v1/services", tag = "services",
    params(ServiceParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ServiceView>), ReadProblems)
)]
pub(crate) async fn list_services(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(ServiceParams { status, page, moment }): Query<ServiceParams>,
) -> Result<Listed<ServiceView>, Problem> {
    let status = status.map(CatalogueStatus::from);
    let (tenant, asked) = (&caller.tenant, (page.cursor.as_ref(), page.limit()));
    let as_of = (moment.as_of, None);
    let reading = app.reading(tenant, as_of, page.fresh, Catalogue::ID).await?;
    let found = match reading.moment {
        None => app.catalogue.services(tenant, status, asked).await?,
        Some(moment) => app.catalogue_as_of::<Service>(tenant, status, moment, asked).await?,
    };
    Ok(Listed::of(uri, reading.position, found, |service| {
        let status = ServiceStatus::from(service.status);
        ServiceView::new(service.id.uuid(), service.version, status, service.document)
    }))
}
