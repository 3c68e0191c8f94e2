//! What the benchmarks say to whoever runs them.

use std::io::{self, Write};

/// Prints a line of the result on standard output. A reader that went away is no error.
pub(crate) fn line(line: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Tells on standard error what is going on.
pub(crate) fn note(note: &str) {
    // There is nowhere left to say that this failed.
    let _ = writeln!(io::stderr(), "{note}");
}

/// Prints why the run ends, with its causes, on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    note(&format!("bench: {error:#}"));
}
