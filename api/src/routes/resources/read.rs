//! `GET /v1/resources`, `GET /v1/resources/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::resource::Resource;
use daybook_projections::catalogue::CatalogueStatus;

use super::{ResourceStatus, ResourceView};
use crate::App;
use crate::http::{Answer, Caller, Params, PathId, Problem, Read};
use crate::routes::as_of::AsOfParam;
use crate::routes::catalogue::{PageParams, StandingFilter, standing};
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;

/// Get a resource
#[utoipa::path(
    get, path = "/v1/resources/{id}", tag = "resources",
    params(("id" = Uuid, Path), AsOfParam),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The resource", body = ResourceView), ReadProblems)
)]
pub(crate) async fn get_resource(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    params: Params,
) -> Result<Answer<ResourceView>, Problem> {
    app.get::<Resource>(&caller.tenant, id, params).await
}

/// List resources
///
/// In the order in which they were registered.
#[utoipa::path(
    get, path = "/v1/resources", tag = "resources",
    params(StandingFilter, PageParams), security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ResourceView>), ReadProblems)
)]
pub(crate) async fn list_resources(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<ResourceView>, Problem> {
    let standing = standing(&mut params, "active")?;
    let asked = app.page_asked(&caller.tenant, params).await?;
    let cursor = asked.cursor.as_ref();
    let page = app.catalogue.resources(&caller.tenant, standing, cursor, asked.limit).await?;
    Ok(Listed::of(uri, page, |resource| {
        let status = match resource.status {
            CatalogueStatus::Active => ResourceStatus::Active,
            CatalogueStatus::Retired => ResourceStatus::Retired,
        };
        let (id, version) = (resource.id.uuid(), resource.version);
        ResourceView::new(id, version, status, resource.document).in_a_list()
    }))
}
