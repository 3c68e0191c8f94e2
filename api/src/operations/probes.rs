//! `/livez`, `/readyz`, `/startupz`: answered from memory.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{NoQuery, Problem};
use crate::readiness::{Known, Readiness};
use crate::views::BuildView;

/// `/livez` and `/readyz`, with their part of the document.
pub(crate) fn documented() -> OpenApiRouter<Readiness> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// An answer that is true for a moment.
type Momentary<T> = ([(HeaderName, HeaderValue); 1], T);

fn momentary<T>(answer: T) -> Momentary<T> {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer)
}

/// Is the program alive?
///
/// Restart it when this does not answer.
#[utoipa::path(
    get, path = "/livez", tag = "operation",
    responses((status = 200, description = "It lives", body = str),
              (status = 400, description = "It takes no parameters", body = Problem,
               content_type = "application/problem+json"))
)]
pub(crate) async fn live(_: NoQuery) -> Momentary<&'static str> {
    momentary("ok\n")
}

/// What was checked, and held.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadinessView {
    #[schema(example = json!(["readers", "committers", "projections"]))]
    checks: Vec<&'static str>,
}

/// Is the program ready?
///
/// Send it requests while this answers 200: its connections to the database work, the projections that it reads are
/// made, and it is not stopping. That a projection is behind does not count: it is behind for all programs.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "It is ready", body = ReadinessView),
              (status = 400, description = "It takes no parameters", body = Problem,
               content_type = "application/problem+json"),
              (status = 503, description = "Not yet, or not at present", body = Problem,
               content_type = "application/problem+json"))
)]
pub(crate) async fn ready(
    State(readiness): State<Readiness>,
    _: NoQuery,
) -> Result<Momentary<Json<ReadinessView>>, Problem> {
    let known = readiness.ask();
    if known.draining {
        return Err(Problem::unavailable("the program is stopping").with("draining", true));
    }
    match unready(&known) {
        Some(problem) => Err(problem),
        None => Ok(momentary(Json(view(&known)))),
    }
}

/// Has the program started?
///
/// It has once it was ready for the first time, and then for good. Until then `builds` says how far the projections
/// are.
pub(crate) async fn started(
    State(readiness): State<Readiness>,
    _: NoQuery,
) -> Result<Momentary<Json<ReadinessView>>, Problem> {
    let known = readiness.ask();
    match unready(&known) {
        Some(problem) if !known.started => Err(problem),
        _ => Ok(momentary(Json(view(&known)))),
    }
}

fn view(known: &Known) -> ReadinessView {
    ReadinessView { checks: known.checks.iter().map(|(check, _)| check.as_str()).collect() }
}

/// Which checks fail; `None`: none does.
fn unready(known: &Known) -> Option<Problem> {
    let failed: Vec<_> = known.failed().collect();
    let detail = failed.first()?.failure();
    let names: Vec<&str> = failed.iter().map(|check| check.as_str()).collect();
    let problem = Problem::unavailable(detail).with("failed", names);
    if known.builds.is_empty() {
        return Some(problem);
    }
    let builds = known.builds.iter().map(|build| BuildOf {
        projection: build.projection.to_string(),
        state: build.state.as_str(),
        build: build.rebuild.clone().map(|rebuild| BuildView::new(rebuild, known.builds_seen_at)),
    });
    let builds = serde_json::to_value(builds.collect::<Vec<_>>()).unwrap_or_default();
    Some(problem.with("builds", builds))
}

/// How far a projection is that is not made yet.
#[derive(Serialize)]
struct BuildOf {
    projection: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<BuildView>,
}
