//! How far behind the projections are, as the runner has last seen it: from memory, at no cost.

use std::time::{Duration, Instant};

use daybook_store::metrics::{
    PROJECTION_LAG_EVENTS, PROJECTION_LAG_SECONDS, PROJECTION_LEADS, PROJECTION_TENANTS_STALLED,
};
use metrics::gauge;

use crate::ProjectionId;

/// How far one projection is behind, over all tenants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lag {
    pub projection: ProjectionId,
    /// For how many tenants there are events that it has not read.
    pub tenants_behind: u64,
    /// How many events it has not read.
    pub events_behind: u64,
    /// How long ago, by the database's clock, the oldest event was recorded that it has not read. Those of tenants
    /// for whom it is stalled do not count: they would hide everybody else's.
    pub seconds_behind: f64,
    /// For how many tenants it is stalled at an event that it cannot apply.
    pub tenants_stalled: u64,
    /// How many subscriptions of it this program leads at present.
    pub leads: u64,
}

impl Lag {
    pub(crate) const fn none(projection: ProjectionId) -> Self {
        Self {
            projection,
            tenants_behind: 0,
            events_behind: 0,
            seconds_behind: 0.0,
            tenants_stalled: 0,
            leads: 0,
        }
    }
}

/// What the runner of this program has last seen.
#[derive(Debug, Clone, Default)]
pub struct Lags {
    /// In the order in which the projections are listed. Empty: it has not looked yet, or there is no runner.
    pub projections: Vec<Lag>,
    /// When that was.
    pub seen_at: Option<Instant>,
}

impl Lags {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    pub(crate) fn record(&self) {
        for lag in &self.projections {
            let ProjectionId { name, version } = lag.projection;
            let set = |metric: &'static str, value: f64| {
                gauge!(metric, "projection" => name, "version" => version.to_string()).set(value);
            };
            set(PROJECTION_LAG_EVENTS, lag.events_behind as f64);
            set(PROJECTION_LAG_SECONDS, lag.seconds_behind);
            set(PROJECTION_LEADS, lag.leads as f64);
            set(PROJECTION_TENANTS_STALLED, lag.tenants_stalled as f64);
        }
    }

    /// How old this is; `None`: nothing was ever seen.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.seen_at.map(|seen_at| seen_at.elapsed())
    }
}
