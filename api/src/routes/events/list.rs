//! `GET /v1/events`

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use daybook_store::Position;
use daybook_store::feed::{CloudEvent, Feed};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{EventParams, EventQuery};
use crate::App;
use crate::export::ndjson;
use crate::http::query::{Within, query_params};
use crate::http::{Analytics, At, Caller, Problem, Query, auth};
use crate::routes::problems::ReadProblems;

const DEFAULT_LIMIT: usize = 100;
pub(crate) const MAX_LIMIT: usize = 1_000;

/// How many reads of the log one request makes: it ends, however few events pass the
/// filter, and says how far it came.
pub(crate) const MAX_READS: usize = 10;

/// Says in the header what `read_to` says in the body, which NDJSON has no place for.
const READ_TO: &str = "daybook-read-to";
const HEAD: &str = "daybook-head";

/// A part of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    items: Vec<CloudEvent>,
    /// The log was read up to this position: ask for what is `after` it. A page can end before there
    /// are as many items as it may have, and even without any.
    read_to: u64,
    /// The position of the last event in the log: there is no more at present when `read_to` is it.
    head: u64,
}

/// What a page has, and whether more is there.
struct Page {
    events: Vec<CloudEvent>,
    read_to: Position,
    head: Position,
    has_more: bool,
}

query_params! {
    /// Which page.
    pub(crate) struct EventPageParams {
        /// The most items of a page: 1 to 1,000, 100 where it is left out.
        limit: Option<Within<1, MAX_LIMIT>>,
        ..events: EventParams,
    }
}

/// List events
///
/// The tenant's log, oldest first, each event as a CloudEvent. Positions have no gap and are in the
/// order of the commits, so whoever asks for what is `after` the last `read_to` sees each once. With
/// `Accept: application/x-ndjson` there is an event per line, and `read_to` and `head` are in the
/// headers `Daybook-Read-To` and `Daybook-Head`. What clients have said of themselves is left out
/// unless it is asked for by a key with scope `admin`.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(EventPageParams),
    security(("api_key" = ["analytics"])),
    // Not the lines of NDJSON: a client that never asks for them would have to reckon with both.
    responses((status = 200, description = "A part of the log", body = EventPage,
               headers(("Daybook-Read-To" = u64, description = "What `read_to` says"),
                       ("Daybook-Head" = u64, description = "What `head` says"),
                       ("Link" = String, description = "What comes after it: `<...>; rel=\"next\"` (RFC 8288)"))),
              ReadProblems)
)]
pub(crate) async fn list_events(
    State(app): State<App>,
    caller: Caller<auth::Within<Analytics>>,
    uri: Uri,
    headers: HeaderMap,
    Query(asked): Query<EventPageParams>,
) -> Result<At<Response>, Problem> {
    let limit = asked.limit.map_or(DEFAULT_LIMIT, |Within(limit)| limit);
    let query = EventQuery::of(&app, &caller, asked.events, None).await?;
    let page = page(&query, limit).await?;
    let link = page.has_more.then(|| next(&uri, page.read_to)).flatten();
    let (read_to, head) = (page.read_to.get(), page.head.get());
    let mut response = if wants_ndjson(&headers) {
        let mut lines = Vec::new();
        for event in &page.events {
            ndjson::write(event, &mut lines).map_err(|_| Problem::internal())?;
        }
        ([(header::CONTENT_TYPE, ndjson::MEDIA_TYPE)], lines).into_response()
    } else {
        Json(EventPage { items: page.events, read_to, head }).into_response()
    };
    let out = response.headers_mut();
    out.insert(READ_TO, read_to.into());
    out.insert(HEAD, head.into());
    out.insert(header::VARY, HeaderValue::from_static("accept"));
    if let Some(link) = link {
        out.insert(header::LINK, link);
    }
    Ok(At(page.read_to, response))
}

async fn page(query: &EventQuery, limit: usize) -> Result<Page, Problem> {
    let until = query.until().await?;
    let (mut events, mut read_to, mut bytes) = (Vec::new(), query.after, 0);
    for _ in 0..MAX_READS {
        let part = query.feed.read(read_to, until.position, limit - events.len()).await?;
        read_to = part.read_to;
        bytes += part.bytes;
        events.extend(part.events);
        if read_to >= until.position || events.len() == limit || bytes >= Feed::MAX_BYTES {
            break;
        }
    }
    Ok(Page { events, read_to, head: until.head, has_more: read_to < until.position })
}

fn wants_ndjson(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(str::trim);
    types.any(|accepted| accepted.split(';').next() == Some(ndjson::MEDIA_TYPE))
}

/// The same request after what has been read.
fn next(uri: &Uri, read_to: Position) -> Option<HeaderValue> {
    let query = uri.query().unwrap_or_default();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
    let kept = pairs.into_iter().filter(|(name, _)| name != "after");
    let pairs: Vec<_> = kept.chain([("after".to_owned(), read_to.to_string())]).collect();
    let query = serde_urlencoded::to_string(pairs).ok()?;
    format!("<{}?{query}>; rel=\"next\"", uri.path()).try_into().ok()
}
