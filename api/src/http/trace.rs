//! Each request as it is seen from outside the program: a span in the log, and figures in `/metrics`.
//!
//! A request has an id, its caller's (`X-Request-Id`) or a new one, which the answer has too. By it, what
//! was answered, and why a command was refused, is found in the log. Neither has what a query or a body
//! says, nor the ids in a path: the route stands for it.

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, histogram};
use tracing::{Instrument as _, field};
use uuid::Uuid;

use super::problem::ProblemType;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id of a caller's that is taken.
const MAX_ID_BYTES: usize = 128;

/// Requests that were answered, by `route`, `method` and `status`.
const REQUESTS: &str = "daybook_http_requests_total";
/// How long they took, in seconds, by `route` and `method`.
pub const SECONDS: &str = "daybook_http_request_seconds";
/// Problems that were answered, by `type`.
const REFUSALS: &str = "daybook_refusals_total";

/// The bounds of the buckets of [`SECONDS`]: from a booking's usual time up to where requests time out.
pub const BUCKETS: [f64; 12] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// The routes that are asked all the time by whoever keeps the program running.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Runs a request in its span, and notes how it ended.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (id, method) = (request_id(request.headers()), known(request.method()));
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        trace = trace_id(request.headers()),
        method,
        route,
        // Known once the key is: see `Caller`.
        tenant = field::Empty,
        actor = field::Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(REQUEST_ID, id);
    span.in_scope(|| note(&response, method, route, began.elapsed()));
    response
}

fn note(response: &Response, method: &'static str, route: String, took: Duration) {
    let status = response.status().as_u16();
    let ms = took.as_millis();
    match response.extensions().get::<ProblemType>() {
        Some(ProblemType(problem)) => {
            count_refusal(problem);
            tracing::info!(status, ms, problem, "refused");
        }
        None if PROBES.contains(&route.as_str()) => tracing::debug!(status, ms, "answered"),
        None => tracing::info!(status, ms, "answered"),
    }
    let labels = [("route", route), ("method", method.to_owned())];
    histogram!(SECONDS, &labels).record(took);
    let [route, method] = labels;
    counter!(REQUESTS, &[route, method, ("status", status.to_string())]).increment(1);
}

/// Counts a problem: an answer to a request, or to one of a batch.
pub(crate) fn count_refusal(problem: &str) {
    counter!(REFUSALS, "type" => problem.to_owned()).increment(1);
}

/// The caller's own id for the request, if it is a short word; else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(REQUEST_ID).filter(|id| {
        (1..=MAX_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    given.cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// The trace that the caller's request is part of (W3C Trace Context, section 3.2).
fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get(TRACE_PARENT)?.to_str().ok()?.split('-');
    let (_version, trace) = (fields.next()?, fields.next()?);
    let is_id = trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then_some(trace)
}

/// A method as a label: whatever a client makes up is one of a few.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_caller_names_a_request_with_a_short_word() {
        assert_eq!(request_id(&headers("x-request-id", "front-desk-7")), "front-desk-7");
        for bad in ["", "two words", "\u{fc}"] {
            let id = request_id(&HeaderMap::from_iter([(
                REQUEST_ID,
                HeaderValue::from_bytes(bad.as_bytes()).unwrap(),
            )]));
            assert!(Uuid::parse_str(id.to_str().unwrap()).is_ok(), "{bad}");
        }
    }

    #[test]
    fn a_trace_is_taken_from_its_parent() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_id(&headers("traceparent", parent)), Some(id));
        for bad in
            ["", "00", "00-0af7-b7ad6b7169203331-01", "00-\"af7651916cd43dd8448eb211c8031-x-01"]
        {
            assert_eq!(trace_id(&headers("traceparent", bad)), None, "{bad}");
        }
    }
}
