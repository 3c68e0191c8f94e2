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
use daybook_store::metrics::{HTTP_ACTIVE_REQUESTS, HTTP_REQUEST_SECONDS, REFUSALS};
use metrics::{counter, gauge, histogram};
use tracing::{Instrument as _, Span, field};
use uuid::Uuid;

use super::problem::ProblemType;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// The longest id of a caller's that is taken.
const MAX_ID_BYTES: usize = 128;

/// What is noted instead of a status where the client hung up before there was one, as proxies do.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The routes that are asked all the time by whoever keeps the program running.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Runs a request in its span, and notes how it ended.
///
/// A response that is a stream is answered when it begins.
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
    let unanswered = Unanswered::new(&span, method, route, began);
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(REQUEST_ID, id);
    unanswered.answered(&response);
    response
}

/// A request that is being answered. Where its client hangs up, it is dropped: what it asked for may have
/// happened all the same, so it is noted, too.
struct Unanswered<'a> {
    span: &'a Span,
    method: &'static str,
    /// `None`: it has been answered.
    route: Option<String>,
    began: Instant,
}

impl<'a> Unanswered<'a> {
    fn new(span: &'a Span, method: &'static str, route: String, began: Instant) -> Self {
        gauge!(HTTP_ACTIVE_REQUESTS, "http_request_method" => method).increment(1);
        Self { span, method, route: Some(route), began }
    }

    fn answered(mut self, response: &Response) {
        let (status, ms) = (response.status().as_u16(), self.began.elapsed().as_millis());
        let route = self.route.take().unwrap_or_default();
        self.span.in_scope(|| match response.extensions().get::<ProblemType>() {
            Some(ProblemType(problem)) => {
                count_refusal(problem);
                tracing::info!(status, ms, problem, "refused");
            }
            None if PROBES.contains(&route.as_str()) => tracing::debug!(status, ms, "answered"),
            None => tracing::info!(status, ms, "answered"),
        });
        count(self.method, route, status, self.began.elapsed());
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        gauge!(HTTP_ACTIVE_REQUESTS, "http_request_method" => self.method).decrement(1);
        let Some(route) = self.route.take() else { return };
        let (status, took) = (CLIENT_CLOSED_REQUEST, self.began.elapsed());
        self.span.in_scope(|| tracing::info!(status, ms = took.as_millis(), "the client hung up"));
        count(self.method, route, status, took);
    }
}

fn count(method: &'static str, route: String, status: u16, took: Duration) {
    let labels = [
        ("http_request_method", method.to_owned()),
        ("http_route", route),
        ("http_response_status_code", status.to_string()),
    ];
    histogram!(HTTP_REQUEST_SECONDS, &labels).record(took);
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
    use metrics_exporter_prometheus::PrometheusBuilder;

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
    fn a_request_whose_client_hangs_up_is_counted() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let (span, began) = (Span::none(), Instant::now());
            drop(Unanswered::new(&span, "GET", "/v1/appointments".to_owned(), began));
        });
        let figures = recorder.handle().render();
        assert!(figures.contains(r#"http_response_status_code="499""#), "{figures}");
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
