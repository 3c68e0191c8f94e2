//! The trace that something is part of (W3C Trace Context), from a request to the events that it leads to.
//!
//! Spans are `tracing`'s. Whether they are exported, and to where, is for the program to say: what exports them knows
//! the ids that they have there ([`export_by`]). Without it, a trace is only handed on.

use std::fmt::{self, Display};
use std::sync::OnceLock;

use serde::Deserialize;
use tracing::Span;

/// A span of a trace, as others name it: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    pub trace_id: u128,
    pub span_id: u64,
    /// The lowest bit: the caller records it, too.
    pub flags: u8,
}

impl TraceContext {
    /// What a `traceparent` says; `None`: nothing that is valid (section 3.2 of the recommendation).
    #[must_use]
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut fields = traceparent.split('-');
        let version = hex(fields.next()?, 2)?;
        let trace_id = hex(fields.next()?, 32)?;
        let span_id = u64::try_from(hex(fields.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(fields.next()?, 2)?).ok()?;
        // A later version may have more fields; of 255 there will be none.
        let may_have_more = version > 0 && version < 255;
        let is_valid = version < 255 && trace_id != 0 && span_id != 0;
        (is_valid && (may_have_more || fields.next().is_none())).then_some(Self {
            trace_id,
            span_id,
            flags,
        })
    }

    /// Another span of the same trace.
    #[must_use]
    fn child(self) -> Self {
        Self { span_id: rand::random_range(1..=u64::MAX), ..self }
    }

    /// The trace's id, as it is written.
    #[must_use]
    pub fn trace(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

/// The trace that the metadata of an event says, where spans are exported: otherwise nobody asks.
pub(crate) fn of_metadata(metadata: &str) -> Option<TraceContext> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow)]
        traceparent: Option<&'a str>,
    }
    export()?;
    let Metadata { traceparent } = serde_json::from_str(metadata).ok()?;
    TraceContext::parse(traceparent?)
}

/// A number of so many lower-case digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(is_digit))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

impl Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trace_id, span_id, flags } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }
}

/// What exports spans.
pub trait SpanExport: Send + Sync {
    /// Makes a request's span one of the caller's trace, before it is entered.
    fn adopt(&self, span: &Span, parent: TraceContext);

    /// The name that a span has there.
    fn context(&self, span: &Span) -> Option<TraceContext>;

    /// Links a span to one of another trace.
    fn link(&self, span: &Span, to: TraceContext);

    /// A request's span ends: notes how, by the names of OpenTelemetry's semantic conventions.
    fn answered(&self, span: &Span, method: &'static str, route: &str, status: u16);
}

static EXPORT: OnceLock<Box<dyn SpanExport>> = OnceLock::new();

/// Spans are exported by this from now on, for as long as the program runs.
pub fn export_by(export: impl SpanExport + 'static) {
    let _ = EXPORT.set(Box::new(export));
}

/// What exports spans, if anything does.
#[must_use]
pub fn export() -> Option<&'static dyn SpanExport> {
    EXPORT.get().map(|export| &**export)
}

/// A request's span begins, which may be part of its caller's trace.
#[must_use]
pub fn begin(span: &Span, parent: Option<TraceContext>) -> Option<TraceContext> {
    let Some(export) = export() else { return parent.map(TraceContext::child) };
    if let Some(parent) = parent {
        export.adopt(span, parent);
    }
    export.context(span)
}

/// The name of the span that is entered, where spans are exported.
#[must_use]
pub fn current() -> Option<TraceContext> {
    export()?.context(&Span::current())
}

/// So many traces are linked to one span at most.
const MAX_LINKS: usize = 32;

/// Links a span to those that led to what it works on, each once.
pub fn link_all(span: &Span, traces: impl Iterator<Item = TraceContext>) {
    let Some(export) = export() else { return };
    let mut linked = Vec::with_capacity(MAX_LINKS);
    for trace in traces {
        if linked.len() == MAX_LINKS {
            return;
        }
        if !linked.contains(&trace) {
            export.link(span, trace);
            linked.push(trace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_parsed_is_written_the_same() {
        assert_eq!(TraceContext::parse(PARENT).unwrap().to_string(), PARENT);
        let later = format!("cc{}-what-comes-later", &PARENT[2..]);
        assert_eq!(TraceContext::parse(&later), TraceContext::parse(PARENT));
    }

    #[test]
    fn what_is_not_valid_is_no_trace() {
        for bad in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7-b7ad6b7169203331-01",
            "00-\"af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_trace_is_handed_on_where_no_span_is_exported() {
        let parent = TraceContext::parse(PARENT).unwrap();
        let own = begin(&Span::none(), Some(parent)).unwrap();
        assert_eq!((own.trace_id, own.flags), (parent.trace_id, parent.flags));
        assert_ne!(own.span_id, parent.span_id);
        assert_eq!(begin(&Span::none(), None), None);
    }
}
