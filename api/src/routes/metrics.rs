//! `/metrics`: figures for whoever watches the program.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use daybook_store::metrics::{
    PROJECTION_BUILD_EVENTS, PROJECTION_BUILD_EVENTS_DONE, PROJECTION_LAG_EVENTS, PROJECTION_READY,
    PROJECTION_TENANTS_STALLED,
};
use metrics::gauge;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::Problem;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Figures, for Prometheus
///
/// Each is described in the answer, and in `docs/operations.md`.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Prometheus' text format", body = String,
               content_type = "text/plain"),
              (status = 404, description = "This program keeps none", body = Problem,
               content_type = "application/problem+json"),
              (status = 503, description = "Not at present", body = Problem,
               content_type = "application/problem+json"))
)]
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Problem> {
    let handle = app.metrics.as_ref().ok_or_else(|| Problem::not_found("route"))?;
    for status in app.progress.status().await? {
        let labels = [
            ("projection", status.projection.name.to_owned()),
            ("version", status.projection.version.to_string()),
        ];
        let ready = status.state == daybook_projections::State::Ready;
        let (done, total) =
            status.rebuild.map_or((0, 0), |build| (build.events_done, build.events_total));
        gauge!(PROJECTION_READY, &labels).set(f64::from(u8::from(ready)));
        gauge!(PROJECTION_LAG_EVENTS, &labels).set(status.events_behind as f64);
        gauge!(PROJECTION_TENANTS_STALLED, &labels).set(status.tenants_stalled as f64);
        gauge!(PROJECTION_BUILD_EVENTS_DONE, &labels).set(done as f64);
        gauge!(PROJECTION_BUILD_EVENTS, &labels).set(total as f64);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()))
}
