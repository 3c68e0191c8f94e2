//! What browsers and proxies may do with an answer: keep it, and take it for another type than it says.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// Of what is asked for again with `If-None-Match`: it is kept for one caller, who asks each time whether it is still so.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Of all else: it may be about a person, and nobody would ask whether it is still so (RFC 9111 section 5.2.2.5).
const KEEP_NOTHING: HeaderValue = HeaderValue::from_static("no-store");

/// Adds it, unless the route has said something else.
pub(crate) async fn said(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let rule = if reads && headers.contains_key(header::ETAG) { ASK_AGAIN } else { KEEP_NOTHING };
    headers.entry(header::CACHE_CONTROL).or_insert(rule);
    response
}
