//! Bookings come first.

use std::time::Duration;

use daybook_store::Log;
use tokio::sync::watch;
use tokio::time::sleep;

/// While others commit, this many times as long as a part of the work took is rested.
const RESTS: u32 = 6;

/// The longest rest.
const LONGEST: Duration = Duration::from_secs(2);

/// How fast a rebuild may go on.
pub(super) struct Pace {
    commits: watch::Receiver<u64>,
}

impl Pace {
    pub(super) fn of(log: &Log) -> Self {
        Self { commits: log.wakeups() }
    }

    /// Whether anybody has committed since the last rest.
    pub(super) fn others_work(&self) -> bool {
        self.commits.has_changed().unwrap_or(false)
    }

    /// Rests after a part of the work that took so long, if others want to work.
    pub(super) async fn rest(&mut self, took: Duration) {
        if self.others_work() {
            self.commits.mark_unchanged();
            sleep((took * RESTS).min(LONGEST)).await;
        }
    }
}
