//! `GET /v1/events/export`

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::mpsc;

use super::asked::{Asked, EventFilters};
use crate::App;
use crate::export::{Format, export};
use crate::http::params::invalid;
use crate::http::{Caller, Params, Problem, Read};
use crate::routes::problems::ReadProblems;

/// How many parts of the file may wait for whoever reads it.
const PARTS: usize = 2;

/// Export events
///
/// The log up to where it ends now, as one file that is written while it is read: NDJSON (a CloudEvent
/// per line), CSV, or Parquet, of which instants are timestamps in UTC and `resource_ids` and `tags`
/// are lists. If the log cannot be read on, the answer breaks off.
#[utoipa::path(
    get, path = "/v1/events/export", tag = "events",
    params(EventFilters,
           ("format" = Option<String>, Query,
            description = "`ndjson`, as where it is left out, `csv` or `parquet`.")),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The file", content(
                  (String = "application/x-ndjson"), (String = "text/csv"),
                  (Vec<u8> = "application/vnd.apache.parquet"))),
              ReadProblems)
)]
pub(crate) async fn export_events(
    State(app): State<App>,
    caller: Caller<Read>,
    mut params: Params,
) -> Result<Response, Problem> {
    let format = params.text("format")?.map_or(Ok(Format::Ndjson), |text| text.parse());
    let format = format.map_err(|error| invalid("format", error))?;
    let asked = Asked::take(&app, &caller, &mut params, None).await?;
    params.finish()?;
    let opened = app.streams.open(&caller.tenant);
    let opened = opened.ok_or_else(|| Problem::unavailable("too many exports at once"))?;
    let until = asked.feed.until(asked.to).await?.position;
    let (parts, written) = mpsc::channel(PARTS);
    let name = format!("events-{}-{until}.{}", caller.tenant, format.extension());
    tokio::spawn(async move {
        let _opened = opened;
        export(&asked.feed, format, asked.after, until, parts).await;
    });
    // After an error the connection is cut, so that nobody takes what is there for all.
    let body = stream::unfold(written, async |mut parts| Some((parts.recv().await?, parts)));
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    // A tenant's name needs no quotes.
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename={name}")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
