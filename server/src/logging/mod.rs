//! The log of the program itself, on standard error: for people on a terminal, in JSON elsewhere.

mod json;
mod writer;

use std::env;
use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use json::JsonLines;
use writer::{Writer, Written};

#[cfg(feature = "otlp")]
use crate::otlp;

/// How lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Text,
    /// An object a line.
    Json,
}

/// What runs beside the program; it finishes when this is dropped: the spans first, since that may be logged.
pub(crate) struct Running {
    #[cfg(feature = "otlp")]
    _exporting: Option<otlp::Exporting>,
    _written: Written,
}

/// Where spans are to be exported to, if anywhere.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// What is in no log, whatever `DAYBOOK_LOG` says: the client of the broker writes out messages that come back, with all that is in them.
const NEVER: &str = "lapin::returned_messages=off";

/// Starts the log, and the export of spans. `DAYBOOK_LOG` says what is in the log, in tracing's filter syntax.
pub(crate) fn start(format: Format) -> Running {
    let filter =
        EnvFilter::try_from_env("DAYBOOK_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let filter = match NEVER.parse() {
        Ok(never) => filter.add_directive(never),
        Err(_) => filter,
    };
    let (writer, written) = Writer::to(io::stderr());
    let terminal = io::stderr().is_terminal();
    let is_json = format == Format::Json || format == Format::Auto && !terminal;
    let lines = if is_json {
        say_panics();
        JsonLines::new(writer).with_filter(filter).boxed()
    } else {
        let text = fmt::layer().with_writer(writer).with_ansi(terminal).with_target(false);
        text.with_filter(filter).boxed()
    };
    let log = Registry::default().with(lines);
    if !ENDPOINTS.iter().any(|name| env::var_os(name).is_some()) {
        log.init();
        return Running::without_export(written);
    }
    #[cfg(not(feature = "otlp"))]
    {
        log.init();
        tracing::warn!("spans are not exported: this program is built without the feature `otlp`");
        Running::without_export(written)
    }
    #[cfg(feature = "otlp")]
    match otlp::start() {
        Ok((spans, exporting)) => {
            log.with(spans).init();
            Running { _exporting: Some(exporting), _written: written }
        }
        Err(error) => {
            log.init();
            tracing::error!(%error, "spans are not exported");
            Running::without_export(written)
        }
    }
}

impl Running {
    fn without_export(written: Written) -> Self {
        Self {
            #[cfg(feature = "otlp")]
            _exporting: None,
            _written: written,
        }
    }
}

/// A panic is a line of the log, too.
fn say_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or_default();
        tracing::error!(panic = what, place, "a thread panicked");
    }));
}
