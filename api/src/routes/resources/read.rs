//! `GET /v1/resources`, `GET /v1/resources/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::resource::Resource;
use daybook_projections::catalogue::{Catalogue, CatalogueStatus};

use crate::App;
use crate::http::query::{one_of, query_params};
use crate::http::{Answer, Caller, PathId, Problem, Query, Read};
use crate::routes::as_of::AsOfParams;
use crate::routes::listing::{List, Listed, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::ResourceView;
use crate::views::resource::ResourceStatus;

/// Get a resource
#[utoipa::path(
    get, path = "/v1/resources/{id}", tag = "resources",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The resource", body = ResourceView), ReadProblems)
)]
pub(crate) async fn get_resource(
    State(app): State<App>,
    caller: Caller<Read>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ResourceView>, Problem> {
    app.get::<Resource>(&caller.tenant, id, as_of).await
}

query_params! {
    /// Which of them.
    pub(crate) struct ResourceParams {
        /// Only those with this status.
        status: Option<ResourceStatus>,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

one_of!(ResourceStatus { "active" => ResourceStatus::Active, "retired" => ResourceStatus::Retired });

/// List resources
///
/// In the order in which they were registered.
#[utoipa::path(
    get, path = "/v1/resources", tag = "resources",
    params(ResourceParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page", body = List<ResourceView>), ReadProblems)
)]
pub(crate) async fn list_resources(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(ResourceParams { status, page, moment }): Query<ResourceParams>,
) -> Result<Listed<ResourceView>, Problem> {
    let status = status.map(CatalogueStatus::from);
    let (tenant, asked) = (&caller.tenant, (page.cursor.as_ref(), page.limit()));
    let as_of = (moment.as_of, None);
    let reading = app.reading(tenant, as_of, page.fresh, Catalogue::ID).await?;
    let found = match reading.moment {
        None => app.catalogue.resources(tenant, status, asked).await?,
        Some(moment) => app.catalogue_as_of::<Resource>(tenant, status, moment, asked).await?,
    };
    Ok(Listed::of(uri, reading.position, found, |resource| {
        let status = ResourceStatus::from(resource.status);
        let (id, version) = (resource.id.uuid(), resource.version);
        ResourceView::new(id, version, status, resource.document).in_a_list()
    }))
}
