//! Named steps, each with its time.

use std::time::{Duration, Instant};

use crate::shell::{Failure, say};

/// The steps of a chore so far.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Takes a step; the first that fails is the last.
    pub(crate) fn take<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        say(&format!("\n==> {name}"));
        let started = Instant::now();
        let outcome = step();
        let took = started.elapsed();
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        say(&format!("<== {name}: {verdict} in {}", seconds(took)));
        self.done.push((name, took));
        outcome
    }

    /// What took how long.
    pub(crate) fn summary(&self) -> String {
        let line = |name: &str, took| format!("\n{name:<12} {:>9}", seconds(took));
        let all = self.done.iter().map(|(_, took)| *took).sum();
        let steps = self.done.iter().map(|(name, took)| line(name, *took));
        steps.chain([line("all", all)]).collect()
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
