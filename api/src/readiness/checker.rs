//! Makes the checks of a program's readiness, in the background.

use std::time::Duration;

use daybook_projections::{Heard, Progress, State};
use daybook_store::Engine;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Check, Readiness};

/// How often checks are made, while the program is ready and while it is not.
const INTERVAL: Duration = Duration::from_secs(2);
const INTERVAL_UNREADY: Duration = Duration::from_millis(100);

/// How long a check may take before it fails.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often it is looked how far the projections are that are being made: that reads the heads of all logs.
const BUILDS_INTERVAL: Duration = Duration::from_secs(5);

/// How long after the last heartbeat that went through, and after the readers' connections last worked, these count as
/// broken.
const SILENCE: Duration = Duration::from_millis(3_500);

/// Makes the checks.
pub struct Checker {
    engine: Engine,
    progress: Progress,
    /// What the heartbeats hear, on a connection of their own.
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
        let mut last = Last::default();
        loop {
            self.check_all(&mut last).await;
            let ready = self.readiness.change(|known| known.failed().next().is_none());
            sleep(if ready { INTERVAL } else { INTERVAL_UNREADY }).await;
        }
    }

    async fn check_all(&self, last: &mut Last) {
        let readers = self.check_readers(last).await;
        self.readiness.note(Check::Readers, readers);
        if !readers {
            // Neither would the others go through: they are not to queue up behind it.
            self.readiness.note(Check::Committers, false);
            return;
        }
        // Made once, they stay.
        if self.readiness.has(Check::Projections) && !self.readiness.holds(Check::Projections) {
            self.check_projections(last).await;
        }
        let committers = self.readiness.has(Check::Committers);
        if committers && (self.readiness.is_asked() || !self.readiness.holds(Check::Committers)) {
            let work = self.engine.log().committers_work(TIMEOUT).await;
            self.readiness.note(Check::Committers, work);
        }
    }

    /// A single connection that has broken is no matter: the next one is another.
    async fn check_readers(&self, last: &mut Last) -> bool {
        let heard_at = self.heard.borrow().at;
        if heard_at.is_none_or(|at| at.elapsed() >= SILENCE) {
            return false;
        }
        // While nobody asks, the heartbeat will do.
        let unasked = self.readiness.holds(Check::Readers) && !self.readiness.is_asked();
        if unasked || self.engine.log().readers_work(TIMEOUT).await {
            last.readers_worked = Some(Instant::now());
        }
        last.readers_worked.is_some_and(|at| at.elapsed() < SILENCE)
    }

    async fn check_projections(&self, last: &mut Last) {
        let Ok(Ok(made)) = timeout(TIMEOUT, self.progress.are_made()).await else { return };
        self.readiness.note(Check::Projections, made);
        if made {
            self.readiness.change(|known| known.builds.clear());
        } else if last.builds_seen.is_none_or(|at| at.elapsed() >= BUILDS_INTERVAL) {
            last.builds_seen = Some(Instant::now());
            let Ok(Ok(mut builds)) = timeout(TIMEOUT, self.progress.builds()).await else { return };
            builds.retain(|build| build.state != State::Ready);
            let now = self.engine.clock().now();
            self.readiness.change(|known| (known.builds, known.builds_seen_at) = (builds, now));
        }
    }
}

/// When something was last so.
#[derive(Default)]
struct Last {
    readers_worked: Option<Instant>,
    builds_seen: Option<Instant>,
}
