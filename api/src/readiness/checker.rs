//! Makes the checks of a program's readiness, in the background.

use std::time::Duration;

use daybook_projections::{Heard, Progress, State};
use daybook_store::Engine;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Check, Readiness};

/// How often checks are made, while the program is ready and while it is not.
const INTERVAL: Duration = Duration::from_secs(2);
const INTERVAL_UNREADY: Duration = Duration::from_millis(100);

/// How long a check may take before it fails.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long after the last heartbeat that went through the readers' connections count as broken.
const SILENCE: Duration = Duration::from_millis(3_500);

/// Makes the checks.
pub struct Checker {
    engine: Engine,
    progress: Progress,
    /// What the heartbeats hear: they go through the readers' connections.
    heard: watch::Receiver<Heard>,
    readiness: Readiness,
}

impl Checker {
    #[must_use]
    pub fn new(
        engine: Engine,
        progress: Progress,
        heard: watch::Receiver<Heard>,
        readiness: Readiness,
    ) -> Self {
        Self { engine, progress, heard, readiness }
    }

    /// Makes them until cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        let _ = cancel.run_until_cancelled(self.check_for_ever()).await;
    }

    async fn check_for_ever(&self) {
        loop {
            self.check_all().await;
            let ready = self.readiness.change(|known| known.failed().next().is_none());
            sleep(if ready { INTERVAL } else { INTERVAL_UNREADY }).await;
        }
    }

    async fn check_all(&self) {
        let heard_at = self.heard.borrow().at;
        let readers = heard_at.is_some_and(|at| at.elapsed() < SILENCE);
        self.readiness.note(Check::Readers, readers);
        if !readers {
            // Neither would the others go through: they are not to queue up behind it.
            self.readiness.note(Check::Committers, false);
            return;
        }
        // Made once, they stay.
        if self.readiness.has(Check::Projections) && !self.readiness.holds(Check::Projections) {
            self.check_projections().await;
        }
        let committers = self.readiness.has(Check::Committers);
        if committers && (self.readiness.is_asked() || !self.readiness.holds(Check::Committers)) {
            let reached = timeout(TIMEOUT, self.engine.log().ping_committers()).await;
            self.readiness.note(Check::Committers, matches!(reached, Ok(Ok(()))));
        }
    }

    async fn check_projections(&self) {
        let Ok(Ok(mut builds)) = timeout(TIMEOUT, self.progress.builds()).await else { return };
        builds.retain(|build| build.state != State::Ready);
        self.readiness.note(Check::Projections, builds.is_empty());
        let now = self.engine.clock().now();
        self.readiness.change(|known| (known.builds, known.builds_seen_at) = (builds, now));
    }
}
