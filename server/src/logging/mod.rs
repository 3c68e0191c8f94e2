//! The log of the program itself, on standard error: for people on a terminal, in JSON elsewhere.

mod json;
mod writer;

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use json::JsonLines;
use writer::Writer;
pub(crate) use writer::Written;

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

/// Starts it; what it gives back writes the rest when it is dropped. `DAYBOOK_LOG` says what is in it, in tracing's
/// filter syntax.
pub(crate) fn start(format: Format) -> Written {
    let filter =
        EnvFilter::try_from_env("DAYBOOK_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
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
    Registry::default().with(lines).init();
    written
}

/// A panic is a line of the log, too.
fn say_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or_default();
        tracing::error!(panic = what, place, "a thread panicked");
    }));
}
