//! Closed-loop load: so many workers, each of which has one thing in flight at a time.

use std::time::Instant;

use tokio::task::JoinSet;

use crate::cli::Timing;
use crate::samples::Samples;

/// What a worker does, again and again.
pub(crate) trait Work: Send + 'static {
    /// Does it once, and says what it was. An error ends the run: nothing that failed is counted.
    fn once(&mut self) -> impl Future<Output = anyhow::Result<&'static str>> + Send;
}

/// When what ends is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    from: Instant,
    until: Instant,
    timing: Timing,
}

impl Window {
    /// After the warm-up that begins now.
    pub(crate) fn from_now(timing: Timing) -> Self {
        let from = Instant::now() + timing.warm_up;
        Self { from, until: from + timing.measured, timing }
    }

    /// Whether what ended at this instant counts.
    pub(crate) fn counts(&self, ended: Instant) -> bool {
        (self.from..self.until).contains(&ended)
    }

    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }
}

/// Lets the workers work until the window closes.
pub(crate) async fn run<W: Work>(window: Window, workers: Vec<W>) -> anyhow::Result<Samples> {
    let mut tasks: JoinSet<anyhow::Result<Vec<(&'static str, u32)>>> =
        workers.into_iter().map(|worker| work(window, worker)).collect();
    let mut samples = Samples::new(window.timing().measured);
    // With the set, the workers that are still at it are dropped: one error ends them all.
    while let Some(done) = tasks.join_next().await {
        for (what, micros) in done?? {
            samples.add(what, micros)?;
        }
    }
    Ok(samples)
}

async fn work<W: Work>(window: Window, mut worker: W) -> anyhow::Result<Vec<(&'static str, u32)>> {
    let mut done = Vec::new();
    let mut begun = Instant::now();
    while begun < window.until {
        let what = worker.once().await?;
        let ended = Instant::now();
        if window.counts(ended) {
            let micros = u32::try_from((ended - begun).as_micros()).unwrap_or(u32::MAX);
            done.push((what, micros));
        }
        begun = ended;
    }
    Ok(done)
}
