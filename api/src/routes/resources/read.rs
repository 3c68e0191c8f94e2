//! `GET /v1/resources`, `GET /v1/resources/{id}`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::Tag;
use daybook_domain::resource::{Resource, ResourceKind};
use daybook_projections::catalogue::{CatalogueFilter, CatalogueStatus, Facet};
use daybook_projections::search::TagsMatch;

use crate::App;
use crate::http::query::{Several, one_of, query_params};
use crate::http::{Answer, Availability, Caller, PathId, Problem, Query, Within};
use crate::routes::as_of::AsOfParams;
use crate::routes::catalogue::CatalogueParams;
use crate::routes::listing::{List, Listed};
use crate::routes::problems::ReadProblems;
use crate::views::resource::ResourceStatus;
use crate::views::{Recorded, ResourceView, Viewed as _};

/// Get a resource
#[utoipa::path(
    get, path = "/v1/resources/{id}", tag = "resources",
    params(("id" = Uuid, Path), AsOfParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "The resource", body = ResourceView), ReadProblems)
)]
pub(crate) async fn get_resource(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    PathId(id): PathId,
    Query(as_of): Query<AsOfParams>,
) -> Result<Answer<ResourceView>, Problem> {
    let answer = app.get::<Resource, _>(&caller, id, as_of).await?;
    Ok(answer.told_to(&caller, Resource::withheld))
}

query_params! {
    /// Which of them.
    pub(crate) struct ResourceParams {
        /// Only those with this status.
        status: Option<ResourceStatus>,
        /// Of this kind, or of one of several.
        kind: Several<ResourceKind>,
        /// With this tag, or with all of several, however they are spelt.
        tags: Several<Tag>,
        /// Whether `any` or `all` of `tags` must be there; `all` where it is left out.
        tags_match: Option<TagsMatch>,
        ..asked: CatalogueParams,
    }
}

one_of!(ResourceStatus { "active" => ResourceStatus::Active, "retired" => ResourceStatus::Retired });

/// List resources
///
/// In the order in which they were registered, unless another one is asked for.
#[utoipa::path(
    get, path = "/v1/resources", tag = "resources",
    params(ResourceParams),
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "A page", body = List<Recorded<ResourceView>>),
              ReadProblems)
)]
pub(crate) async fn list_resources(
    State(app): State<App>,
    caller: Caller<Within<Availability>>,
    uri: Uri,
    Query(wanted): Query<ResourceParams>,
) -> Result<Listed<Recorded<ResourceView>>, Problem> {
    let ResourceParams { status, kind, tags, tags_match, asked } = wanted;
    let status = status.map(CatalogueStatus::from);
    let filter = CatalogueFilter { status, ..CatalogueFilter::default() };
    let filter = filter.with_any(kind.into_iter().map(Facet::resource_kind));
    let tags = tags.iter().map(Facet::tag);
    let filter = match tags_match {
        Some(TagsMatch::Any) => filter.with_any(tags),
        Some(TagsMatch::All) | None => tags.fold(filter, |filter, tag| filter.with_any([tag])),
    };
    let asked = asked.within(caller.limits.resource_ids.as_ref());
    let (position, mut page) =
        app.catalogue_page::<Resource>(&caller.tenant, filter, asked).await?;
    page.items.retain(|resource| caller.limits.see_resource(resource.id));
    Ok(Listed::of(uri, position, page, |resource| {
        let times = (resource.created_at, resource.updated_at);
        let status = ResourceStatus::from(resource.status);
        let (id, version) = (resource.id.uuid(), resource.version);
        let view = ResourceView::new(id, version, status, resource.document).in_a_list();
        Recorded::new(view, times)
    }))
}
