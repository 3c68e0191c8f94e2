//! The log as others read it.

mod event_stream;
pub(super) mod export;
mod list;
mod query;
mod streams;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

#[cfg(test)]
pub(crate) use list::{MAX_LIMIT, MAX_READS};
pub(crate) use streams::Streams;
#[cfg(test)]
pub(crate) use streams::{MAX as MAX_STREAMS, MAX_OF_ONE_TENANT as MAX_STREAMS_OF_ONE_TENANT};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_events))
        .routes(routes!(event_stream::stream_events))
        .routes(routes!(export::export_events))
}
