//! `/livez`, `/readyz`: for whoever keeps the program running.

use axum::Json;
use axum::extract::State;
use daybook_projections::State as ProjectionState;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::Problem;
use crate::views::BuildView;

/// How many events a projection may be behind and still count as ready: one batch of its runner.
const READY_EVENTS_BEHIND: u64 = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// Is the program alive?
///
/// Restart it when this does not answer.
#[utoipa::path(
    get, path = "/livez", tag = "operation",
    responses((status = 200, description = "It lives", body = str))
)]
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// How far the program's projections are.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    projections: Vec<ProjectionReadiness>,
}

/// How far a projection is.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProjectionReadiness {
    #[schema(example = "appointments")]
    name: &'static str,
    version: i32,
    /// How many events it has not read yet, over all tenants.
    events_behind: u64,
    /// For how many tenants it is stalled by an event that it cannot apply.
    tenants_failed: u64,
}

/// Is the program ready?
///
/// Send it requests while this answers 200: its database is there, and its projections are made and have
/// caught up. Until then `build` says how far the first that is not is.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "It is ready", body = Readiness),
              (status = 503, description = "Not yet, or not at present", body = Problem,
               content_type = "application/problem+json"))
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Readiness>, Problem> {
    let now = app.engine.clock().now();
    let statuses = app.progress.status().await?;
    for status in &statuses {
        let projection = status.projection;
        if status.state != ProjectionState::Ready {
            let detail = format!("{projection} is being built");
            let problem = Problem::unavailable(detail).with("projection", projection.to_string());
            let build = status.rebuild.clone().map(|build| BuildView::new(build, now));
            let build = serde_json::to_value(build).map_err(|_| Problem::internal())?;
            return Err(problem.with("state", status.state.as_str()).with("build", build));
        }
        if status.events_behind > READY_EVENTS_BEHIND {
            let events = status.events_behind;
            let detail = format!("{projection} has {events} events to read");
            return Err(Problem::unavailable(detail).with("events_behind", events));
        }
    }
    let projections = statuses.into_iter().map(|status| ProjectionReadiness {
        name: status.projection.name,
        version: status.projection.version,
        events_behind: status.events_behind,
        tenants_failed: status.tenants_stalled,
    });
    Ok(Json(Readiness { projections: projections.collect() }))
}
