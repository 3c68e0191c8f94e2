//! How far a long piece of work has come: a bar on a terminal, a line now and then elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often it is said how far it has come, where there is no terminal for a bar.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

pub(crate) struct ProgressLine {
    what: String,
    bar: ProgressBar,
    begun: Instant,
    said: Cell<Instant>,
}

impl ProgressLine {
    pub(crate) fn new(what: &str) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix} {bar:40} {pos}/{len} events, {per_sec}, {eta} left {msg}",
        );
        let bar = ProgressBar::new(0).with_prefix(what.to_owned());
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        let now = Instant::now();
        Self { what: what.to_owned(), bar, begun: now, said: Cell::new(now) }
    }

    /// What is done at present.
    pub(crate) fn doing(&self, what: &'static str) {
        self.bar.set_message(what);
    }

    pub(crate) fn show(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        if self.bar.is_hidden() && self.said.get().elapsed() >= BETWEEN_LINES {
            self.said.set(Instant::now());
            let seconds = self.begun.elapsed().as_secs().max(1);
            let (what, rate, doing) = (&self.what, done / seconds, self.bar.message());
            let left = total.saturating_sub(done).checked_div(rate);
            let left = left.map(|seconds| format!(", {seconds} s left")).unwrap_or_default();
            // Whoever reads it may have gone away; the end is told all the same.
            let line = format!("{what}: {done} of {total} events, {rate}/s{left} {doing}");
            let _ = output::line(line.trim_end());
        }
    }

    /// Says a line, without disturbing the bar.
    pub(crate) fn above(&self, line: &str) -> anyhow::Result<()> {
        self.bar.suspend(|| output::line(line))
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
