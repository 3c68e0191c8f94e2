//! The one place that asks what time it is.

use chrono::{DateTime, SubsecRound, Utc};

/// What time it is. Everything that depends on the time takes one, so that tests can set it.
pub trait Clock: Send + Sync + 'static {
    /// The present instant, in whole microseconds: what PostgreSQL can keep.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the others are given")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}
