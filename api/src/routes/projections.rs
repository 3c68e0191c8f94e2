//! `/v1/projections`: how far they are, and rebuilding one.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_projections::{ProjectionId, TenantStatus};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::ReadProblems;
use crate::App;
use crate::http::{Admin, Caller, DryRun, NoQuery, Problem, Query, Read};
use crate::views::BuildView;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_projections)).routes(routes!(rebuild_projection))
}

/// How far a projection is with the tenant's log.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectionView {
    #[schema(example = "appointments")]
    name: &'static str,
    /// The version that this program reads.
    version: i32,
    /// Whether it can be read: `ready`, `building` or `cancelled`.
    state: &'static str,
    /// How far it has read the tenant's log.
    position: u64,
    /// Where the tenant's log ends.
    head: u64,
    /// The event by which it is stalled, since it cannot be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<FailedView>,
    /// How far it is with being made, for the first time or anew; for all tenants at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<BuildView>,
}

/// An event that a projection cannot apply.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailedView {
    position: u64,
    reason: String,
}

impl ProjectionView {
    fn new(status: TenantStatus, now: DateTime<Utc>) -> Self {
        Self {
            name: status.projection.name,
            version: status.projection.version,
            state: status.state.as_str(),
            position: status.position.get(),
            head: status.head.get(),
            failed: status
                .stalled
                .map(|(position, reason)| FailedView { position: position.get(), reason }),
            build: status.rebuild.map(|build| BuildView::new(build, now)),
        }
    }
}

/// The projections that this program reads.
#[derive(Serialize, ToSchema)]
pub(crate) struct Projections {
    items: Vec<ProjectionView>,
}

/// How far the projections are
///
/// A projection whose `position` is the log's `head` shows all that has happened.
#[utoipa::path(
    get, path = "/v1/projections", tag = "operation",
    security(("api_key" = ["read"])),
    responses((status = 200, description = "All of them", body = Projections), ReadProblems)
)]
pub(crate) async fn list_projections(
    State(app): State<App>,
    caller: Caller<Read>,
    _: NoQuery,
) -> Result<Json<Projections>, Problem> {
    let now = app.engine.clock().now();
    let statuses = app.progress.status_for(&caller.tenant).await?;
    let items = statuses.into_iter().map(|status| ProjectionView::new(status, now)).collect();
    Ok(Json(Projections { items }))
}

/// Rebuild a projection
///
/// It is made from the log in a schema of its own, which replaces the one that is read when it is whole;
/// nobody has to wait. `GET /v1/projections` shows its progress. Where it is being rebuilt already, nothing
/// changes.
#[utoipa::path(
    post, path = "/v1/projections/{name}/rebuild", tag = "operation",
    security(("api_key" = ["admin"])),
    params(("name" = String, Path, description = "Which one", example = "appointments"), DryRun),
    responses((status = 202, description = "It will be rebuilt", body = ProjectionView),
              (status = 200, description = "With `dry_run`: as it is", body = ProjectionView), ReadProblems)
)]
pub(crate) async fn rebuild_projection(
    State(app): State<App>,
    caller: Caller<Admin>,
    name: Result<Path<String>, PathRejection>,
    Query(dry_run): Query<DryRun>,
) -> Result<(StatusCode, Json<ProjectionView>), Problem> {
    // Nothing has a name that is not UTF-8.
    let projection = name.ok().and_then(|Path(name)| app.progress.projection(&name));
    let projection = projection.ok_or_else(|| Problem::not_found("projection"))?;
    let now = app.engine.clock().now();
    if dry_run.is_asked_for() {
        return app
            .status_of(&caller.tenant, projection, now)
            .await
            .map(|view| (StatusCode::OK, view));
    }
    tracing::info!(%projection, tenant = %caller.tenant, actor = caller.actor, "to be rebuilt");
    app.progress.rebuild(projection, now).await?;
    let view = app.status_of(&caller.tenant, projection, now).await?;
    Ok((StatusCode::ACCEPTED, view))
}

impl App {
    async fn status_of(
        &self,
        tenant: &TenantId,
        projection: ProjectionId,
        now: DateTime<Utc>,
    ) -> Result<Json<ProjectionView>, Problem> {
        let statuses = self.progress.status_for(tenant).await?;
        let status = statuses.into_iter().find(|status| status.projection == projection);
        Ok(Json(ProjectionView::new(status.ok_or_else(Problem::internal)?, now)))
    }
}
