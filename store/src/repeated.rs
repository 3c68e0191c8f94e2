//! What fails again and again is said once, then counted: a database that is away for an hour is three lines in the
//! log and not thousands.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;

use crate::metrics::BACKGROUND_FAILURES;

/// Between two lines about the same task.
const INTERVAL: Duration = Duration::from_mins(1);

/// After so long without a failure, what many attempt side by side is taken to work again.
const QUIET: Duration = Duration::from_secs(5);

/// A task that is tried until it succeeds, and again after that. Every loop that retries has one, and so has work
/// that comes again and again and may fail each time.
#[derive(Debug)]
pub struct Repeated {
    task: &'static str,
    /// What a failure means.
    failure: &'static str,
    /// How long after the last failure a success means that it works again.
    quiet: Duration,
    failing: Mutex<Option<Failing>>,
}

/// Since when it has failed, and how often.
#[derive(Debug, Clone, Copy)]
struct Failing {
    since: Instant,
    times: u64,
    said_at: Instant,
    failed_at: Instant,
}

/// What is to be said of an attempt.
#[derive(Debug, PartialEq)]
enum Line {
    Fails,
    StillFails(u64),
    None,
}

const TRIED_AGAIN: &str = "failed; it is tried again";

impl Repeated {
    /// A task, as it is called in the log and in `daybook_background_failures_total`: `read the projections' progress`.
    #[must_use]
    pub const fn new(task: &'static str) -> Self {
        Self { task, failure: TRIED_AGAIN, quiet: Duration::ZERO, failing: Mutex::new(None) }
    }

    /// A task that many attempt side by side, as for one tenant each: some may succeed while others fail.
    #[must_use]
    pub const fn shared(task: &'static str) -> Self {
        Self { task, failure: TRIED_AGAIN, quiet: QUIET, failing: Mutex::new(None) }
    }

    /// The same, where each attempt is at something else, and what has failed is not tried again: `failure` says what
    /// that was.
    #[must_use]
    pub const fn giving_up(task: &'static str, failure: &'static str) -> Self {
        Self { task, failure, quiet: QUIET, failing: Mutex::new(None) }
    }

    /// It has failed: said at once, and then once a minute.
    pub fn failed(&self, error: &dyn Display) {
        let Self { task, failure, .. } = self;
        counter!(BACKGROUND_FAILURES, "task" => *task).increment(1);
        match self.note_failure(Instant::now()) {
            Line::Fails => tracing::warn!(task, %error, "{failure}"),
            Line::StillFails(times) => tracing::warn!(task, times, %error, "still failing"),
            Line::None => {}
        }
    }

    /// It has succeeded: said if it had failed before.
    pub fn succeeded(&self) {
        let Some(Failing { since, times, .. }) = self.note_success(Instant::now()) else { return };
        let (task, seconds) = (self.task, since.elapsed().as_secs());
        tracing::info!(task, times, seconds, "works again");
    }

    /// Either of these.
    pub fn note<T, E: Display>(&self, outcome: &Result<T, E>) {
        match outcome {
            Ok(_) => self.succeeded(),
            Err(error) => self.failed(error),
        }
    }

    fn note_success(&self, now: Instant) -> Option<Failing> {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.take_if(|failing| now.duration_since(failing.failed_at) >= self.quiet)
    }

    fn note_failure(&self, now: Instant) -> Line {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failing) = failing.as_mut() else {
            *failing = Some(Failing { since: now, times: 1, said_at: now, failed_at: now });
            return Line::Fails;
        };
        failing.times += 1;
        failing.failed_at = now;
        if now.duration_since(failing.said_at) < INTERVAL {
            return Line::None;
        }
        failing.said_at = now;
        Line::StillFails(failing.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_is_said_at_once_then_once_a_minute_and_after_it_worked_at_once() {
        let (task, began) = (Repeated::new("try"), Instant::now());
        let at = |seconds| task.note_failure(began + Duration::from_secs(seconds));
        assert_eq!(at(0), Line::Fails);
        assert_eq!((1..60).map(at).filter(|line| *line != Line::None).count(), 0);
        assert_eq!(at(60), Line::StillFails(61));
        assert_eq!(at(61), Line::None);
        assert_eq!(at(121), Line::StillFails(63));
        task.succeeded();
        assert_eq!(at(122), Line::Fails);
    }

    #[test]
    fn what_many_attempt_works_again_when_nobody_has_failed_for_a_while() {
        let (task, began) = (Repeated::shared("try"), Instant::now());
        let at = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(task.note_failure(at(0)), Line::Fails);
        assert!(task.note_success(at(1)).is_none());
        assert_eq!(task.note_failure(at(2)), Line::None);
        assert!(task.note_success(at(6)).is_none());
        assert_eq!(task.note_success(at(7)).unwrap().times, 2);
        assert!(task.note_success(at(8)).is_none());
    }
}
