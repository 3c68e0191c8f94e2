//! The log of the program itself, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts it. `DAYBOOK_LOG` says what is in it, in tracing's filter syntax.
pub(crate) fn start() {
    let filter =
        EnvFilter::try_from_env("DAYBOOK_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
