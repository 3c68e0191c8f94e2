//! Each request as it is seen from outside the program: a span, a line in the log, and figures in `/metrics`.
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
use daybook_store::trace_context::{self, TraceContext};
use daybook_store::{RefusedCommand, noting};
use metrics::{counter, gauge, histogram};
use tracing::{Instrument as _, Span, field};
use uuid::Uuid;

use super::problem::AnsweredProblem;
use super::sampled::{Sampled, Say};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// That an answer is the one that the request's `Idempotency-Key` had already.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The longest id of a caller's that is taken.
const MAX_ID_BYTES: usize = 128;

/// What is noted instead of a status where the client hung up before there was one, as proxies do.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// The routes that are asked all the time by whoever keeps the program running.
const PROBES: [&str; 4] = ["/livez", "/readyz", "/startupz", "/metrics"];

/// What the events that a request leads to have in common: an extension of the request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestContext {
    /// The request's id, if that is a UUID; else a new one.
    pub(crate) correlation_id: Uuid,
    pub(crate) trace: Option<TraceContext>,
}

/// Runs a request in its span, and notes how it ended.
///
/// A response that is a stream is answered when it begins.
pub(crate) async fn trace(mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (id, correlation_id) = request_id(request.headers());
    let method = known(request.method());
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        otel.name = field::Empty,
        otel.kind = field::Empty,
        request_id = id.to_str().unwrap_or_default(),
        trace_id = field::Empty,
        method,
        route,
        // Known once the key is: see `Caller`.
        tenant = field::Empty,
        key_id = field::Empty,
    );
    if trace_context::export().is_some() {
        span.record("otel.name", format!("{method} {route}")).record("otel.kind", "server");
    }
    let trace = trace_context::begin(&span, parent(request.headers()));
    if let Some(trace) = trace {
        span.record("trace_id", trace.trace());
    }
    request.extensions_mut().insert(RequestContext { correlation_id, trace });
    let unanswered = Unanswered::new(&span, method, route, began);
    let answer = noting(next.run(request));
    let (mut response, noted) = answer.instrument(span.clone()).await;
    response.headers_mut().insert(REQUEST_ID, id);
    if noted.is_replay() {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    unanswered.answered(&response, noted.refused);
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

    /// Says so in one line; a refusal that is not its answer, as of one of a batch, has another.
    fn answered(mut self, response: &Response, refused: Option<RefusedCommand>) {
        let (status, ms) = (response.status().as_u16(), millis(self.began.elapsed()));
        let route = self.route.take().unwrap_or_default();
        let problem = response.extensions().get::<AnsweredProblem>();
        self.span.in_scope(|| match (problem, refused) {
            (Some(AnsweredProblem { name, fault: Some(fault) }), _) if status == 503 => {
                tracing::warn!(status, ms, problem = name, fault, "not possible at present");
            }
            (Some(AnsweredProblem { name, fault: Some(fault) }), _) => {
                tracing::error!(status, ms, problem = name, fault, "a fault");
            }
            (Some(AnsweredProblem { name, .. }), Some(refused)) => {
                let RefusedCommand { aggregate, aggregate_id, command, reason, .. } = &refused;
                tracing::info!(
                    status, ms, problem = name, aggregate, %aggregate_id, command, reason, "refused"
                );
            }
            (Some(AnsweredProblem { name, .. }), None) => refused_caller(status, ms, name),
            (None, refused) => {
                if let Some(refused) = refused {
                    refused.log();
                }
                if PROBES.contains(&route.as_str()) {
                    tracing::debug!(status, ms, "answered");
                } else {
                    tracing::info!(status, ms, "answered");
                }
            }
        });
        if let Some(AnsweredProblem { name, .. }) = problem {
            count_refusal(name);
        }
        self.note(&route, status, self.began.elapsed());
    }

    fn note(&self, route: &str, status: u16, took: Duration) {
        if let Some(export) = trace_context::export() {
            export.answered(self.span, self.method, route, status);
        }
        let labels = [
            ("http_request_method", self.method.to_owned()),
            ("http_route", route.to_owned()),
            ("http_response_status_code", status.to_string()),
        ];
        histogram!(HTTP_REQUEST_SECONDS, &labels).record(took);
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        gauge!(HTTP_ACTIVE_REQUESTS, "http_request_method" => self.method).decrement(1);
        let Some(route) = self.route.take() else { return };
        let (status, took) = (CLIENT_CLOSED_REQUEST, self.began.elapsed());
        self.span.in_scope(|| tracing::info!(status, ms = millis(took), "the client hung up"));
        self.note(&route, status, took);
    }
}

/// A refusal in one line; of those that anybody can have as often as they like, some lines a second.
fn refused_caller(status: u16, ms: u64, problem: &str) {
    static SAMPLED: Sampled = Sampled::new();
    if !matches!(status, 401 | 403 | 429) {
        tracing::info!(status, ms, problem, "refused");
        return;
    }
    match SAMPLED.next(Instant::now()) {
        Say::Nothing => tracing::debug!(status, ms, problem, "refused"),
        Say::Line { left_out: 0 } => tracing::info!(status, ms, problem, "refused"),
        Say::Line { left_out } => {
            tracing::info!(
                status,
                ms,
                problem,
                left_out,
                "refused; so many before it are not in the log"
            );
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counts a problem: an answer to a request, or to one of a batch.
pub(crate) fn count_refusal(problem: &str) {
    counter!(REFUSALS, "type" => problem.to_owned()).increment(1);
}

/// The caller's own id for the request, if it is a short word; else a new one. And a UUID for the events that it leads
/// to: the same, if it is one.
fn request_id(headers: &HeaderMap) -> (HeaderValue, Uuid) {
    let given = headers.get(REQUEST_ID).filter(|id| {
        (1..=MAX_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    let uuid = given.and_then(|id| Uuid::try_parse_ascii(id.as_bytes()).ok());
    let uuid = uuid.unwrap_or_else(Uuid::now_v7);
    let id = given.cloned().unwrap_or_else(|| {
        HeaderValue::try_from(uuid.to_string()).unwrap_or(HeaderValue::from_static("none"))
    });
    (id, uuid)
}

/// The caller's span that the request is part of; one that is not valid is none (W3C Trace Context, section 4.3).
fn parent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut given = headers.get_all(TRACE_PARENT).iter();
    let (one, no_other) = (given.next()?, given.next().is_none());
    one.to_str().ok().filter(|_| no_other).and_then(TraceContext::parse)
}

/// A method as a label: whatever a client makes up is one of a few.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
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
        assert_eq!(request_id(&headers("x-request-id", "front-desk-7")).0, "front-desk-7");
        for bad in ["", "two words", "\u{fc}"] {
            let (id, uuid) = request_id(&HeaderMap::from_iter([(
                REQUEST_ID,
                HeaderValue::from_bytes(bad.as_bytes()).unwrap(),
            )]));
            assert_eq!(id.to_str().unwrap(), uuid.to_string(), "{bad}");
        }
    }

    #[test]
    fn a_callers_uuid_is_what_the_events_have_in_common() {
        let id = "0192aa5e-5d0c-7e0f-8b2a-111111111111";
        let (_, correlation_id) = request_id(&headers("x-request-id", id));
        assert_eq!(correlation_id.to_string(), id);
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
    fn two_parents_are_none() {
        const ONE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let mut given = headers("traceparent", ONE);
        assert_eq!(parent(&given), TraceContext::parse(ONE));
        given.append(TRACE_PARENT, HeaderValue::from_static(ONE));
        assert_eq!(parent(&given), None);
    }
}
