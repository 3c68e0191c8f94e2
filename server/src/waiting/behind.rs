//! How long a tenant is left alone whose projections have not read its log: longer and longer, up to a bound. It costs a
//! look each time, and no turn.

use std::time::Duration;

use daybook_domain::TenantId;
use tokio::time::Instant;

/// As soon as that it is looked again: as a rule they are a few commits behind.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(15);

/// After so long it is said, once.
const WORTH_A_WORD: Duration = Duration::from_secs(10);

/// A tenant whose projections are behind.
#[derive(Debug)]
pub(super) struct Behind {
    since: Instant,
    pause: Duration,
    said: bool,
}

impl Behind {
    pub(super) fn since(now: Instant) -> Self {
        Self { since: now, pause: FIRST_PAUSE, said: false }
    }

    /// It still is: how long it is left alone now.
    pub(super) fn pause(&mut self, tenant: &TenantId, now: Instant) -> Duration {
        let lasts = now.duration_since(self.since);
        if !self.said && lasts >= WORTH_A_WORD {
            self.said = true;
            tracing::warn!(%tenant, "who waits is offered nothing while the projections of the tenant are behind");
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(MAX_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_left_alone_for_longer_and_longer_up_to_a_bound_and_that_is_said_once() {
        let (tenant, began) = ("north".parse().unwrap(), Instant::now());
        let (mut behind, mut now, mut said) = (Behind::since(began), began, Vec::new());
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let pause = behind.pause(&tenant, now);
            said.push(behind.said);
            pauses.push(pause);
            now += pause;
        }
        assert_eq!(pauses[..3], [50, 100, 200].map(Duration::from_millis));
        assert!(pauses.windows(2).all(|two| two[1] == (two[0] * 2).min(MAX_PAUSE)), "{pauses:?}");
        assert_eq!(pauses[11], MAX_PAUSE);
        assert_eq!(said.iter().filter(|said| !**said).count(), 8, "10 s after it began");
    }
}
