//! What many ask for at once is worked out once: by whoever comes first, and goes on as long as somebody waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::{CachedPage, Key};
use crate::http::Problem;

type Work = BoxFuture<'static, Result<Arc<CachedPage>, Problem>>;

/// What is being worked out.
#[derive(Clone, Default)]
pub(super) struct Flights(Arc<Mutex<Under>>);

#[derive(Default)]
struct Under {
    /// The number of the last one.
    last: u64,
    way: HashMap<[u8; 32], (u64, WeakShared<Work>)>,
}

impl Flights {
    /// The answer that somebody is working out for this key, or else by this work.
    pub(super) fn join(&self, key: &Key, work: impl FnOnce() -> Work) -> Shared<Work> {
        let mut under = self.lock();
        let there = under.way.get(key.address()).and_then(|(_, flight)| flight.upgrade());
        if let Some(flight) = there {
            return flight;
        }
        under.last += 1;
        let landing =
            Landing { flights: self.clone(), address: *key.address(), number: under.last };
        let work = work();
        let flight = async move {
            let _landing = landing;
            work.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            let number = under.last;
            under.way.insert(*key.address(), (number, weak));
        }
        flight
    }

    fn lock(&self) -> MutexGuard<'_, Under> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes it off the list when it is over, or nobody waits for it any more.
struct Landing {
    flights: Flights,
    address: [u8; 32],
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under = self.flights.lock();
        let is_this =
            under.way.get(&self.address).is_some_and(|(number, _)| *number == self.number);
        if is_this {
            under.way.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use axum::body::Bytes;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Work that takes a moment, and counts how often it was begun.
    fn work(begun: &Arc<AtomicUsize>) -> Work {
        let begun = Arc::clone(begun);
        async move {
            begun.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(30)).await;
            Ok(Arc::new(CachedPage::found(&Key::of_tests(1), None, Bytes::new())))
        }
        .boxed()
    }

    #[tokio::test]
    async fn what_many_ask_for_is_worked_out_once_also_when_the_first_has_gone() {
        let (flights, begun) = (Flights::default(), Arc::default());
        let join = |key| flights.join(&Key::of_tests(key), || work(&begun));
        let first = join(1);
        let second = join(1);
        assert!(timeout(Duration::from_millis(5), first).await.is_err(), "it has hung up");
        let (second, third, other) = tokio::join!(second, join(1), join(2));
        assert!(second.is_ok() && third.is_ok() && other.is_ok());
        assert_eq!(begun.load(Ordering::Relaxed), 2, "two questions");
        assert!(flights.lock().way.is_empty(), "both are over");
        // Nobody waits for it any more.
        drop(join(1));
        assert!(flights.lock().way.is_empty());
        assert!(join(1).await.is_ok());
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }
}
