//! The operations port: what whoever keeps the program running asks, beside the API and without a key.
//!
//! Every program has it, whatever its roles. `/livez` and `/readyz` are on the API's port, too: that is where
//! balancers ask.

mod metrics;
mod probes;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;

use crate::http::{limits, trace};
use crate::readiness::Readiness;
use crate::routes;

pub(crate) use probes::documented as probes;

/// What the operations port shows.
#[derive(Clone)]
pub struct Operations {
    pub readiness: Readiness,
    pub metrics: PrometheusHandle,
}

/// The routes of the operations port.
pub fn router(operations: Operations) -> Router {
    let (probes, _) = probes().split_for_parts();
    let probes = probes.route("/startupz", get(probes::started));
    Router::new()
        .merge(probes.with_state(operations.readiness.clone()))
        .route("/metrics", get(metrics::metrics))
        .with_state(operations)
        .fallback(routes::no_such_route)
        .method_not_allowed_fallback(routes::no_such_method)
        .layer(CatchPanicLayer::custom(limits::panicked))
        .layer(from_fn(trace::trace))
}
