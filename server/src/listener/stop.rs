//! The steps by which a program ends, and the signals that ask for it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How far the end has come: each step follows the one before.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    /// The program is to end. It accepts connections and answers as before, each answer being the last of its
    /// connection.
    pub(crate) draining: CancellationToken,
    /// No connection is accepted any more, and those on which nothing happens are closed.
    pub(crate) closing: CancellationToken,
    /// Whatever is still under way is cut off.
    pub(crate) over: CancellationToken,
}

/// Ctrl-C and SIGTERM.
pub(crate) struct Signals {
    /// Cancelled by the first of them.
    pub(crate) first: CancellationToken,
    /// Cancelled by the second.
    pub(crate) second: CancellationToken,
}

impl Signals {
    /// Hears them from now on.
    pub(crate) fn hear() -> anyhow::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let signals = Self { first: CancellationToken::new(), second: CancellationToken::new() };
        let heard = [signals.first.clone(), signals.second.clone()];
        tokio::spawn(async move {
            for token in heard {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                token.cancel();
            }
        });
        Ok(signals)
    }
}
