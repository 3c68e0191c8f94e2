//! `/livez`, `/readyz`: for whoever keeps the program running.

use axum::Json;
use axum::extract::State;
use daybook_projections::catalogue::Catalogue;
use daybook_projections::conflicts::Conflicts;
use daybook_projections::search::Search;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::Problem;

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
    #[schema(example = "search")]
    name: &'static str,
    version: i32,
    /// How many events it has not read yet, over all tenants.
    events_behind: u64,
    /// For how many tenants it stands still at an event that it cannot apply.
    tenants_failed: u64,
}

/// Is the program ready?
///
/// Send it requests while this answers 200: its database is there, and its projections have caught
/// up.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "It is ready", body = Readiness),
              (status = 503, description = "Not yet, or not at present", body = Problem,
               content_type = "application/problem+json"))
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Readiness>, Problem> {
    let lags = app
        .progress
        .lag(&[Search::ID, Catalogue::ID, Conflicts::ID, Sessions::ID, WaitingList::ID])
        .await?;
    let behind = lags.iter().find(|lag| lag.events_behind > READY_EVENTS_BEHIND);
    if let Some(lag) = behind {
        let (projection, events) = (lag.projection, lag.events_behind);
        let detail = format!("{projection} has {events} events to read");
        return Err(Problem::unavailable(detail).with("events_behind", events));
    }
    let projections = lags.into_iter().map(|lag| ProjectionReadiness {
        name: lag.projection.name,
        version: lag.projection.version,
        events_behind: lag.events_behind,
        tenants_failed: lag.tenants_failed,
    });
    Ok(Json(Readiness { projections: projections.collect() }))
}
