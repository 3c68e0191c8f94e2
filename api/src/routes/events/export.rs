//! `GET /v1/events/export`

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use tokio::sync::mpsc;
use utoipa::openapi::schema::Schema;

use super::query::{EventParams, EventQuery};
use crate::App;
use crate::export::{ExportError, Format, export};
use crate::http::limits::CountedApart;
use crate::http::query::{Value, invalid, query_params};
use crate::http::{Analytics, At, Caller, Problem, Query, Within};
use crate::routes::problems::ReadProblems;
use crate::schema::words;

/// How many parts of the file may wait for whoever reads it.
const PARTS: usize = 2;

query_params! {
    /// Which file.
    pub(crate) struct ExportParams {
        /// `ndjson`, as where it is left out, `csv` or `parquet`.
        format: Option<Format>,
        ..events: EventParams,
    }
}

impl Value for Format {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        words(["ndjson", "csv", "parquet"])
    }
}

/// Export events
///
/// The log up to where it ends now, as one file that is written while it is read: NDJSON (a CloudEvent
/// per line), CSV, or Parquet, of which instants are timestamps in UTC and `resource_ids` and `tags`
/// are lists. If the log cannot be read on, or the key ends, the answer breaks off.
#[utoipa::path(
    get, path = "/v1/events/export", tag = "events",
    params(ExportParams),
    security(("api_key" = ["analytics"])),
    responses((status = 200, description = "The file", content(
                  (String = "application/x-ndjson"), (String = "text/csv"),
                  (Vec<u8> = "application/vnd.apache.parquet")),
               headers(("Content-Disposition" = String, description = "A name for the file"))),
              ReadProblems)
)]
pub(crate) async fn export_events(
    State(app): State<App>,
    caller: Caller<Within<Analytics>>,
    Query(asked): Query<ExportParams>,
) -> Result<At<Response>, Problem> {
    let ExportParams { format, events } = asked;
    let format = format.unwrap_or(Format::Ndjson);
    let query = EventQuery::of(&app, &caller, events, None).await?;
    let opened = app.streams.open(&caller.tenant);
    let opened =
        opened.ok_or_else(|| Problem::overloaded("too many streams and exports at once"))?;
    query.handed_out(&app, &caller).await?;
    let until = query.until().await?.position;
    let (parts, written) = mpsc::channel(PARTS);
    let name = format!("events-{}-{until}.{}", caller.tenant, format.extension());
    let (app, credential) = (app.clone(), caller.credential);
    tokio::spawn(async move {
        let broken_off = parts.clone();
        let exported = export(&query.feed, format, (query.after, until), opened.turns(), parts);
        tokio::select! {
            _ = exported => {}
            () = credential.ended(&app) => {
                let _ = broken_off.send(Err(ExportError::KeyEnded)).await;
            }
        }
    });
    // After an error the connection is cut, so that nobody takes what is there for all.
    let body = stream::unfold(written, async |mut parts| Some((parts.recv().await?, parts)));
    // Whoever compresses it asks once more at its end.
    let mut response = Body::from_stream(body.fuse()).into_response();
    response.extensions_mut().insert(CountedApart);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    // A tenant's name needs no quotes.
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename={name}")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(At(until, response))
}
