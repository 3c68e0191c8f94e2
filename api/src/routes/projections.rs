//! `/v1/projections`: how far they are, and rebuilding one.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use daybook_projections::{ProjectionId, Status, TenantStatus};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::ReadProblems;
use crate::App;
use crate::http::{Appointments, CallerOrOperator, DryRun, NoQuery, Operator, Problem, Query};
use crate::views::BuildView;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_projections)).routes(routes!(rebuild_projection))
}

/// How far a projection is with the tenant's log; for an operator, with the logs of all tenants.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectionView {
    #[schema(example = "appointments")]
    name: &'static str,
    /// The version that this program reads.
    version: i32,
    /// Whether it can be read: `ready`, `building` or `cancelled`.
    state: &'static str,
    /// How far it has read the tenant's log; for an operator, how many events of all logs.
    position: u64,
    /// Where the tenant's log ends; for an operator, how many events there are in all logs.
    head: u64,
    /// The event by which it is stalled, since it cannot be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<FailedView>,
    /// For how many tenants it is stalled: told to operators.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants_stalled: Option<u64>,
    /// How far it is with being made, for the first time or anew, for all tenants at once: told to operators.
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
    fn of_tenant(status: TenantStatus) -> Self {
        Self {
            name: status.projection.name,
            version: status.projection.version,
            state: status.state.as_str(),
            position: status.position.get(),
            head: status.head.get(),
            failed: status
                .stalled
                .map(|(position, reason)| FailedView { position: position.get(), reason }),
            tenants_stalled: None,
            build: None,
        }
    }

    /// Over all tenants, whose logs have so many events.
    fn of_all(status: Status, events: u64, now: DateTime<Utc>) -> Self {
        Self {
            name: status.projection.name,
            version: status.projection.version,
            state: status.state.as_str(),
            position: events.saturating_sub(status.events_behind),
            head: events,
            failed: None,
            tenants_stalled: Some(status.tenants_stalled),
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
/// A projection whose `position` is the log's `head` shows all that has happened. A tenant's key is told of its own log, an
/// operator's of all logs together, and how far a rebuild is.
#[utoipa::path(
    get, path = "/v1/projections", tag = "operation",
    security(("api_key" = ["appointments"]), ("operator_key" = [])),
    responses((status = 200, description = "All of them", body = Projections), ReadProblems)
)]
pub(crate) async fn list_projections(
    State(app): State<App>,
    who: CallerOrOperator<Appointments>,
    _: NoQuery,
) -> Result<Json<Projections>, Problem> {
    let items = match who {
        CallerOrOperator::Caller(caller) => {
            let statuses = app.progress.status_for(&caller.tenant).await?;
            statuses.into_iter().map(ProjectionView::of_tenant).collect()
        }
        CallerOrOperator::Operator => app.projections_of_all().await?,
    };
    Ok(Json(Projections { items }))
}

/// Rebuild a projection
///
/// It is made from the log in a schema of its own, which replaces the one that is read when it is whole;
/// nobody has to wait. `GET /v1/projections` shows its progress. It is made for all tenants, so a tenant's key does not do. Where it is being rebuilt already, nothing
/// changes.
#[utoipa::path(
    post, path = "/v1/projections/{name}/rebuild", tag = "operation",
    security(("operator_key" = [])),
    params(("name" = String, Path, description = "Which one", example = "appointments"), DryRun),
    responses((status = 202, description = "It will be rebuilt", body = ProjectionView),
              (status = 200, description = "With `dry_run`: as it is", body = ProjectionView), ReadProblems)
)]
pub(crate) async fn rebuild_projection(
    State(app): State<App>,
    operator: Operator,
    name: Result<Path<String>, PathRejection>,
    Query(dry_run): Query<DryRun>,
) -> Result<(StatusCode, Json<ProjectionView>), Problem> {
    // Nothing has a name that is not UTF-8.
    let projection = name.ok().and_then(|Path(name)| app.progress.projection(&name));
    let projection = projection.ok_or_else(|| Problem::not_found("projection"))?;
    if dry_run.is_asked_for() {
        return Ok((StatusCode::OK, app.status_of(projection).await?));
    }
    tracing::info!(%projection, actor = operator.actor, "to be rebuilt");
    app.progress.rebuild(projection, app.engine.clock().now()).await?;
    Ok((StatusCode::ACCEPTED, app.status_of(projection).await?))
}

impl App {
    async fn projections_of_all(&self) -> Result<Vec<ProjectionView>, Problem> {
        let now = self.engine.clock().now();
        // It reads all tenants, as the statuses do: this is asked by operators alone.
        let heads = self.engine.log().heads().await?;
        let events = heads.iter().map(|(_, head)| head.get()).sum();
        let statuses = self.progress.status().await?;
        let view = |status| ProjectionView::of_all(status, events, now);
        Ok(statuses.into_iter().map(view).collect())
    }

    async fn status_of(&self, projection: ProjectionId) -> Result<Json<ProjectionView>, Problem> {
        let all = self.projections_of_all().await?;
        let view = all.into_iter().find(|view| view.name == projection.name);
        view.map(Json).ok_or_else(Problem::internal)
    }
}
