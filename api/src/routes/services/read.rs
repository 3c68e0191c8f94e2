//! `GET /v1/services`, `GET /v1/services/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::service::Service;
use daybook_projections::catalogue::CatalogueStatus;

use super::{ServiceStatus, ServiceView};
use crate::App;
use crate::http::{Answer, Caller, Params, PathId, Problem, Read};
use crate::routes::as_of::AsOfParam;
use crate::routes::catalogue::{PageParams, StandingFilter, standing};
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;

/// Get a service
#[utoipa::path(
    get, path = "/v1/services/{id}", tag = "services",
    params(("id" = Uuid, Path), AsOfParam),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The service", body = ServiceView), ReadProblems)
)]
pub(crate) async fn get_service(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    params: Params,
) -> Result<Answer<ServiceView>, Problem> {
    app.get::<Service>(&caller.tenant, id, params).await
}

/// List services
///
/// In the order in which they were defined.
#[utoipa::path(
    get, path = "/v1/services", tag = "services",
    params(StandingFilter, PageParams), security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ServiceView>), ReadProblems)
)]
pub(crate) async fn list_services(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<ServiceView>, Problem> {
    let standing = standing(&mut params, "offered")?;
    let asked = app.page_asked(&caller.tenant, params).await?;
    let cursor = asked.cursor.as_ref();
    let page = app.catalogue.services(&caller.tenant, standing, cursor, asked.limit).await?;
    Ok(Listed::of(uri, page, |service| {
        let status = match service.status {
            CatalogueStatus::Active => ServiceStatus::Offered,
            CatalogueStatus::Retired => ServiceStatus::Retired,
        };
        ServiceView::new(service.id.uuid(), service.version, status, service.document)
    }))
}
