//! `/openapi.json`, and `/docs`, a page of our own that shows it: no script of anybody else's, and nothing
//! from outside the program.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Html;
use axum::routing::get;
use utoipa::openapi::OpenApi;

use crate::App;
use crate::http::{NoQuery, Problem};

const PAGE: &str = include_str!("page.html");

/// The page holds keys: it talks to this program and to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The document and the page.
pub(crate) fn routes(document: &OpenApi) -> Router<App> {
    // Anybody may ask for it, so it is written once.
    let document = document.to_json().map(Bytes::from).map_err(|_| Problem::internal());
    let json =
        async move |_: NoQuery| document.map(|json| ([(CONTENT_TYPE, "application/json")], json));
    let page = async || ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE));
    Router::new().route("/openapi.json", get(json)).route("/docs", get(page))
}
