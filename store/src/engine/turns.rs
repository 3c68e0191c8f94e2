//! Commands of this program that want to change one thing at once take turns.
//!
//! Of several that were decided by the same version of a stream, the log takes the first. Without turns, each of the others
//! is decided again beside all the rest, as often as it takes; with fifty of them, some were refused after twelve attempts.
//! In turns, each is decided by what the one before has left. It is no lock: the log alone decides, and other programs
//! change the same thing meanwhile.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

use crate::log::StreamId;

/// The streams that somebody waits for, or has the turn of. Clones are one.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How many streams there are: every command asks, and mostly there is none.
    count: AtomicUsize,
    waiting: Mutex<HashMap<StreamId, Waiting>>,
}

/// Who waits for a stream, in the order in which they came.
#[derive(Default)]
struct Waiting {
    queue: Arc<Queue<()>>,
    /// How many there are, with the one whose turn it is.
    count: usize,
}

/// A place in the queue of a stream, or the turn; until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    stream: StreamId,
    has_it: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Whether somebody waits for this stream, or has its turn.
    pub(super) fn are_taken(&self, stream: &StreamId) -> bool {
        self.0.count.load(Ordering::Relaxed) > 0 && self.waiting().contains_key(stream)
    }

    /// Waits until it is one's turn: as long as those before take, who are bounded as whoever waits is.
    pub(super) async fn take(&self, stream: &StreamId) -> Turn {
        let queue = {
            let mut waiting = self.waiting();
            let of_stream = waiting.entry(stream.clone()).or_default();
            of_stream.count += 1;
            let queue = Arc::clone(&of_stream.queue);
            self.0.count.store(waiting.len(), Ordering::Relaxed);
            queue
        };
        // From here on it is given back, also by whoever does not wait any longer.
        let mut turn = Turn { turns: self.clone(), stream: stream.clone(), has_it: None };
        turn.has_it = Some(queue.lock_owned().await);
        turn
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<StreamId, Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.has_it = None;
        let mut waiting = self.turns.waiting();
        if let Entry::Occupied(mut entry) = waiting.entry(self.stream.clone()) {
            entry.get_mut().count -= 1;
            if entry.get().count == 0 {
                entry.remove();
            }
        }
        self.turns.0.count.store(waiting.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use daybook_domain::client::Client;
    use tokio::time::timeout;

    use super::*;
    use crate::testing::uuid;

    #[tokio::test(start_paused = true)]
    async fn who_wants_one_thing_has_it_in_turn_and_nobody_else_waits() {
        let (turns, tenant) = (Turns::default(), "clinic".parse().unwrap());
        let of = |n| StreamId::of::<Client>(&tenant, uuid(n));
        let first = turns.take(&of(1)).await;
        assert!(turns.are_taken(&of(1)) && !turns.are_taken(&of(2)));
        drop(turns.take(&of(2)).await);
        let moment = Duration::from_secs(1);
        assert!(timeout(moment, turns.take(&of(1))).await.is_err(), "whoever gives up is out");
        let (second, stream) = (turns.clone(), of(1));
        let second = tokio::spawn(async move { drop(second.take(&stream).await) });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
        assert!(turns.waiting().is_empty(), "nothing is left of whoever is done");
    }
}
