//! An import waits for a database that goes away in its middle, because it is started anew or another one takes over:
//! what has been read of a file would have to be read again.

use std::time::Duration;

use daybook_store::{ExecuteError, is_passing};
use tokio::time::{Instant, sleep};

/// For how long a database is waited for. Where none takes over by then, a person has to look.
const LONGEST: Duration = Duration::from_secs(30);

/// How long the first pause is, and the longest: each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Why something could not be done.
pub(super) trait Failure: std::fmt::Display {
    /// Whether the same may succeed a little later.
    fn may_pass(&self) -> bool;
}

impl Failure for sqlx::Error {
    fn may_pass(&self) -> bool {
        is_passing(self)
    }
}

impl Failure for ExecuteError {
    fn may_pass(&self) -> bool {
        Self::may_pass(self)
    }
}

/// What came of it in the end.
pub(super) struct Done<T, E> {
    pub(super) result: Result<T, E>,
    /// Whether it was tried before: then it may have been done although that was not heard.
    pub(super) again: bool,
}

/// Does it, and while the database is away does it again.
pub(super) async fn patiently<T, E: Failure, F: Future<Output = Result<T, E>>>(
    act: impl Fn() -> F,
) -> Done<T, E> {
    let (begun, mut pause, mut again) = (Instant::now(), FIRST_PAUSE, false);
    loop {
        match act().await {
            Err(error) if error.may_pass() && begun.elapsed() < LONGEST => {
                if !again {
                    tracing::warn!(%error, "an import waits for the database");
                }
                sleep(pause).await;
                pause = LONGEST_PAUSE.min(pause * 2);
                again = true;
            }
            result => return Done { result, again },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn tried(failure: impl Fn() -> sqlx::Error) -> (u32, Duration) {
        let (tries, begun) = (Cell::new(0), Instant::now());
        let act = async || {
            tries.set(tries.get() + 1);
            Err::<(), _>(failure())
        };
        assert!(patiently(act).await.result.is_err());
        (tries.get(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_for_half_a_minute_and_what_lasts_is_not() {
        let (tries, waited) = tried(|| sqlx::Error::PoolTimedOut).await;
        assert!((10..20).contains(&tries), "{tries}");
        assert!(waited >= LONGEST && waited < LONGEST + LONGEST_PAUSE, "{waited:?}");
        assert_eq!(tried(|| sqlx::Error::RowNotFound).await, (1, Duration::ZERO));
    }
}
