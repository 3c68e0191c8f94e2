//! The connections that are open: at most so many. For a new one, the one that has been idle for longest is closed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daybook_store::metrics::{HTTP_CONNECTIONS, HTTP_CONNECTIONS_EVICTED};
use metrics::{counter, gauge};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::activity::{Activity, Doing, HEAD_TIMEOUT};

/// How often another idle connection is looked for while there is no room.
const PAUSE: Duration = Duration::from_millis(50);

/// Files that are left for all that is not a client's connection: the database, the log, what is written.
const OTHER_FILES: u64 = 256;

/// More than anybody needs.
const MANY_FILES: u64 = 65_536;

/// The connections that are open.
pub(crate) struct OpenConnections {
    room: Arc<Semaphore>,
    activities: Activities,
    next: AtomicU64,
    /// How long the head of a request may take on each.
    head_timeout: Duration,
    /// Whether there was no room for the last one that came.
    is_full: AtomicBool,
    /// Whether they are in the figures.
    counted: bool,
}

type Activities = Arc<Mutex<HashMap<u64, Arc<Activity>>>>;

/// Room for one connection, until it is dropped.
pub(super) struct Opened {
    pub(super) activity: Arc<Activity>,
    number: u64,
    activities: Activities,
    counted: bool,
    _room: OwnedSemaphorePermit,
}

impl OpenConnections {
    pub(super) fn at_most(connections: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(connections)),
            activities: Arc::default(),
            next: AtomicU64::new(0),
            head_timeout: HEAD_TIMEOUT,
            is_full: AtomicBool::new(false),
            counted: false,
        }
    }

    /// The same, in the figures.
    pub(super) fn counted(self) -> Self {
        Self { counted: true, ..self }
    }

    /// The same, on which the head of a request may take so long.
    pub(super) fn with_head_timeout(self, head_timeout: Duration) -> Self {
        Self { head_timeout, ..self }
    }

    /// Room for one more, made if need be; where all are busy, it is waited for.
    pub(super) async fn admit(&self) -> Opened {
        let mut waits = false;
        loop {
            // First without waiting: room that is there costs nobody a connection.
            let room = Arc::clone(&self.room);
            if let Ok(room) = Arc::clone(&room).try_acquire_owned() {
                if !waits {
                    self.is_full.store(false, Ordering::Relaxed);
                }
                return self.opened(room);
            }
            waits = true;
            let all_are_busy = !self.evict();
            if !self.is_full.swap(true, Ordering::Relaxed) {
                let open = locked(&self.activities).len();
                tracing::warn!(
                    open,
                    all_are_busy,
                    "no room for another connection: the one that was idle for longest makes room"
                );
            }
            if let Ok(Ok(room)) = timeout(PAUSE, room.acquire_owned()).await {
                return self.opened(room);
            }
        }
    }

    fn opened(&self, room: OwnedSemaphorePermit) -> Opened {
        let (activity, number) =
            (Arc::new(Activity::new(self.head_timeout)), self.next.fetch_add(1, Ordering::Relaxed));
        locked(&self.activities).insert(number, Arc::clone(&activity));
        if self.counted {
            gauge!(HTTP_CONNECTIONS).increment(1);
        }
        let activities = Arc::clone(&self.activities);
        Opened { activity, number, activities, counted: self.counted, _room: room }
    }

    /// Tells the connection that has been idle for longest to end, unless one is about to. `false`: all are busy.
    fn evict(&self) -> bool {
        let activities = locked(&self.activities);
        if activities.values().any(|it| it.doing() == Doing::Leaving) {
            return true;
        }
        let idle = activities.values().filter_map(|it| it.idle_since().map(|since| (since, it)));
        let Some((_, oldest)) = idle.min_by_key(|(since, _)| *since) else { return false };
        oldest.evict();
        if self.counted {
            counter!(HTTP_CONNECTIONS_EVICTED).increment(1);
        }
        true
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        locked(&self.activities).remove(&self.number);
        if self.counted {
            gauge!(HTTP_CONNECTIONS).decrement(1);
        }
    }
}

fn locked(activities: &Activities) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
    activities.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many connections may be open of those that are wanted: the system bounds the files of a program, and it is
/// asked here for as many as it gives.
pub(crate) fn raise_open_files(wanted: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    let most = hard.min(MANY_FILES).max(soft);
    let files = match setrlimit(Resource::RLIMIT_NOFILE, most, hard) {
        Ok(()) => most,
        Err(_) => soft,
    };
    let room = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            files,
            connections = room.max(1),
            "few files may be open: fewer connections"
        );
    }
    wanted.min(room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn for_a_new_connection_the_one_that_was_idle_for_longest_is_closed() {
        let open = OpenConnections::at_most(2);
        let busy = open.admit().await;
        busy.activity.has_request();
        let idle = open.admit().await;
        let told = Arc::clone(&idle.activity);
        let closes = tokio::spawn(async move {
            told.evicted().await;
            drop(idle);
        });
        let new = open.admit().await;
        closes.await.unwrap();
        new.activity.has_request();
        assert!(timeout(Duration::from_mins(1), open.admit()).await.is_err(), "all are busy");
        drop(busy);
        open.admit().await;
    }
}
