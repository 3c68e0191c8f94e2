//! Looks that follow each other through all active logs, and what they have seen together.

use std::time::Instant;

use daybook_domain::TenantId;

use super::look::Look;
use crate::ProjectionId;
use crate::lag::{Lag, Lags};

pub(super) struct Sweep {
    /// The last tenant that was looked at.
    after: Option<TenantId>,
    lags: Vec<Lag>,
}

impl Sweep {
    pub(super) fn new(projections: &[ProjectionId]) -> Self {
        Self { after: None, lags: projections.iter().copied().map(Lag::none).collect() }
    }

    pub(super) fn after(&self) -> Option<TenantId> {
        self.after.clone()
    }

    pub(super) fn restart(&mut self) {
        self.after = None;
        for lag in &mut self.lags {
            *lag = Lag::none(lag.projection);
        }
    }

    /// Adds a look. With the last page: what was seen in all of them.
    pub(super) fn add(&mut self, look: &Look, leads: impl Fn(ProjectionId) -> u64) -> Option<Lags> {
        for behind in &look.behind {
            let projection = behind.subscription.projection;
            let Some(lag) = self.lags.iter_mut().find(|lag| lag.projection == projection) else {
                continue;
            };
            lag.tenants_behind += 1;
            lag.events_behind += behind.head.get().saturating_sub(behind.position.get());
            lag.tenants_stalled += u64::from(behind.is_stalled);
            if !behind.is_stalled {
                lag.seconds_behind = lag.seconds_behind.max(behind.seconds);
            }
        }
        self.after.clone_from(&look.more_after);
        if self.after.is_some() {
            return None;
        }
        let mut projections = self.lags.clone();
        for lag in &mut projections {
            lag.leads = leads(lag.projection);
        }
        self.restart();
        Some(Lags { projections, seen_at: Some(Instant::now()) })
    }
}
