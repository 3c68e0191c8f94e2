//! While the relay cannot be reached, one mail at a time is tried, less and less often: a try is two events, and none of
//! them can be sent. What others send goes on.

use std::time::Duration;

use tokio::time::Instant;

use super::room::AT_ONCE;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct RelayDown(Option<Down>);

#[derive(Debug)]
struct Down {
    pause: Duration,
    next: Instant,
}

impl RelayDown {
    pub(super) fn is_there(&mut self) {
        if self.0.take().is_some() {
            tracing::info!("the mail relay is there again");
        }
    }

    pub(super) fn is_not_there(&mut self) {
        let pause = self.0.as_ref().map_or(FIRST_PAUSE, |down| (down.pause * 2).min(MAX_PAUSE));
        self.0 = Some(Down { pause, next: Instant::now() + pause });
    }

    /// How many may be under way.
    pub(super) fn most(&self) -> usize {
        match &self.0 {
            None => AT_ONCE,
            Some(down) => usize::from(down.next <= Instant::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_relay_that_is_away_is_tried_by_one_at_a_time_and_less_and_less_often() {
        let mut down = RelayDown::default();
        assert_eq!(down.most(), AT_ONCE);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            down.is_not_there();
            tokio::time::advance(Duration::from_millis(1_000 * seconds - 1)).await;
            assert_eq!(down.most(), 0);
            tokio::time::advance(Duration::from_millis(1)).await;
            assert_eq!(down.most(), 1);
        }
        down.is_there();
        assert_eq!(down.most(), AT_ONCE);
    }
}
