//! Looks that follow each other through all active logs, and what they have seen together.

use daybook_domain::TenantId;

use super::look::Look;
use crate::ProjectionId;
use crate::lag::Lag;

pub(super) struct Sweep {
    /// The last tenant that was looked at.
    after: Option<TenantId>,
    /// Whether another sweep is to follow at once, for what has happened behind this one.
    once_more: bool,
    lags: Vec<Lag>,
}

impl Sweep {
    pub(super) fn new(projections: &[ProjectionId]) -> Self {
        let lags = projections.iter().copied().map(Lag::none).collect();
        Self { after: None, once_more: false, lags }
    }

    /// The tenant after which the next look begins.
    pub(super) fn begin_look(&mut self) -> Option<TenantId> {
        // The first of a sweep sees all that has happened before it.
        self.once_more &= self.after.is_some();
        self.after.clone()
    }

    /// Something has happened, nobody knows where. A sweep that is under way goes on: restarted again and again,
    /// none would ever end.
    pub(super) fn once_more(&mut self) {
        self.once_more = true;
    }

    /// Whether there is more to look at: of this sweep, or of the one that is to follow at once.
    pub(super) fn has_more(&self) -> bool {
        self.after.is_some() || self.once_more
    }

    fn restart(&mut self) {
        for lag in &mut self.lags {
            *lag = Lag::none(lag.projection);
        }
    }

    /// Adds a look. With the last page: what was seen in all of them.
    pub(super) fn add(
        &mut self,
        look: &Look,
        leads: impl Fn(ProjectionId) -> u64,
    ) -> Option<Vec<Lag>> {
        for behind in &look.behind {
            let projection = behind.subscription.projection;
            let Some(lag) = self.lags.iter_mut().find(|lag| lag.projection == projection) else {
                continue;
            };
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
        let mut seen = self.lags.clone();
        for lag in &mut seen {
            lag.leads = leads(lag.projection);
        }
        self.restart();
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(sweep: &mut Sweep, more_after: Option<&str>) -> bool {
        let more_after = more_after.map(|tenant| tenant.parse().unwrap());
        let look = Look { behind: Vec::new(), more_after, some_rest: false };
        sweep.begin_look();
        sweep.add(&look, |_| 0).is_some()
    }

    #[test]
    fn a_sweep_ends_however_often_somebody_has_appended_and_then_another_follows() {
        let mut sweep = Sweep::new(&[]);
        assert!(!sweep.has_more());
        for page in ["a", "b", "c"] {
            assert!(!looks(&mut sweep, Some(page)));
            sweep.once_more();
        }
        assert!(looks(&mut sweep, None) && sweep.has_more());
        assert_eq!(sweep.begin_look(), None);
        assert!(looks(&mut sweep, None) && !sweep.has_more());
    }
}
