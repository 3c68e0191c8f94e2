//! What a request's head must be, whatever its route.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Problem;

/// Headers that say one thing. Of two, a proxy in front may go by the one, and daybook by the other.
const SAID_ONCE: [&str; 8] = [
    "host",
    "authorization",
    "content-type",
    "if-match",
    "idempotency-key",
    "daybook-min-position",
    "last-event-id",
    "daybook-purpose",
];

/// The longest path with its query, in bytes.
pub(crate) const MAX_URI_BYTES: usize = 16 * 1024;

/// Refuses what is read in more than one way, or is too long to be read.
pub(crate) async fn checked(request: Request, next: Next) -> Response {
    match is_one(request.headers()).and_then(|()| is_short(request.uri())) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn is_one(headers: &HeaderMap) -> Result<(), Problem> {
    let twice = SAID_ONCE.iter().find(|name| headers.get_all(**name).iter().nth(1).is_some());
    let Some(name) = twice else { return Ok(()) };
    let title = "A header is given twice";
    let detail = format!("{name}: send it once");
    let problem = Problem::new(StatusCode::BAD_REQUEST, "repeated-header", title, detail);
    Err(problem.with("header", *name))
}

fn is_short(uri: &Uri) -> Result<(), Problem> {
    if uri.path_and_query().is_none_or(|both| both.as_str().len() <= MAX_URI_BYTES) {
        return Ok(());
    }
    let detail = format!("a path with its query has at most {MAX_URI_BYTES} bytes");
    Err(Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long", "The URI is too long", detail))
}
