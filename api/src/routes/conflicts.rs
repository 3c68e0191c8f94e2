//! `GET /v1/conflicts`

use axum::extract::State;
use axum::http::Uri;
use daybook_domain::ResourceId;
use daybook_projections::conflicts::{ConflictFilter, Conflicts};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listing::{Days, List, Listed, PageParams};
use super::problems::ReadProblems;
use crate::App;
use crate::http::query::query_params;
use crate::http::{Caller, Problem, Query, Read};
use crate::views::ConflictSummary;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_conflicts))
}

query_params! {
    /// The filters. All that are given must be met.
    pub(crate) struct ConflictParams {
        /// This resource is in conflict.
        resource_id: Option<ResourceId>,
        ..days: Days,
        ..page: PageParams,
    }
}

/// List conflicts
///
/// The appointments that are held or booked, have not begun, and use a resource that is closed then
/// or has been retired. Each stays on the list until it is moved, reassigned, cancelled or accepted,
/// or the resource can be had again. What was booked by an override of just that is not on it.
#[utoipa::path(
    get, path = "/v1/conflicts", tag = "appointments",
    params(ConflictParams),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<ConflictSummary>),
              ReadProblems)
)]
pub(crate) async fn list_conflicts(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    Query(asked): Query<ConflictParams>,
) -> Result<Listed<ConflictSummary>, Problem> {
    let ConflictParams { resource_id, days, page } = asked;
    let (from, to) = app.days(&caller.tenant, &days).await?;
    let filter = ConflictFilter { from, to, resource_id };
    let (limit, cursor) = (page.limit(), page.cursor);
    let position = app.wait(&caller.tenant, Conflicts::ID, page.fresh).await?;
    let now = app.engine.clock().now();
    let page = app.conflicts.page(&caller.tenant, &filter, cursor.as_ref(), limit, now).await?;
    Ok(Listed::of(uri, position, page, ConflictSummary::from).shown_in(days.tz))
}
