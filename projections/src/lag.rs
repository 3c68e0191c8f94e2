//! How far behind the projections are, as the runner has last seen it: from memory, at no cost.

use daybook_store::metrics::{
    PROJECTION_LAG_EVENTS, PROJECTION_LAG_SECONDS, PROJECTION_LEADS, PROJECTION_TENANTS_STALLED,
};
use metrics::gauge;

use crate::ProjectionId;

/// How far one projection is behind, over all tenants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    pub(crate) projection: ProjectionId,
    /// How many events it has not read.
    pub(crate) events_behind: u64,
    /// How long ago, by the database's clock, the oldest event was recorded that it has not read. Those of tenants
    /// for whom it is stalled do not count: they would hide everybody else's.
    pub(crate) seconds_behind: f64,
    /// For how many tenants it is stalled at an event that it cannot apply.
    pub(crate) tenants_stalled: u64,
    /// How many subscriptions of it this program leads at present.
    pub(crate) leads: u64,
}

impl Lag {
    pub(crate) const fn none(projection: ProjectionId) -> Self {
        Self { projection, events_behind: 0, seconds_behind: 0.0, tenants_stalled: 0, leads: 0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    pub(crate) fn record(&self) {
        let ProjectionId { name, version } = self.projection;
        let set = |metric: &'static str, value: f64| {
            gauge!(metric, "projection" => name, "version" => version.to_string()).set(value);
        };
        set(PROJECTION_LAG_EVENTS, self.events_behind as f64);
        set(PROJECTION_LAG_SECONDS, self.seconds_behind);
        set(PROJECTION_LEADS, self.leads as f64);
        set(PROJECTION_TENANTS_STALLED, self.tenants_stalled as f64);
    }
}
