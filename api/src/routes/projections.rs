//! `/v1/projections`: how far they are, and making one anew.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use daybook_projections::{RebuildProgress, TenantStatus};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::ReadProblems;
use crate::App;
use crate::http::{Admin, Caller, Params, Problem, Read};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_projections)).routes(routes!(rebuild_projection))
}

/// How far a projection is with the tenant's log.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectionView {
    #[schema(example = "search")]
    name: &'static str,
    /// The version that this program reads.
    version: i32,
    /// Whether it can be read.
    #[schema(value_type = ProjectionState)]
    state: &'static str,
    /// How far it has read the tenant's log.
    position: u64,
    /// Where the tenant's log ends.
    head: u64,
    /// The event that it stands still at, since it cannot be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<FailedView>,
    /// How far it is with being made, for the first time or anew; for all tenants at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<BuildView>,
}

/// Whether a projection can be read.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `State`")]
enum ProjectionState {
    Ready,
    Building,
    Cancelled,
}

/// An event that a projection cannot apply.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailedView {
    position: u64,
    reason: String,
}

/// How far a projection is with being made.
#[derive(Serialize, ToSchema)]
pub(crate) struct BuildView {
    /// What is done at present: `filling`, `indexing` or `following`; left out: nobody has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    events_done: u64,
    events_total: u64,
    events_per_second: u64,
    /// An estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    /// It stands still, and is tried again. Why, the operator is told: that can be an event of anybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
}

const FAILURE: &str = "it could not be made: `daybook projections list` says why";

impl BuildView {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates and estimates are not negative, and whole numbers are exact enough"
    )]
    pub(crate) fn new(build: RebuildProgress, now: DateTime<Utc>) -> Self {
        Self {
            phase: build.phase.map(daybook_projections::Phase::as_str),
            events_per_second: build.events_per_second(now) as u64,
            seconds_left: build.seconds_left(now).map(|seconds| seconds.ceil() as u64),
            events_done: build.events_done,
            events_total: build.events_total,
            started_at: build.started_at,
            failure: build.failure.map(|_| FAILURE),
        }
    }
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
    params: Params,
) -> Result<Json<Projections>, Problem> {
    params.finish()?;
    let now = app.engine.clock().now();
    let statuses = app.progress.status_for(&caller.tenant).await?;
    let items = statuses.into_iter().map(|status| ProjectionView::new(status, now)).collect();
    Ok(Json(Projections { items }))
}

/// Make a projection anew
///
/// It is made from the log beside the one that is read, which it replaces when it is whole; nobody has
/// to wait. `GET /v1/projections` tells how far it is. Where it is being made already, nothing changes.
#[utoipa::path(
    post, path = "/v1/projections/{name}/rebuild", tag = "operation",
    security(("api_key" = ["admin"])),
    params(("name" = String, Path, description = "Which one", example = "search")),
    responses((status = 202, description = "It will be made", body = ProjectionView), ReadProblems)
)]
pub(crate) async fn rebuild_projection(
    State(app): State<App>,
    caller: Caller<Admin>,
    name: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<(StatusCode, Json<ProjectionView>), Problem> {
    params.finish()?;
    // Nothing has a name that is not UTF-8.
    let projection = name.ok().and_then(|Path(name)| app.progress.projection(&name));
    let projection = projection.ok_or_else(|| Problem::not_found("projection"))?;
    let now = app.engine.clock().now();
    tracing::info!(%projection, tenant = %caller.tenant, actor = caller.actor, "to be made anew");
    app.progress.rebuild(projection, now).await?;
    let statuses = app.progress.status_for(&caller.tenant).await?;
    let status = statuses.into_iter().find(|status| status.projection == projection);
    let status = status.ok_or_else(Problem::internal)?;
    Ok((StatusCode::ACCEPTED, Json(ProjectionView::new(status, now))))
}
