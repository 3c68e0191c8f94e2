//! Bounds on what is under way at once, and for how long.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::Problem;
use super::held_body::held;
use crate::App;

/// The longest that a request may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// An answer that is counted apart from other requests, for it may go on for hours: its route says how many of
/// them there are at once. It is an extension of the answer.
#[derive(Clone, Copy)]
pub(crate) struct CountedApart;

/// Answers 503 where a request would be one too many, or takes too long. A request is under way until its
/// answer has been taken.
///
/// What a timed-out command asked for may still happen; a retry with the same idempotency key
/// tells.
pub(crate) async fn bound(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let place = match app.in_flight.enter() {
        Ok(place) => Arc::new(place),
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(Arc::clone(&place));
    let has_body = has_body(&request);
    let answered = timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let mut response =
        answered.unwrap_or_else(|_| Problem::unavailable("it took too long").into_response());
    if has_body {
        response = hang_up_unless_read(response);
    }
    if let Some(quota) = place.quota()
        && (response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED)
    {
        quota.tell(&mut response);
    }
    if response.extensions_mut().remove::<CountedApart>().is_some() {
        return response;
    }
    response.map(|body| held(body, place))
}

fn has_body(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.map_or(request.headers().contains_key(header::TRANSFER_ENCODING), |length| length != "0")
}

/// A request that was refused before its body was read leaves the body on the connection. The
/// client is told that the connection ends, so that it does not send the next request into it.
fn hang_up_unless_read(mut response: Response) -> Response {
    let read = response.status().is_success()
        || matches!(
            response.status(),
            StatusCode::CONFLICT
                | StatusCode::PRECONDITION_FAILED
                | StatusCode::UNPROCESSABLE_ENTITY
        );
    if !read {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A panic is a fault of the program: the caller hears that, and the others go on.
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let AssertUnwindSafe(panic) = AssertUnwindSafe(panic);
    let what = panic.downcast_ref::<&str>().map(ToString::to_string);
    let what = what.or_else(|| panic.downcast_ref::<String>().cloned());
    tracing::error!(panic = what.unwrap_or_default(), "a request panicked");
    Problem::internal().into_response()
}
