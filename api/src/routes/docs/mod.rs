//! `/`, which shows where to go; `/openapi.json` and `/asyncapi.json`; and `/docs`, a page of our own that shows it: no script of anybody
//! else's, and nothing from outside the program.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG};
use axum::response::{Html, IntoResponse as _, Redirect};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::App;
use crate::http::etag::Etag;
use crate::http::{NoQuery, Problem};
use crate::openapi;

const PAGE: &str = include_str!("page.html");

/// The page holds keys: it talks to this program and to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// What shows where to go shows nothing else.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/// What is the same for everybody may be kept by everybody, who asks whether it is still so.
const FOR_ALL: &str = "no-cache";

/// The document and the page.
pub(crate) fn routes(document: serde_json::Result<Value>) -> Router<App> {
    // Anybody may ask for it, so it is written once.
    let openapi = document.map_err(|_| Problem::internal());
    let feed = openapi
        .as_ref()
        .map_err(Clone::clone)
        .and_then(|openapi| openapi::feed_of(openapi).map_err(|_| Problem::internal()));
    let [openapi, feed] = [openapi, feed].map(|document| {
        let text = document.map(|document| Bytes::from(document.to_string()));
        let etag = text.as_ref().ok().map(|json| Etag::of_body(None, json).to_string());
        let etag = (ETAG, etag.unwrap_or_default());
        let json = (CONTENT_TYPE, "application/json".to_owned());
        let headers = [json, etag, (CACHE_CONTROL, FOR_ALL.to_owned())];
        get(async move |_: NoQuery| text.map(|json| (headers, json)))
    });
    let index = async |headers: HeaderMap, _: NoQuery| {
        let policy = [(CONTENT_SECURITY_POLICY, NOTHING)];
        if accepts_html(&headers) {
            return (policy, Redirect::to("/docs")).into_response();
        }
        let index = Json(json!({
            "name": "daybook", "version": env!("CARGO_PKG_VERSION"),
            "documentation": "/docs", "openapi": "/openapi.json", "asyncapi": "/asyncapi.json",
        }));
        (policy, index).into_response()
    };
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, FOR_ALL)];
    let page = async move || (headers, Html(PAGE));
    let routes = Router::new().route("/", get(index));
    let routes = routes.route("/openapi.json", openapi).route("/asyncapi.json", feed);
    routes.route("/docs", get(page))
}

/// Whether a person looks at it.
fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| range.trim().starts_with("text/html"))
}
