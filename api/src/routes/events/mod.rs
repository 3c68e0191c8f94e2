//! The log as others read it.

mod asked;
mod export;
mod list;
mod stream;
mod streams;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;

pub(crate) use streams::Streams;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list_events))
        .routes(routes!(stream::stream_events))
        .routes(routes!(export::export_events))
}

/// An event as CloudEvents 1.0 has it, for the documentation.
#[derive(utoipa::ToSchema)]
#[schema(as = CloudEvent)]
#[expect(dead_code, reason = "it documents `daybook_store::feed::CloudEvent`")]
pub(crate) struct CloudEventView {
    #[schema(example = "1.0")]
    specversion: String,
    /// Its position in the tenant's log, 1, 2, 3, ... without a gap: what `after` takes.
    #[schema(example = "1041")]
    id: String,
    #[schema(example = "urn:daybook:log:clinic")]
    source: String,
    #[schema(example = "daybook.AppointmentBooked")]
    r#type: String,
    /// To what it happened: its kind and its id.
    #[schema(example = "appointment/0192f0c1-2d2f-7c51-9f0a-6a2f1f7d3b11")]
    subject: String,
    /// When it was recorded; never earlier than the position before it.
    time: chrono::DateTime<chrono::Utc>,
    #[schema(example = "application/json")]
    datacontenttype: String,
    #[schema(example = "urn:daybook:schema:AppointmentBooked:1.0")]
    dataschema: String,
    /// The position once more, in 20 digits: it can be compared as text.
    #[schema(example = "00000000000000001041")]
    sequence: String,
    /// The version of the subject after it.
    streamversion: u64,
    /// Who did it.
    actor: Option<String>,
    /// What it belongs together with.
    correlationid: Option<String>,
    /// The event or command that caused it.
    causationid: Option<String>,
    /// What happened.
    #[schema(value_type = Object)]
    data: serde_json::Value,
}
