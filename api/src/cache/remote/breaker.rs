//! When a server that does not answer is left alone: after some failures in a row, for longer and longer, and then one
//! request tries.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row.
const FAILURES: u32 = 3;

/// How long at first, and at most.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    /// Until when it is left alone, and for how long that is.
    open: Option<(Instant, Duration)>,
}

/// How it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// As always.
    Usual,
    /// After it was left alone: what comes of it decides for the others.
    Trial,
}

impl Breaker {
    /// Whether it is to be asked, and how.
    pub(super) fn pass(&self) -> Option<Pass> {
        let mut state = self.lock();
        let Some((until, pause)) = state.open else { return Some(Pass::Usual) };
        let now = Instant::now();
        if now < until {
            return None;
        }
        // This one tries; the others wait for what comes of it.
        state.open = Some((now + pause, pause));
        Some(Pass::Trial)
    }

    /// It has answered. Whether it had been left alone.
    pub(super) fn worked(&self) -> bool {
        let mut state = self.lock();
        state.failures = 0;
        state.open.take().is_some()
    }

    /// It has not answered. Whether it is left alone from now on.
    pub(super) fn failed(&self, pass: Pass) -> bool {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        let now = Instant::now();
        match (pass, state.open) {
            (Pass::Usual, None) if state.failures >= FAILURES => {
                state.open = Some((now + SHORTEST, SHORTEST));
                true
            }
            (Pass::Trial, Some((_, pause))) => {
                let pause = (pause * 2).min(LONGEST);
                state.open = Some((now + pause, pause));
                false
            }
            // Those that were under way when it was given up say nothing new.
            _ => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_answer_is_left_alone_for_longer_and_longer_and_one_tries() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            assert_eq!(breaker.pass(), Some(Pass::Usual));
            assert!(!breaker.failed(Pass::Usual));
        }
        assert!(breaker.failed(Pass::Usual), "it is said once");
        for _ in 0..10 {
            assert!(!breaker.failed(Pass::Usual), "these were under way");
        }
        let mut pause = SHORTEST;
        for _ in 0..8 {
            advance(pause.saturating_sub(MOMENT)).await;
            assert_eq!(breaker.pass(), None, "{pause:?}");
            advance(MOMENT).await;
            assert_eq!((breaker.pass(), breaker.pass()), (Some(Pass::Trial), None), "{pause:?}");
            assert!(!breaker.failed(Pass::Trial));
            pause = (pause * 2).min(LONGEST);
        }
        advance(LONGEST).await;
        assert_eq!(breaker.pass(), Some(Pass::Trial));
        assert!(breaker.worked());
        assert_eq!((breaker.pass(), breaker.pass()), (Some(Pass::Usual), Some(Pass::Usual)));
        assert!(!breaker.worked());
    }
}
