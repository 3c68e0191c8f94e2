//! `/metrics`: figures for whoever watches the program.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::Operations;

/// Figures, in Prometheus' text format, from memory: see `docs/operations.md`.
pub(super) async fn metrics(State(operations): State<Operations>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], operations.metrics.render())
}
