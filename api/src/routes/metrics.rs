//! `/metrics`: figures for whoever watches the program.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
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
/// Of every projection: `daybook_projection_ready` (1 or 0), `daybook_projection_events_behind` and
/// `daybook_projection_tenants_failed` (those for whom it is stalled by an event that it cannot
/// apply); while it is made, `daybook_projection_build_events_done` and `_total`. Of requests:
/// `daybook_http_requests_total` by route, method and status, `daybook_http_request_seconds`, a histogram, by
/// route and method, and `daybook_refusals_total` by the `type` of the problem.
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
        gauge!("daybook_projection_ready", &labels).set(f64::from(u8::from(ready)));
        gauge!("daybook_projection_events_behind", &labels).set(status.events_behind as f64);
        gauge!("daybook_projection_tenants_failed", &labels).set(status.tenants_stalled as f64);
        gauge!("daybook_projection_build_events_done", &labels).set(done as f64);
        gauge!("daybook_projection_build_events_total", &labels).set(total as f64);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()))
}
