//! What the program says to whoever runs it. Everything else goes to the log.

use std::io::{self, Write};

/// Prints a text on standard output. A reader that went away is no error.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Prints a line on standard output.
pub(crate) fn line(line: &str) -> anyhow::Result<()> {
    text(&format!("{line}\n"))
}

/// Prints why the program ends, with its causes, on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr(), "daybook: {error:#}");
}
