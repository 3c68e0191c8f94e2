//! Spans, exported by OTLP over HTTP (JSON) to an OpenTelemetry collector. `OTEL_EXPORTER_OTLP_ENDPOINT` says where it
//! is, and the other variables of OpenTelemetry's specification are honoured: headers, sampler, service's name.
//!
//! They are sent from a thread of their own, by a client that needs no runtime: those of tokio panic on that thread
//! and nothing is exported. What the collector does not take in time is dropped.

use std::env;
use std::io::Read as _;
use std::time::Duration;

use async_trait::async_trait;
use daybook_store::Repeated;
use daybook_store::trace_context::{SpanExport, TraceContext, export_by};
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt as _};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

/// How long the collector may take to accept a batch of spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the end of the program waits for the last spans to be exported.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest answer of a collector that is read.
const MAX_ANSWER_BYTES: u64 = 1 << 20;

/// Exports what is left when it is dropped.
pub(crate) struct Exporting(SdkTracerProvider);

/// Starts to export the spans that this layer sees.
pub(crate) fn start<S>() -> anyhow::Result<(impl Layer<S>, Exporting)>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client::new())
        .with_protocol(Protocol::HttpJson)
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build();
    let tracer: SdkTracer = provider.tracer("daybook");
    let layer = OpenTelemetryLayer::new(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    export_by(OpenTelemetry);
    Ok((layer.with_filter(tracing_subscriber::filter::filter_fn(is_exported)), Exporting(provider)))
}

/// daybook's own spans, and what went wrong in them.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    let level = if metadata.is_span() { Level::DEBUG } else { Level::WARN };
    *metadata.level() <= level && metadata.target().starts_with("daybook")
}

fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_attribute(version);
    if env::var_os("OTEL_SERVICE_NAME").is_some() {
        return resource.build();
    }
    resource.with_service_name("daybook").build()
}

impl Drop for Exporting {
    fn drop(&mut self) {
        let _ = self.0.shutdown_with_timeout(END_TIMEOUT);
    }
}

/// Sends batches of spans, on the exporter's own thread.
#[derive(Debug)]
struct Client {
    agent: Agent,
    exports: Repeated,
}

impl Client {
    /// With the machine's own certificates, as where PostgreSQL is fetched.
    fn new() -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(EXPORT_TIMEOUT))
            .http_status_as_error(false);
        let exports = Repeated::giving_up("export spans", "spans were not taken, and are lost");
        Self { agent: config.build().into(), exports }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, spans) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(head, &*spans))?;
        let (head, body) = answer.into_parts();
        let mut bytes = Vec::new();
        body.into_reader().take(MAX_ANSWER_BYTES).read_to_end(&mut bytes)?;
        Ok(Response::from_parts(head, bytes.into()))
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request);
        match &answer {
            Ok(answer) if !answer.status().is_success() => {
                self.exports.failed(&format!("the collector answered {}", answer.status()));
            }
            answer => self.exports.note(answer),
        }
        answer
    }
}

/// What the rest of the program knows of the export.
struct OpenTelemetry;

impl SpanExport for OpenTelemetry {
    fn adopt(&self, span: &Span, parent: TraceContext) {
        // It fails only where the span is not exported.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote(parent)));
    }

    fn context(&self, span: &Span) -> Option<TraceContext> {
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_valid().then(|| TraceContext {
            trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(context.span_id().to_bytes()),
            flags: context.trace_flags().to_u8(),
        })
    }

    fn link(&self, span: &Span, to: TraceContext) {
        span.add_link(remote(to));
    }

    fn answered(&self, span: &Span, method: &'static str, route: &str, status: u16) {
        span.set_attribute("http.request.method", method);
        span.set_attribute("http.route", route.to_owned());
        span.set_attribute("http.response.status_code", i64::from(status));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
    }
}

fn remote(TraceContext { trace_id, span_id, flags }: TraceContext) -> SpanContext {
    let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
    SpanContext::new(trace_id, span_id, TraceFlags::new(flags), true, TraceState::NONE)
}
