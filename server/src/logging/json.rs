//! Lines of JSON: what an event says, and what the spans around it say, all in one flat object.

use std::fmt::Debug;

use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer as FormatWriter;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::writer::Writer;

/// Writes each event as a line.
pub(super) struct JsonLines(Writer);

impl JsonLines {
    pub(super) fn new(writer: Writer) -> Self {
        Self(writer)
    }
}

/// What a span or an event says, in that order; of two of the same name the later one counts.
#[derive(Debug, Default, Clone)]
struct Fields(Vec<(&'static str, Value)>);

/// Fields for whoever exports spans begin so: they are no part of the log.
const FOR_EXPORT: &str = "otel.";

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        if name.starts_with(FOR_EXPORT) {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(vec![("message", Value::Null)]);
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(Fields(of_span)) = span.extensions().get() {
                for (name, value) in of_span {
                    fields.set(name, value.clone());
                }
            }
        }
        event.record(&mut fields);
        if let Ok(line) = line(event, &fields) {
            self.0.line(line);
        }
    }
}

fn line(event: &Event<'_>, Fields(fields): &Fields) -> serde_json::Result<Vec<u8>> {
    let mut time = String::new();
    let _ = SystemTime.format_time(&mut FormatWriter::new(&mut time));
    let mut line = Vec::with_capacity(512);
    let mut json = serde_json::Serializer::new(&mut line);
    let mut object = json.serialize_map(None)?;
    object.serialize_entry("timestamp", &time)?;
    object.serialize_entry("level", event.metadata().level().as_str())?;
    for (name, value) in fields {
        object.serialize_entry(name, value)?;
    }
    object.end()?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    struct Sent(mpsc::Sender<Vec<u8>>);

    impl io::Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_what_the_event_and_its_spans_say() {
        let (lines, written) = mpsc::channel();
        let (writer, end) = Writer::to(Sent(lines));
        let log = tracing_subscriber::registry().with(JsonLines::new(writer));
        tracing::subscriber::with_default(log, || {
            let request = tracing::info_span!(
                "request",
                request_id = "a\nb",
                tenant = tracing::field::Empty,
                otel.name = "no part of the log",
                status = 0,
            );
            request.record("tenant", "north");
            let _entered = request.entered();
            let _inner = tracing::info_span!("inner", attempt = 2_u64).entered();
            tracing::warn!(status = 503, reason = %"away", "answered");
        });
        drop(end);
        let line = written.iter().next().unwrap();
        let mut json: Value = serde_json::from_slice(&line).unwrap();
        let time = json.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        assert_eq!(
            json,
            serde_json::json!({
                "level": "WARN", "message": "answered", "request_id": "a\nb", "tenant": "north",
                "attempt": 2, "status": 503, "reason": "away",
            })
        );
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
    }
}
