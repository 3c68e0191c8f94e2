//! What a connection is doing, and for how long it may.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection may be without a request: longer than the 60 s of balancers, so that it is they who close it,
/// and none of them sends a request into one that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// How long the head of a request may take from its first byte on, where nobody says otherwise.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection on which nothing has been sent yet is spared when the others are closed: what is on its way
/// arrives.
const NEW: Duration = Duration::from_millis(500);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It waits for a request, its first or a further one.
    Idle { first: bool },
    /// The head of a request has begun.
    Head,
    /// A request is being answered.
    Request,
    /// Its answer is made, and not all of it has been taken from us yet.
    Sending,
    /// It was idle, and has been told to make room for another: it ends at once, unless it reads something before.
    Leaving,
}

/// What a connection is doing, and since when.
pub(super) struct Activity {
    now: Mutex<(Doing, Instant)>,
    /// Another connection needs the room.
    evicted: Notify,
    /// How long the head of a request may take.
    head_timeout: Duration,
}

impl Activity {
    pub(super) fn new(head_timeout: Duration) -> Self {
        let now = Mutex::new((Doing::Idle { first: true }, Instant::now()));
        Self { now, evicted: Notify::new(), head_timeout }
    }

    pub(super) fn has_read(&self) {
        let mut now = self.now();
        if matches!(now.0, Doing::Idle { .. } | Doing::Leaving) {
            *now = (Doing::Head, Instant::now());
        }
    }

    /// It is encrypted, and nothing was asked yet.
    pub(super) fn is_ready(&self) {
        *self.now() = (Doing::Idle { first: true }, Instant::now());
    }

    pub(super) fn head_timeout(&self) -> Duration {
        self.head_timeout
    }

    pub(super) fn has_request(&self) {
        *self.now() = (Doing::Request, Instant::now());
    }

    pub(super) fn has_answered(&self) {
        *self.now() = (Doing::Sending, Instant::now());
    }

    /// Nothing is left to be sent of what there is.
    pub(super) fn has_sent(&self) {
        let mut now = self.now();
        if now.0 == Doing::Sending {
            *now = (Doing::Idle { first: false }, Instant::now());
        }
    }

    /// Since when it is idle; `None`: it is not.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let (doing, since) = *self.now();
        matches!(doing, Doing::Idle { .. }).then_some(since)
    }

    /// Tells it to make room, if it is idle.
    pub(super) fn evict(&self) {
        let mut now = self.now();
        if matches!(now.0, Doing::Idle { .. }) {
            *now = (Doing::Leaving, Instant::now());
            self.evicted.notify_one();
        }
    }

    /// Until it has to make room: nothing has been read since.
    pub(super) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if self.doing() == Doing::Leaving {
                return;
            }
        }
    }

    pub(super) fn doing(&self) -> Doing {
        self.now().0
    }

    /// Whether it can be closed when the program ends without losing anything.
    pub(super) fn is_closable(&self) -> bool {
        let (doing, since) = *self.now();
        match doing {
            Doing::Idle { first } => !first || since.elapsed() >= NEW,
            Doing::Leaving => true,
            Doing::Head | Doing::Request | Doing::Sending => false,
        }
    }

    /// Whether it has done what it is doing for too long.
    pub(super) fn is_over(&self) -> bool {
        let (doing, since) = *self.now();
        match doing {
            Doing::Idle { .. } => since.elapsed() >= IDLE_TIMEOUT,
            Doing::Head => since.elapsed() >= self.head_timeout,
            // Of an answer that nobody takes, the stream knows.
            Doing::Request | Doing::Sending | Doing::Leaving => false,
        }
    }

    /// When to look again whether it is.
    pub(super) fn look_again_at(&self) -> Instant {
        let (doing, since) = *self.now();
        // Whatever it does next begins later, and may take at least that long.
        let next = Instant::now() + self.head_timeout;
        match doing {
            Doing::Idle { .. } => next.min(since + IDLE_TIMEOUT),
            Doing::Head => next.min(since + self.head_timeout),
            Doing::Request | Doing::Sending | Doing::Leaving => next,
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, (Doing, Instant)> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_has_less_time_than_a_connection_without_a_request() {
        let activity = Activity::new(HEAD_TIMEOUT);
        advance(IDLE_TIMEOUT.saturating_sub(Duration::from_secs(1))).await;
        assert!(!activity.is_over());
        activity.has_read();
        advance(HEAD_TIMEOUT.saturating_sub(Duration::from_secs(1))).await;
        // More of the same head is no new beginning.
        activity.has_read();
        assert!(!activity.is_over());
        advance(Duration::from_secs(1)).await;
        assert!(activity.is_over());
        activity.has_request();
        advance(IDLE_TIMEOUT * 2).await;
        assert!(!activity.is_over() && !activity.is_closable());
        activity.has_answered();
        assert!(activity.idle_since().is_none() && !activity.is_closable());
        activity.has_sent();
        assert!(activity.is_closable());
        advance(IDLE_TIMEOUT).await;
        assert!(activity.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_on_its_way_on_a_new_connection_is_waited_for() {
        let activity = Activity::new(HEAD_TIMEOUT);
        assert!(!activity.is_closable());
        advance(NEW).await;
        assert!(activity.is_closable());
        activity.has_read();
        assert!(!activity.is_closable());
    }
}
