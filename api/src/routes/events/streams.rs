//! How many streams are open at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::metrics::EVENT_STREAMS;
use metrics::gauge;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Streams and exports of one program at once, and of one tenant: each has a task, some memory, and
/// now and then a connection to the database.
pub(crate) const MAX: usize = 512;
pub(crate) const MAX_OF_ONE_TENANT: usize = 64;

/// How many of them read the log at once: those that have far to go leave connections, and a processor, to others.
const MAX_READING: usize = 2;

/// The streams that are open.
#[derive(Clone)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<TenantId, usize>>>,
    turns: Arc<Semaphore>,
    /// The program is stopping: streams end, one after the other over this time.
    stop: CancellationToken,
    drain: Duration,
}

impl Default for Streams {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(MAX_READING));
        Self { open: Arc::default(), turns, stop: CancellationToken::new(), drain: Duration::ZERO }
    }
}

impl Streams {
    /// Those that end within `drain` of when `stop` is cancelled.
    pub(crate) fn until(stop: CancellationToken, drain: Duration) -> Self {
        Self { stop, drain, ..Self::default() }
    }

    /// Until a stream is to end: not all at once, or all readers would be back at once.
    pub(crate) async fn stopped(&self) {
        self.stop.cancelled().await;
        sleep(self.drain.mul_f64(rand::random())).await;
    }

    /// Room for one more, until it is dropped; `None`: there is none.
    pub(crate) fn open(&self, tenant: &TenantId) -> Option<Opened> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.get(tenant).copied().unwrap_or(0);
        if all >= MAX || own >= MAX_OF_ONE_TENANT {
            return None;
        }
        open.insert(tenant.clone(), own + 1);
        gauge!(EVENT_STREAMS).increment(1);
        Some(Opened { streams: self.clone(), tenant: tenant.clone() })
    }
}

/// Room for one stream.
pub(crate) struct Opened {
    streams: Streams,
    tenant: TenantId,
}

impl Opened {
    /// The turns in which streams read the log: whoever waits is served in the order of coming.
    pub(crate) fn turns(&self) -> &Semaphore {
        &self.streams.turns
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        gauge!(EVENT_STREAMS).decrement(1);
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_leaves_room_for_the_others_and_has_its_own_back() {
        let streams = Streams::default();
        let tenant = |n: usize| format!("tenant-{n}").parse::<TenantId>().unwrap();
        let mut own: Vec<_> =
            (0..MAX_OF_ONE_TENANT).map(|_| streams.open(&tenant(0)).unwrap()).collect();
        assert!(streams.open(&tenant(0)).is_none());
        own.pop();
        own.extend(streams.open(&tenant(0)));
        let others: Vec<_> = (MAX_OF_ONE_TENANT..MAX)
            .map(|n| streams.open(&tenant(1 + n % (MAX / MAX_OF_ONE_TENANT - 1))).unwrap())
            .collect();
        assert!(streams.open(&tenant(99)).is_none(), "{} are open", own.len() + others.len());
        drop(own);
        assert!(streams.open(&tenant(99)).is_some());
    }
}
