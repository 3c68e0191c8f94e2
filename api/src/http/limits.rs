//! Bounds on what is under way at once, and for how long.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;
use crate::App;

/// Requests under way at once. More are told to come back: a queue would only hide it.
pub(crate) const MAX_REQUESTS_IN_FLIGHT: usize = 4_096;

/// The longest that a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Answers 503 where a request would be one too many, or takes too long.
///
/// What a timed-out command asked for may still happen; a retry with the same idempotency key
/// tells.
pub(crate) async fn bound(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.in_flight.try_acquire() else {
        return Problem::unavailable("too many requests at once").into_response();
    };
    let has_body = has_body(&request);
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) if has_body => hang_up_unless_read(response),
        Ok(response) => response,
        Err(_) => Problem::unavailable("it took too long").into_response(),
    }
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
