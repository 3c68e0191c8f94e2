//! `/metrics`: figures for whoever watches the program.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use daybook_store::Role;
use daybook_store::metrics::{
    PROGRAMS_ALIVE, PROJECTION_BUILD_EVENTS, PROJECTION_BUILD_EVENTS_DONE, PROJECTION_LAG_EVENTS,
    PROJECTION_READY, PROJECTION_TENANTS_STALLED,
};
use metrics::gauge;

use super::Operations;
use crate::http::Problem;

/// Figures, in Prometheus' text format: see `docs/operations.md`.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(super) async fn metrics(
    State(operations): State<Operations>,
) -> Result<impl IntoResponse, Problem> {
    for status in operations.progress.status().await? {
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
    let heard = operations.heard.borrow().clone();
    for role in Role::ALL {
        let programs = heard.programs.iter().filter(|program| program.has(role)).count();
        gauge!(PROGRAMS_ALIVE, "role" => role.as_str()).set(programs as f64);
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], operations.metrics.render()))
}
