//! `/dav/`: calendars that programs keep in step with (CalDAV, RFC 4791), over the log.
//!
//! * `place`: what there is at an address; `calendar`: what calendars a key opens, and what is in them.
//! * `xml`: what is asked, within bounds; `multistatus`: how it is answered.
//! * `properties`: what each place tells of itself; `propfind`, `report`, `filter`: how programs ask for that, and
//!   `proppatch` that they set none of it; `free_busy`: when,
//!   and nothing else.
//! * `sync`: what has changed since they have asked last; `token`: how far that was. `write`: what they change;
//!   `time_off`: what is new.
//!
//! Why it is so: `docs/adr/0071-a-caldav-server-over-the-log.md`.

mod calendar;
mod filter;
mod free_busy;
mod multistatus;
mod place;
mod properties;
mod propfind;
mod proppatch;
mod report;
mod sync;
mod time_off;
mod token;
mod write;
mod xml;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::App;
use crate::http::basic::{ByPassword, CHALLENGE, ROOT};
use crate::http::compression::AsItIs;
use crate::http::{Appointments, Caller, Problem, Within, body};
use calendar::Opened;
use multistatus::Refused;
use place::Place;

#[cfg(test)]
pub(super) use {sync::MAX_EVENTS_READ, xml::MAX_ELEMENTS};

/// What of WebDAV is understood (RFC 4918 section 18, RFC 4791 section 5.1).
const COMPLIANCE: HeaderValue = HeaderValue::from_static("1, 3, access-control, calendar-access");
const DAV: HeaderName = HeaderName::from_static("dav");
const METHODS: HeaderValue =
    HeaderValue::from_static("OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, REPORT");

/// Where calendar programs ask. These are no operations of the document: the programs know them.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/.well-known/caldav", any(well_known))
        .route("/dav", any(answer))
        .route("/dav/", any(answer))
        .route("/dav/{*path}", any(answer))
        .layer(axum::middleware::map_response(with_challenge))
}

/// RFC 6764 section 5: programs know this address alone.
async fn well_known() -> impl IntoResponse {
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, HeaderValue::from_static(ROOT))])
}

/// Whoever sends no password is asked for one.
async fn with_challenge(mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(CHALLENGE);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

async fn answer(
    State(app): State<App>,
    ByPassword(caller): ByPassword,
    request: Request,
) -> Result<Response, Refused> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let place = Place::of(request.uri().path()).ok_or_else(nothing_there)?;
    let opened = Opened::by(&app, &caller)?;
    if place.who().is_some_and(|who| who != opened.who) {
        return Err(nothing_there());
    }
    let mut response = match method.as_str() {
        "OPTIONS" => StatusCode::OK.into_response(),
        "GET" | "HEAD" => get(&opened, &place).await?,
        "PUT" => write::put(&opened, &place, &headers, &body::read(request).await?).await?,
        "DELETE" => write::delete(&opened, &place, &headers).await?,
        "PROPFIND" => {
            let asked = xml::read(&body::read(request).await?)?;
            propfind::answer(&opened, &place, &headers, asked.as_ref()).await?
        }
        "PROPPATCH" => {
            let asked = xml::read(&body::read(request).await?)?;
            let asked =
                asked.ok_or_else(|| Refused::not_xml("what is to be set stands in a body"))?;
            proppatch::answer(&place, &asked)?.into_response()
        }
        "REPORT" => {
            let asked = xml::read(&body::read(request).await?)?;
            let asked = asked.ok_or_else(|| Refused::not_xml("a report is asked for by a body"))?;
            report::answer(&opened, &place, &asked).await?
        }
        _ => super::no_such_method().await.into_response(),
    };
    let is_told = method == Method::OPTIONS || response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(DAV, COMPLIANCE);
    if is_told {
        headers.insert(header::ALLOW, METHODS);
    }
    Ok(response)
}

/// What is in a calendar, by itself.
async fn get(opened: &Opened<'_>, place: &Place) -> Result<Response, Refused> {
    let Place::Member { calendar, id, .. } = place else {
        return Ok(super::no_such_method().await.into_response());
    };
    let calendar = opened.calendar(*calendar).await?.ok_or_else(nothing_there)?;
    let member = opened.member(&calendar, *id).await?.ok_or_else(nothing_there)?;
    let mut response = member.text.into_response();
    // Its tag is in reports, too, whose bytes are others.
    response.extensions_mut().insert(AsItIs);
    let headers = response.headers_mut();
    let of_type = HeaderValue::from_static(calendar::CONTENT_TYPE);
    headers.insert(header::CONTENT_TYPE, of_type);
    headers.extend(HeaderValue::try_from(member.etag).ok().map(|etag| (header::ETAG, etag)));
    Ok(response)
}

fn nothing_there() -> Refused {
    Problem::not_found("calendar").into()
}

/// Who asks.
type Asking = Caller<Within<Appointments>>;

/// How deep a request goes (RFC 4918 section 10.2); left out, it goes all the way.
fn depth(headers: &HeaderMap) -> Option<u8> {
    let depth = headers.get("depth")?.to_str().ok()?.trim();
    depth.parse().ok().filter(|depth| *depth <= 1)
}
