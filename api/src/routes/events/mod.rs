//! The log as others read it.

mod event_stream;
mod export;
mod list;
mod query;
mod streams;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(crate) use streams::Streams;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_events))
        .routes(routes!(event_stream::stream_events))
        .routes(routes!(export::export_events))
}
